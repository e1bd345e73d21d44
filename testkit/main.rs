//! `ssh2-testd`: a small SSH and SFTP server for tests, which behaves well unless it is told to misbehave.
//!
//! It is a separate implementation of the server's side above the crate's packet sealing, so that C programs and Rust
//! tests can meet a server that does the one thing wrong that they are about, without root, PAM or a system user.
//! It listens on loopback, prints its port, and ends with its parent, with its standard input, or after its time.
//! `ssh2-testd --help` lists what it can be told.
#![forbid(unsafe_op_in_unsafe_fn)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test server: a panic ends one connection, as any other surprise does"
)]

mod auth;
mod channel;
mod connection;
mod end;
mod fault;
mod identity;
mod kex;
mod keyboard;
mod link;
mod options;
mod sftp;
mod shuffle;
mod store;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::identity::KeyTexts;
use crate::options::Options;

fn main() {
    end_with_parent();
    let options = Options::from_command_line();
    let lifetime = options.lifetime;
    thread::spawn(move || {
        thread::sleep(lifetime);
        std::process::exit(3);
    });
    if !options.ignore_stdin {
        thread::spawn(end_with_stdin);
    }
    if let Err(error) = serve(options) {
        eprintln!("ssh2-testd: {error}");
        std::process::exit(1);
    }
}

fn serve(options: Options) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let options = Arc::new(options);
    let keys = Arc::new(KeyTexts::new(options.host_key.as_deref())?);
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    loop {
        let (socket, _) = listener.accept()?;
        let (options, keys) = (Arc::clone(&options), Arc::clone(&keys));
        thread::spawn(move || {
            if let Err(end) = connection::serve(socket, &options, &keys) {
                eprintln!("ssh2-testd: {end}");
            }
        });
    }
}

fn end_with_stdin() {
    let mut byte = [0];
    while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
    // What is being written to clients now may still leave.
    thread::sleep(Duration::from_millis(10));
    std::process::exit(0);
}

#[allow(unsafe_code)]
fn end_with_parent() {
    // SAFETY: this request takes a number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}
