//! Handles, structs and constants of `libssh2_sftp_*`.

use libc::{c_int, c_uint, c_ulong};

use super::{LIBSSH2_ERROR_EAGAIN, libssh2_uint64_t};

/// An SFTP conversation. Made by libssh2_sftp_init(), released by libssh2_sftp_shutdown().
pub struct _LIBSSH2_SFTP {
    _private: [u8; 0],
}
/// An SFTP conversation, see `struct _LIBSSH2_SFTP`.
pub type LIBSSH2_SFTP = _LIBSSH2_SFTP;

/// A file or directory that is open on the server. Released by libssh2_sftp_close_handle().
pub struct _LIBSSH2_SFTP_HANDLE {
    _private: [u8; 0],
}
/// A file or directory that is open on the server, see `struct _LIBSSH2_SFTP_HANDLE`.
pub type LIBSSH2_SFTP_HANDLE = _LIBSSH2_SFTP_HANDLE;

/// A file's attributes. A field means something only when its bit is set in `flags`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct _LIBSSH2_SFTP_ATTRIBUTES {
    /// Which fields are set: LIBSSH2_SFTP_ATTR_ bits.
    pub flags: c_ulong,
    /// Bytes in the file.
    pub filesize: libssh2_uint64_t,
    /// The owner's number.
    pub uid: c_ulong,
    /// The group's number.
    pub gid: c_ulong,
    /// Type and mode, as in LIBSSH2_SFTP_S_.
    pub permissions: c_ulong,
    /// Last access, in seconds since 1970.
    pub atime: c_ulong,
    /// Last change, in seconds since 1970.
    pub mtime: c_ulong,
}
/// A file's attributes, see `struct _LIBSSH2_SFTP_ATTRIBUTES`.
pub type LIBSSH2_SFTP_ATTRIBUTES = _LIBSSH2_SFTP_ATTRIBUTES;

/// What the server says of a file system.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct _LIBSSH2_SFTP_STATVFS {
    /// Block size, in bytes.
    pub f_bsize: libssh2_uint64_t,
    /// The unit that blocks are counted in, in bytes.
    pub f_frsize: libssh2_uint64_t,
    /// All blocks.
    pub f_blocks: libssh2_uint64_t,
    /// Free blocks.
    pub f_bfree: libssh2_uint64_t,
    /// Free blocks that an ordinary user may take.
    pub f_bavail: libssh2_uint64_t,
    /// All inodes.
    pub f_files: libssh2_uint64_t,
    /// Free inodes.
    pub f_ffree: libssh2_uint64_t,
    /// Free inodes that an ordinary user may take.
    pub f_favail: libssh2_uint64_t,
    /// The file system's number.
    pub f_fsid: libssh2_uint64_t,
    /// LIBSSH2_SFTP_ST_ bits.
    pub f_flag: libssh2_uint64_t,
    /// The longest file name, in bytes.
    pub f_namemax: libssh2_uint64_t,
}
/// What the server says of a file system, see `struct _LIBSSH2_SFTP_STATVFS`.
pub type LIBSSH2_SFTP_STATVFS = _LIBSSH2_SFTP_STATVFS;

/// The protocol version that is spoken.
pub const LIBSSH2_SFTP_VERSION: c_int = 3;

/// An SFTP call's name for LIBSSH2_ERROR_EAGAIN.
pub const LIBSSH2SFTP_EAGAIN: c_int = LIBSSH2_ERROR_EAGAIN;

/// For libssh2_sftp_open_ex(): open a file.
pub const LIBSSH2_SFTP_OPENFILE: c_int = 0;
/// Open a directory.
pub const LIBSSH2_SFTP_OPENDIR: c_int = 1;

/// For libssh2_sftp_rename_ex(): replace what has the new name.
pub const LIBSSH2_SFTP_RENAME_OVERWRITE: c_int = 0x00000001;
/// Leave no moment in which neither name exists.
pub const LIBSSH2_SFTP_RENAME_ATOMIC: c_int = 0x00000002;
/// As the server's own system call does it.
pub const LIBSSH2_SFTP_RENAME_NATIVE: c_int = 0x00000004;

/// For libssh2_sftp_stat_ex(): ask, following symbolic links.
pub const LIBSSH2_SFTP_STAT: c_int = 0;
/// Ask, not following symbolic links.
pub const LIBSSH2_SFTP_LSTAT: c_int = 1;
/// Set.
pub const LIBSSH2_SFTP_SETSTAT: c_int = 2;

