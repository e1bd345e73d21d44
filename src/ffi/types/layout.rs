//! The layouts that compiled programs rely on, checked while compiling. The numbers are those of a 64-bit system.

use std::mem::{offset_of, size_of};

use super::*;

macro_rules! layout {
    ($type:ty: $size:literal { $($field:tt)* }) => {
        const _: () = assert!(size_of::<$type>() == $size, concat!("size of ", stringify!($type)));
        layout!(@fields $type { $($field)* });
    };
    (@fields $type:ty { $($field:ident @ $offset:literal),* $(,)? }) => {
        $(const _: () = assert!(
            offset_of!($type, $field) == $offset,
            concat!("offset of ", stringify!($type), ".", stringify!($field))
        );)*
    };
}

layout!(LIBSSH2_USERAUTH_KBDINT_PROMPT: 24 { text @ 0, length @ 8, echo @ 16 });
layout!(LIBSSH2_USERAUTH_KBDINT_RESPONSE: 16 { text @ 0, length @ 8 });
layout!(LIBSSH2_SK_SIG_INFO: 40 { flags @ 0, counter @ 4, sig_r @ 8, sig_r_len @ 16, sig_s @ 24, sig_s_len @ 32 });
layout!(LIBSSH2_PRIVKEY_SK: 48 {
    algorithm @ 0, flags @ 4, application @ 8, key_handle @ 16, handle_len @ 24, sign_callback @ 32,
    orig_abstract @ 40,
});
#[cfg(not(no_deprecated))]
layout!(LIBSSH2_POLLFD: 32 { r#type @ 0, fd @ 8, events @ 16, revents @ 24 });
layout!(LIBSSH2_EXT_READY: 24 { channel @ 0, listener @ 8, events @ 16 });
layout!(libssh2_knownhost: 40 { magic @ 0, node @ 8, name @ 16, key @ 24, typemask @ 32 });
layout!(libssh2_agent_publickey: 40 { magic @ 0, node @ 8, blob @ 16, blob_len @ 24, comment @ 32 });
layout!(LIBSSH2_SFTP_ATTRIBUTES: 56 {
    flags @ 0, filesize @ 8, uid @ 16, gid @ 24, permissions @ 32, atime @ 40, mtime @ 48,
});
layout!(LIBSSH2_SFTP_STATVFS: 88 {
    f_bsize @ 0, f_frsize @ 8, f_blocks @ 16, f_bfree @ 24, f_bavail @ 32, f_files @ 40, f_ffree @ 48,
    f_favail @ 56, f_fsid @ 64, f_flag @ 72, f_namemax @ 80,
});
layout!(libssh2_publickey_attribute: 40 { name @ 0, name_len @ 8, value @ 16, value_len @ 24, mandatory @ 32 });
layout!(libssh2_publickey_list: 56 {
    packet @ 0, name @ 8, name_len @ 16, blob @ 24, blob_len @ 32, num_attrs @ 40, attrs @ 48,
});
