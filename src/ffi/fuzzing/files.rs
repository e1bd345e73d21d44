//! What the program can call of SFTP.

use std::ffi::{c_int, c_long, c_ulong};
use std::ptr::null_mut;

use super::calls::{NAME, at, keep, pick, space};
use super::{Program, call};
use crate::ffi::ext_sftp::{
    libssh2_ext_sftp_flush, libssh2_ext_sftp_handle_set_write_behind, libssh2_ext_sftp_progress,
};
use crate::ffi::sftp::{
    libssh2_sftp_get_channel, libssh2_sftp_last_error, libssh2_sftp_mkdir_ex, libssh2_sftp_posix_rename_ex,
    libssh2_sftp_rename_ex, libssh2_sftp_rmdir_ex, libssh2_sftp_shutdown, libssh2_sftp_stat_ex, libssh2_sftp_statvfs,
    libssh2_sftp_symlink_ex, libssh2_sftp_unlink_ex,
};
use crate::ffi::sftp_file::{
    libssh2_sftp_close_handle, libssh2_sftp_fstat_ex, libssh2_sftp_fstatvfs, libssh2_sftp_fsync, libssh2_sftp_open_ex,
    libssh2_sftp_open_ex_r, libssh2_sftp_read, libssh2_sftp_readdir_ex, libssh2_sftp_seek64, libssh2_sftp_tell64,
    libssh2_sftp_write,
};
use crate::ffi::types::{LIBSSH2_SFTP_ATTRIBUTES, LIBSSH2_SFTP_STATVFS};

/// By their numbers, which begin behind those of the other calls and come again and again.
pub(super) const ALL: [fn(&mut Program<'_>); 24] = [
    open,
    open_directory,
    read,
    write,
    readdir,
    fstat,
    fsync,
    fstatvfs,
    seek,
    close,
    write_behind,
    flush,
    progress,
    stat,
    statvfs,
    link,
    rename,
    posix_rename,
    unlink,
    mkdir,
    rmdir,
    last_error,
    channel,
    shutdown,
];

/// The length of [`NAME`], whatever type a function wants it in.
const LENGTH: u32 = NAME.len() as u32;

fn open(program: &mut Program<'_>) {
    let (number, flags) = (program.byte(), program.byte());
    let sftp = pick(&program.sftps, number);
    let mut attributes = LIBSSH2_SFTP_ATTRIBUTES::default();
    let file = if flags & 0x80 == 0 {
        call!(libssh2_sftp_open_ex(sftp, at(NAME), LENGTH, c_ulong::from(flags), 0o644, 0))
    } else {
        call!(libssh2_sftp_open_ex_r(sftp, at(NAME), NAME.len(), c_ulong::from(flags), 0o644, 0, &mut attributes))
    };
    keep(&mut program.files, file);
}

fn open_directory(program: &mut Program<'_>) {
    let number = program.byte();
    let directory = call!(libssh2_sftp_open_ex(pick(&program.sftps, number), at(NAME), LENGTH, 0, 0, 1));
    keep(&mut program.files, directory);
}

fn read(program: &mut Program<'_>) {
    let (number, size) = (program.byte(), program.number());
    let mut space = space(size);
    let file = pick(&program.files, number);
    let read = program.judge(call!(libssh2_sftp_read(file, space.as_mut_ptr().cast(), space.len())));
    assert!(read <= space.len() as isize);
}

fn write(program: &mut Program<'_>) {
    let (number, size) = (program.byte(), program.number());
    let data = space(size);
    let written = program.judge(call!(libssh2_sftp_write(pick(&program.files, number), at(&data), data.len())));
    assert!(written <= data.len() as isize);
}

fn readdir(program: &mut Program<'_>) {
    let (number, size, longer) = (program.byte(), program.number(), program.number());
    let (mut name, mut long) = (space(size), space(longer));
    let mut attributes = LIBSSH2_SFTP_ATTRIBUTES::default();
    let read = program.judge(call!(libssh2_sftp_readdir_ex(
        pick(&program.files, number),
        name.as_mut_ptr().cast(),
        name.len(),
        long.as_mut_ptr().cast(),
        long.len(),
        &mut attributes
    )));
    assert!(read < name.len().max(1) as c_int);
}

fn fstat(program: &mut Program<'_>) {
    let (number, sets) = (program.byte(), program.byte());
    let mut attributes = LIBSSH2_SFTP_ATTRIBUTES { flags: 4, permissions: 0o600, ..Default::default() };
    let file = pick(&program.files, number);
    program.judge(call!(libssh2_sftp_fstat_ex(file, &mut attributes, c_int::from(sets % 2))));
}

fn fstatvfs(program: &mut Program<'_>) {
    let number = program.byte();
    // SAFETY: it is nothing but numbers.
    let mut filesystem: LIBSSH2_SFTP_STATVFS = unsafe { std::mem::zeroed() };
    program.judge(call!(libssh2_sftp_fstatvfs(pick(&program.files, number), &mut filesystem)));
}

fn fsync(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_sftp_fsync(pick(&program.files, number))));
}