/// For libssh2_sftp_symlink_ex(): make a symbolic link.
pub const LIBSSH2_SFTP_SYMLINK: c_int = 0;
/// Read where a symbolic link leads.
pub const LIBSSH2_SFTP_READLINK: c_int = 1;
/// Ask for a path in its absolute form.
pub const LIBSSH2_SFTP_REALPATH: c_int = 2;

/// For libssh2_sftp_mkdir_ex(): the server chooses the mode.
pub const LIBSSH2_SFTP_DEFAULT_MODE: c_int = -1;

/// `filesize` is set.
pub const LIBSSH2_SFTP_ATTR_SIZE: c_uint = 0x00000001;
/// `uid` and `gid` are set.
pub const LIBSSH2_SFTP_ATTR_UIDGID: c_uint = 0x00000002;
/// `permissions` is set.
pub const LIBSSH2_SFTP_ATTR_PERMISSIONS: c_uint = 0x00000004;
/// `atime` and `mtime` are set.
pub const LIBSSH2_SFTP_ATTR_ACMODTIME: c_uint = 0x00000008;
/// The server sent attributes that this struct has no field for.
pub const LIBSSH2_SFTP_ATTR_EXTENDED: c_uint = 0x80000000;

/// The file system is read-only.
pub const LIBSSH2_SFTP_ST_RDONLY: c_int = 0x00000001;
/// The file system ignores set-user-ID bits.
pub const LIBSSH2_SFTP_ST_NOSUID: c_int = 0x00000002;

/// A regular file.
pub const LIBSSH2_SFTP_TYPE_REGULAR: c_int = 1;
/// A directory.
pub const LIBSSH2_SFTP_TYPE_DIRECTORY: c_int = 2;
/// A symbolic link.
pub const LIBSSH2_SFTP_TYPE_SYMLINK: c_int = 3;
/// Something else.
pub const LIBSSH2_SFTP_TYPE_SPECIAL: c_int = 4;
/// Not known.
pub const LIBSSH2_SFTP_TYPE_UNKNOWN: c_int = 5;
/// A socket.
pub const LIBSSH2_SFTP_TYPE_SOCKET: c_int = 6;
/// A character device.
pub const LIBSSH2_SFTP_TYPE_CHAR_DEVICE: c_int = 7;
/// A block device.
pub const LIBSSH2_SFTP_TYPE_BLOCK_DEVICE: c_int = 8;
/// A named pipe.
pub const LIBSSH2_SFTP_TYPE_FIFO: c_int = 9;

/// The part of `permissions` that tells a file's type.
pub const LIBSSH2_SFTP_S_IFMT: c_int = 0o170000;
/// A named pipe.
pub const LIBSSH2_SFTP_S_IFIFO: c_int = 0o010000;
/// A character device.
pub const LIBSSH2_SFTP_S_IFCHR: c_int = 0o020000;
/// A directory.
pub const LIBSSH2_SFTP_S_IFDIR: c_int = 0o040000;
/// A block device.
pub const LIBSSH2_SFTP_S_IFBLK: c_int = 0o060000;
/// A regular file.
pub const LIBSSH2_SFTP_S_IFREG: c_int = 0o100000;
/// A symbolic link.
pub const LIBSSH2_SFTP_S_IFLNK: c_int = 0o120000;
/// A socket.
pub const LIBSSH2_SFTP_S_IFSOCK: c_int = 0o140000;
/// The owner may do everything.
pub const LIBSSH2_SFTP_S_IRWXU: c_int = 0o000700;
/// The owner may read.
pub const LIBSSH2_SFTP_S_IRUSR: c_int = 0o000400;
/// The owner may write.
pub const LIBSSH2_SFTP_S_IWUSR: c_int = 0o000200;
/// The owner may execute or search.
pub const LIBSSH2_SFTP_S_IXUSR: c_int = 0o000100;
/// The group may do everything.
pub const LIBSSH2_SFTP_S_IRWXG: c_int = 0o000070;
/// The group may read.
pub const LIBSSH2_SFTP_S_IRGRP: c_int = 0o000040;
/// The group may write.
pub const LIBSSH2_SFTP_S_IWGRP: c_int = 0o000020;
/// The group may execute or search.
pub const LIBSSH2_SFTP_S_IXGRP: c_int = 0o000010;
/// Others may do everything.
pub const LIBSSH2_SFTP_S_IRWXO: c_int = 0o000007;
/// Others may read.
pub const LIBSSH2_SFTP_S_IROTH: c_int = 0o000004;
/// Others may write.
pub const LIBSSH2_SFTP_S_IWOTH: c_int = 0o000002;
/// Others may execute or search.
pub const LIBSSH2_SFTP_S_IXOTH: c_int = 0o000001;

