//! What the headers define besides functions: handles, structs, callback types and constants, under their C names.
#![allow(non_camel_case_types, reason = "the names are those of the C interface")]

mod agent;
mod callback;
mod channel;
mod error;
mod ext;
mod hostkey;
mod layout;
mod publickey;
mod session;
mod sftp;
mod userauth;
mod version;

pub use agent::*;
pub use callback::*;
pub use channel::*;
pub use error::*;
pub use ext::*;
pub use hostkey::*;
pub use publickey::*;
pub use session::*;
pub use sftp::*;
pub use userauth::*;
pub use version::*;