fn seek(program: &mut Program<'_>) {
    let (number, place) = (program.byte(), program.number());
    let file = pick(&program.files, number);
    call!(libssh2_sftp_seek64(file, u64::from(place)));
    call!(libssh2_sftp_tell64(file));
}

fn close(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_sftp_close_handle(pick(&program.files, number))));
}

fn write_behind(program: &mut Program<'_>) {
    let (number, most) = (program.byte(), program.number());
    call!(libssh2_ext_sftp_handle_set_write_behind(pick(&program.files, number), most as usize));
}

fn flush(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_ext_sftp_flush(pick(&program.files, number))));
}

fn progress(program: &mut Program<'_>) {
    let (number, mut accepted, mut acknowledged) = (program.byte(), 0, 0);
    let file = pick(&program.files, number);
    call!(libssh2_ext_sftp_progress(file, &mut accepted, &mut acknowledged));
    // `accepted` may be less: of a write that has not returned yet, something may have been acknowledged.
    assert_eq!(acknowledged, call!(libssh2_sftp_tell64(file)));
}

fn stat(program: &mut Program<'_>) {
    let (number, kind) = (program.byte(), program.byte());
    let mut attributes = LIBSSH2_SFTP_ATTRIBUTES { flags: 1, filesize: 5, ..Default::default() };
    let sftp = pick(&program.sftps, number);
    program.judge(call!(libssh2_sftp_stat_ex(sftp, at(NAME), LENGTH, c_int::from(kind % 3), &mut attributes)));
}

fn statvfs(program: &mut Program<'_>) {
    let number = program.byte();
    // SAFETY: it is nothing but numbers.
    let mut filesystem: LIBSSH2_SFTP_STATVFS = unsafe { std::mem::zeroed() };
    let sftp = pick(&program.sftps, number);
    program.judge(call!(libssh2_sftp_statvfs(sftp, at(NAME), NAME.len(), &mut filesystem)));
}

/// Makes a link, reads it, or resolves a path.
fn link(program: &mut Program<'_>) {
    let (number, kind, size) = (program.byte(), program.byte(), program.number());
    let sftp = pick(&program.sftps, number);
    let mut target = if kind % 3 == 0 { NAME.to_vec() } else { space(size) };
    let (start, length) = (target.as_mut_ptr().cast(), target.len() as u32);
    let kind = c_int::from(kind % 3);
    let result = program.judge(call!(libssh2_sftp_symlink_ex(sftp, at(NAME), LENGTH, start, length, kind)));
    assert!(result < target.len().max(1) as c_int);
}

fn rename(program: &mut Program<'_>) {
    let number = program.byte();
    let sftp = pick(&program.sftps, number);
    let flags: c_long = 7;
    program.judge(call!(libssh2_sftp_rename_ex(sftp, at(NAME), LENGTH, at(NAME), LENGTH, flags)));
}

fn posix_rename(program: &mut Program<'_>) {
    let number = program.byte();
    let sftp = pick(&program.sftps, number);
    program.judge(call!(libssh2_sftp_posix_rename_ex(sftp, at(NAME), NAME.len(), at(NAME), NAME.len())));
}

fn unlink(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_sftp_unlink_ex(pick(&program.sftps, number), at(NAME), LENGTH)));
}

fn mkdir(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_sftp_mkdir_ex(pick(&program.sftps, number), at(NAME), LENGTH, 0o755)));
}

fn rmdir(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_sftp_rmdir_ex(pick(&program.sftps, number), at(NAME), LENGTH)));
}

fn last_error(program: &mut Program<'_>) {
    let number = program.byte();
    call!(libssh2_sftp_last_error(pick(&program.sftps, number)));
}

/// From then on what happens on it is the program's as well.
fn channel(program: &mut Program<'_>) {
    let number = program.byte();
    let channel = call!(libssh2_sftp_get_channel(pick(&program.sftps, number)));
    keep(&mut program.channels, if channel.is_null() { null_mut() } else { channel });
}

fn shutdown(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_sftp_shutdown(pick(&program.sftps, number))));
}