/// For libssh2_sftp_open_ex(): to read.
pub const LIBSSH2_FXF_READ: c_uint = 0x00000001;
/// To write.
pub const LIBSSH2_FXF_WRITE: c_uint = 0x00000002;
/// Every write goes to the end of the file.
pub const LIBSSH2_FXF_APPEND: c_uint = 0x00000004;
/// Make the file when it is not there.
pub const LIBSSH2_FXF_CREAT: c_uint = 0x00000008;
/// Empty the file.
pub const LIBSSH2_FXF_TRUNC: c_uint = 0x00000010;
/// Fail when the file is there already.
pub const LIBSSH2_FXF_EXCL: c_uint = 0x00000020;

/// From libssh2_sftp_last_error(): the server is content, or did not answer.
pub const LIBSSH2_FX_OK: c_ulong = 0;
/// The end of the file or directory.
pub const LIBSSH2_FX_EOF: c_ulong = 1;
/// There is no such file.
pub const LIBSSH2_FX_NO_SUCH_FILE: c_ulong = 2;
/// The user may not do that.
pub const LIBSSH2_FX_PERMISSION_DENIED: c_ulong = 3;
/// It failed; the server does not say why.
pub const LIBSSH2_FX_FAILURE: c_ulong = 4;
/// The server could not make sense of the request.
pub const LIBSSH2_FX_BAD_MESSAGE: c_ulong = 5;
/// The server has no connection to what it serves.
pub const LIBSSH2_FX_NO_CONNECTION: c_ulong = 6;
/// The server lost that connection.
pub const LIBSSH2_FX_CONNECTION_LOST: c_ulong = 7;
/// The server does not know the operation.
pub const LIBSSH2_FX_OP_UNSUPPORTED: c_ulong = 8;
/// The file or directory handle is not valid.
pub const LIBSSH2_FX_INVALID_HANDLE: c_ulong = 9;
/// There is no such path.
pub const LIBSSH2_FX_NO_SUCH_PATH: c_ulong = 10;
/// The file is there already.
pub const LIBSSH2_FX_FILE_ALREADY_EXISTS: c_ulong = 11;
/// The file system is read-only.
pub const LIBSSH2_FX_WRITE_PROTECT: c_ulong = 12;
/// The drive is empty.
pub const LIBSSH2_FX_NO_MEDIA: c_ulong = 13;
/// The file system is full.
pub const LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM: c_ulong = 14;
/// The user's quota is used up.
pub const LIBSSH2_FX_QUOTA_EXCEEDED: c_ulong = 15;
/// Another spelling of LIBSSH2_FX_UNKNOWN_PRINCIPAL.
#[cfg(not(no_deprecated))]
pub const LIBSSH2_FX_UNKNOWN_PRINCIPLE: c_ulong = 16;
/// A user or group is not known.
pub const LIBSSH2_FX_UNKNOWN_PRINCIPAL: c_ulong = 16;
/// Another spelling of LIBSSH2_FX_LOCK_CONFLICT.
#[cfg(not(no_deprecated))]
#[allow(non_upper_case_globals, reason = "the C name is spelt so")]
pub const LIBSSH2_FX_LOCK_CONFlICT: c_ulong = 17;
/// Somebody else has locked the file.
pub const LIBSSH2_FX_LOCK_CONFLICT: c_ulong = 17;
/// The directory is not empty.
pub const LIBSSH2_FX_DIR_NOT_EMPTY: c_ulong = 18;
/// It is not a directory.
pub const LIBSSH2_FX_NOT_A_DIRECTORY: c_ulong = 19;
/// The file name is not allowed.
pub const LIBSSH2_FX_INVALID_FILENAME: c_ulong = 20;
/// Symbolic links lead in a circle.
pub const LIBSSH2_FX_LINK_LOOP: c_ulong = 21;
