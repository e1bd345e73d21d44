//! What the program can call of a session and its channels.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_ulong, c_void};
use std::mem::zeroed;
use std::ptr::{null, null_mut};

use super::{MOST_HANDLES, Program, call, socket};
use crate::ffi::algorithm::{libssh2_hostkey_hash, libssh2_session_hostkey, libssh2_session_methods};
use crate::ffi::channel::{
    libssh2_channel_open_ex, libssh2_channel_process_startup, libssh2_channel_request_auth_agent,
    libssh2_channel_request_pty_ex, libssh2_channel_request_pty_size_ex, libssh2_channel_setenv_ex,
    libssh2_channel_signal_ex, libssh2_channel_x11_req_ex,
};
use crate::ffi::channel_end::{
    libssh2_channel_close, libssh2_channel_eof, libssh2_channel_free, libssh2_channel_get_exit_signal,
    libssh2_channel_get_exit_status, libssh2_channel_send_eof, libssh2_channel_wait_closed, libssh2_channel_wait_eof,
};
use crate::ffi::channel_stream::{
    libssh2_channel_flush_ex, libssh2_channel_handle_extended_data2, libssh2_channel_read_ex,
    libssh2_channel_receive_window_adjust2, libssh2_channel_window_read_ex, libssh2_channel_window_write_ex,
    libssh2_channel_write_ex,
};
use crate::ffi::ext::libssh2_ext_session_ready;
use crate::ffi::forward::{
    libssh2_channel_direct_streamlocal_ex, libssh2_channel_direct_tcpip_ex, libssh2_channel_forward_accept,
    libssh2_channel_forward_cancel, libssh2_channel_forward_listen_ex,
};
use crate::ffi::keepalive::{libssh2_keepalive_config, libssh2_keepalive_send};
use crate::ffi::publickey::{
    libssh2_publickey_add_ex, libssh2_publickey_init, libssh2_publickey_list_fetch, libssh2_publickey_list_free,
    libssh2_publickey_remove_ex, libssh2_publickey_shutdown,
};
use crate::ffi::scp::{libssh2_scp_recv2, libssh2_scp_send64};
use crate::ffi::session::{
    libssh2_free, libssh2_session_banner_get, libssh2_session_disconnect_ex, libssh2_session_handshake,
};
use crate::ffi::setting::libssh2_session_last_error;
use crate::ffi::sftp::libssh2_sftp_init;
use crate::ffi::types::{
    LIBSSH2_EXT_READY, LIBSSH2_SESSION, LIBSSH2_USERAUTH_KBDINT_PROMPT, LIBSSH2_USERAUTH_KBDINT_RESPONSE,
    libssh2_publickey_attribute,
};
use crate::ffi::userauth::{
    libssh2_userauth_authenticated, libssh2_userauth_banner, libssh2_userauth_list, libssh2_userauth_password_ex,
    libssh2_userauth_publickey_frommemory,
};
use crate::ffi::userauth_keyboard::libssh2_userauth_keyboard_interactive_ex;
use crate::ffi::userauth_signer::libssh2_userauth_publickey;

/// By their numbers, which begin behind those of what the server says.
pub(super) const ALL: [fn(&mut Program<'_>); 44] = [
    handshake,
    methods,
    list,
    password,
    keyboard,
    key,
    signer,
    banner,
    disconnect,
    keepalive,
    ready,
    last_error,
    open,
    direct_tcpip,
    direct_streamlocal,
    setenv,
    terminal,
    terminal_size,
    x11,
    request_agent,
    signal,
    startup,
    read,
    write,
    window_read,
    window_write,
    adjust,
    extended_data,
    flush,
    exit,
    send_eof,
    eof,
    wait_eof,
    close,
    wait_closed,
    free,
    listen,
    accept,
    cancel,
    scp_recv,
    scp_send,
    publickey_init,
    publickey_ask,
    sftp_init,
];

/// A name, in memory of its own so that reading past it shows.
pub(super) const NAME: &[u8] = b"name";
const TEXT: *const c_char = c"text".as_ptr();
/// The key pair that RFC 8410 section 10.3 shows.
const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";

/// Where so many bytes are, for C.
pub(super) const fn at(bytes: &[u8]) -> *const c_char {
    bytes.as_ptr().cast()
}

/// One of the handles, or NULL if there is none.
pub(super) fn pick<T>(handles: &[*mut T], number: u8) -> *mut T {
    handles.get(usize::from(number) % handles.len().max(1)).copied().unwrap_or(null_mut())
}

/// Keeps a new handle.
pub(super) fn keep<T>(handles: &mut Vec<*mut T>, handle: *mut T) {
    if !handle.is_null() && handles.len() == MOST_HANDLES {
        handles.remove(0);
    }
    handles.extend((!handle.is_null()).then_some(handle));
}

/// So many bytes, and not one more.
pub(super) fn space(size: u32) -> Vec<u8> {
    vec![0; size.min(0x20000) as usize]
}

pub(super) fn handshake(program: &mut Program<'_>) {
    program.judge(call!(libssh2_session_handshake(program.session, socket())));
}

fn methods(program: &mut Program<'_>) {
    let number = c_int::from(program.byte());
    let (mut length, mut kind) = (0, 0);
    call!(libssh2_session_methods(program.session, number));
    call!(libssh2_session_hostkey(program.session, &mut length, &mut kind));
    call!(libssh2_hostkey_hash(program.session, number));
    call!(libssh2_session_banner_get(program.session));
}

fn list(program: &mut Program<'_>) {
    let names = program.judge(call!(libssh2_userauth_list(program.session, at(NAME), 4)));
    if !names.is_null() {
        // SAFETY: it is a terminated text.
        let _whole = unsafe { std::ffi::CStr::from_ptr(names) }.to_bytes();
    }
    call!(libssh2_userauth_authenticated(program.session));
}

fn password(program: &mut Program<'_>) {
    program.judge(call!(libssh2_userauth_password_ex(
        program.session,
        at(NAME),
        4,
        at(b"password"),
        8,
        Some(on_change)
    )));
}

fn keyboard(program: &mut Program<'_>) {
    program.judge(call!(libssh2_userauth_keyboard_interactive_ex(program.session, at(NAME), 4, Some(on_questions))));
}

fn key(program: &mut Program<'_>) {
    program.judge(call!(libssh2_userauth_publickey_frommemory(
        program.session,
        at(NAME),
        4,
        null(),
        0,
        at(KEY),
        KEY.len(),
        null()
    )));
}

fn signer(program: &mut Program<'_>) {
    const BLOB: &[u8] = b"\0\0\0\x07ssh-rsa\0\0\0\x01\x03\0\0\0\x01\x05";
    let mut nothing = null_mut();
    program.judge(call!(libssh2_userauth_publickey(
        program.session,
        TEXT,
        BLOB.as_ptr(),
        BLOB.len(),
        Some(on_sign),
        &mut nothing
    )));
}

fn banner(program: &mut Program<'_>) {
    let mut banner = null_mut();
    call!(libssh2_userauth_banner(program.session, &mut banner));
}

fn disconnect(program: &mut Program<'_>) {
    program.judge(call!(libssh2_session_disconnect_ex(program.session, 11, TEXT, TEXT)));
}

fn keepalive(program: &mut Program<'_>) {
    let (wants_reply, mut next) = (program.byte(), 0);
    call!(libssh2_keepalive_config(program.session, c_int::from(wants_reply % 2), 5));
    program.judge(call!(libssh2_keepalive_send(program.session, &mut next)));
}

fn ready(program: &mut Program<'_>) {
    let (mut directions, mut timeout) = (0, 0);
    // SAFETY: pointers and numbers may be 0.
    let mut entries: [LIBSSH2_EXT_READY; 3] = unsafe { zeroed() };
    let most = usize::from(program.byte() % 4);
    let count =
        call!(libssh2_ext_session_ready(program.session, entries.as_mut_ptr(), most, &mut directions, &mut timeout));
    assert!(count <= most as c_int);
}

fn last_error(program: &mut Program<'_>) {
    let (mut text, mut length) = (null_mut(), 0);
    call!(libssh2_session_last_error(program.session, &mut text, &mut length, 1));
    call!(libssh2_free(program.session, text.cast()));
}

fn open(program: &mut Program<'_>) {
    let (window, packet) = (program.number(), program.number());
    let channel =
        program.judge(call!(libssh2_channel_open_ex(program.session, at(b"session"), 7, window, packet, null(), 0)));
    keep(&mut program.channels, channel);
}

fn direct_tcpip(program: &mut Program<'_>) {
    let channel = program.judge(call!(libssh2_channel_direct_tcpip_ex(program.session, TEXT, 80, TEXT, 81)));
    keep(&mut program.channels, channel);
}

fn direct_streamlocal(program: &mut Program<'_>) {
    let channel = program.judge(call!(libssh2_channel_direct_streamlocal_ex(program.session, TEXT, TEXT, 81)));
    keep(&mut program.channels, channel);
}

/// Has `call` done with a channel.
macro_rules! on_channel {
    ($($name:ident: $function:ident($($argument:expr),*);)*) => {
        $(fn $name(program: &mut Program<'_>) {
            let number = program.byte();
            let channel = pick(&program.channels, number);
            program.judge(call!($function(channel $(, $argument)*)));
        })*
    };
}

on_channel! {
    setenv: libssh2_channel_setenv_ex(at(NAME), 4, at(NAME), 4);
    terminal: libssh2_channel_request_pty_ex(at(NAME), 4, at(NAME), 4, 80, 24, 0, 0);
    terminal_size: libssh2_channel_request_pty_size_ex(80, 24, 0, 0);
    x11: libssh2_channel_x11_req_ex(0, null(), null(), 0);
    request_agent: libssh2_channel_request_auth_agent();
    signal: libssh2_channel_signal_ex(at(NAME), 4);
    startup: libssh2_channel_process_startup(at(b"exec"), 4, at(NAME), 4);
    send_eof: libssh2_channel_send_eof();
    eof: libssh2_channel_eof();
    wait_eof: libssh2_channel_wait_eof();
    close: libssh2_channel_close();
    wait_closed: libssh2_channel_wait_closed();
    free: libssh2_channel_free();
}

fn stream(program: &mut Program<'_>) -> c_int {
    [0, 1, 2, -1, -2][usize::from(program.byte() % 5)]
}

fn read(program: &mut Program<'_>) {
    let (number, stream, size) = (program.byte(), stream(program), program.number());
    let (channel, mut space) = (pick(&program.channels, number), space(size));
    let read = program.judge(call!(libssh2_channel_read_ex(channel, stream, space.as_mut_ptr().cast(), space.len())));
    assert!(read <= space.len() as isize);
}

fn write(program: &mut Program<'_>) {
    let (number, stream, size) = (program.byte(), stream(program), program.number());
    let (channel, data) = (pick(&program.channels, number), space(size));
    let written = program.judge(call!(libssh2_channel_write_ex(channel, stream, at(&data), data.len())));
    assert!(written <= data.len() as isize);
}

fn window_read(program: &mut Program<'_>) {
    let number = program.byte();
    let (mut available, mut initial): (c_ulong, c_ulong) = (0, 0);
    call!(libssh2_channel_window_read_ex(pick(&program.channels, number), &mut available, &mut initial));
}

fn window_write(program: &mut Program<'_>) {
    let (number, mut initial): (_, c_ulong) = (program.byte(), 0);
    call!(libssh2_channel_window_write_ex(pick(&program.channels, number), &mut initial));
}

fn adjust(program: &mut Program<'_>) {
    let (number, by, force) = (program.byte(), program.number(), program.byte());
    let (channel, mut window): (_, c_uint) = (pick(&program.channels, number), 0);
    program.judge(call!(libssh2_channel_receive_window_adjust2(channel, c_ulong::from(by), force % 2, &mut window)));
}

fn extended_data(program: &mut Program<'_>) {
    let (number, mode) = (program.byte(), program.byte());
    let channel = pick(&program.channels, number);
    program.judge(call!(libssh2_channel_handle_extended_data2(channel, c_int::from(mode % 4))));
}

fn flush(program: &mut Program<'_>) {
    let (number, stream) = (program.byte(), stream(program));
    program.judge(call!(libssh2_channel_flush_ex(pick(&program.channels, number), stream)));
}

fn exit(program: &mut Program<'_>) {
    let number = program.byte();
    let channel = pick(&program.channels, number);
    let (mut signal, mut length) = (null_mut(), 0);
    call!(libssh2_channel_get_exit_status(channel));
    call!(libssh2_channel_get_exit_signal(
        channel,
        &mut signal,
        &mut length,
        null_mut(),
        null_mut(),
        null_mut(),
        null_mut()
    ));
    call!(libssh2_free(program.session, signal.cast()));
}

fn listen(program: &mut Program<'_>) {
    let (port, most) = (program.byte(), program.byte());
    let mut bound = 0;
    let listener = program.judge(call!(libssh2_channel_forward_listen_ex(
        program.session,
        null(),
        c_int::from(port),
        &mut bound,
        c_int::from(most)
    )));
    keep(&mut program.listeners, listener);
}

fn accept(program: &mut Program<'_>) {
    let number = program.byte();
    let listener = pick(&program.listeners, number);
    if listener.is_null() {
        // There is no session then to keep the error for.
        return;
    }
    let channel = program.judge(call!(libssh2_channel_forward_accept(listener)));
    keep(&mut program.channels, channel);
}

fn cancel(program: &mut Program<'_>) {
    let number = program.byte();
    program.judge(call!(libssh2_channel_forward_cancel(pick(&program.listeners, number))));
}

pub(super) fn scp_recv(program: &mut Program<'_>) {
    // SAFETY: it is nothing but numbers.
    let mut stat = unsafe { zeroed() };
    let channel = program.judge(call!(libssh2_scp_recv2(program.session, TEXT, &mut stat)));
    keep(&mut program.channels, channel);
}

fn scp_send(program: &mut Program<'_>) {
    let (size, time) = (program.byte(), program.byte());
    let (size, time) = (i64::from(size), i64::from(time));
    let channel = program.judge(call!(libssh2_scp_send64(program.session, TEXT, 0o644, size, time, time)));
    keep(&mut program.channels, channel);
}

pub(super) fn publickey_init(program: &mut Program<'_>) {
    let subsystem = program.judge(call!(libssh2_publickey_init(program.session)));
    keep(&mut program.publickeys, subsystem);
}

fn publickey_ask(program: &mut Program<'_>) {
    let (number, what) = (program.byte(), program.byte());
    let subsystem = pick(&program.publickeys, number);
    let (name, length) = (NAME.as_ptr(), NAME.len() as c_ulong);
    match what % 4 {
        0 => {
            let attribute = libssh2_publickey_attribute {
                name: at(NAME),
                name_len: length,
                value: at(NAME),
                value_len: length,
                mandatory: 1,
            };
            program.judge(call!(libssh2_publickey_add_ex(subsystem, name, length, name, length, 1, 1, &attribute)));
        }
        1 => {
            program.judge(call!(libssh2_publickey_remove_ex(subsystem, name, length, name, length)));
        }
        2 => {
            let (mut count, mut keys) = (0, null_mut());
            let fetched = program.judge(call!(libssh2_publickey_list_fetch(subsystem, &mut count, &mut keys)));
            if fetched == 0 {
                for index in 0..count as usize {
                    // SAFETY: there are so many keys, each of which leads to bytes of the lengths that it tells.
                    unsafe {
                        let key = &*keys.add(index);
                        read_all(key.name.cast(), key.name_len);
                        read_all(key.blob.cast(), key.blob_len);
                        for attribute in 0..key.num_attrs as usize {
                            let attribute = &*key.attrs.add(attribute);
                            read_all(attribute.name, attribute.name_len);
                            read_all(attribute.value, attribute.value_len);
                        }
                    }
                }
                call!(libssh2_publickey_list_free(subsystem, keys));
            }
        }
        _ => {
            program.judge(call!(libssh2_publickey_shutdown(subsystem)));
        }
    }
}

/// # Safety
/// So many bytes can be read there.
unsafe fn read_all(start: *const c_char, length: c_ulong) {
    // SAFETY: as promised by the caller.
    let bytes = unsafe { crate::ffi::guard::bytes(start, length as usize) }.unwrap();
    assert!(bytes.iter().map(|&byte| usize::from(byte)).sum::<usize>() <= bytes.len() * 255);
}

pub(super) fn sftp_init(program: &mut Program<'_>) {
    let sftp = program.judge(call!(libssh2_sftp_init(program.session)));
    keep(&mut program.sftps, sftp);
}

/// Memory of the session's allocator that begins with `bytes`.
fn allocated(bytes: &[u8]) -> *mut u8 {
    // SAFETY: the bytes have room in what is allocated for them.
    unsafe {
        let memory = libc::malloc(bytes.len().max(1)).cast::<u8>();
        memory.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        memory
    }
}

unsafe extern "C" fn on_change(
    _session: *mut LIBSSH2_SESSION,
    password: *mut *mut c_char,
    length: *mut c_int,
    _abstract: *mut *mut c_void,
) {
    // SAFETY: the session gives places that can be written to.
    unsafe {
        *password = allocated(b"new").cast();
        *length = 3;
    }
}

/// Answers each question with itself.
unsafe extern "C" fn on_questions(
    name: *const c_char,
    name_len: c_int,
    instruction: *const c_char,
    instruction_len: c_int,
    count: c_int,
    prompts: *const LIBSSH2_USERAUTH_KBDINT_PROMPT,
    responses: *mut LIBSSH2_USERAUTH_KBDINT_RESPONSE,
    _abstract: *mut *mut c_void,
) {
    // SAFETY: the session gives texts of the lengths that go with them, and so many prompts and places for responses.
    unsafe {
        read_all(name, name_len as c_ulong);
        read_all(instruction, instruction_len as c_ulong);
        for index in 0..count as usize {
            let (prompt, response) = (&*prompts.add(index), &mut *responses.add(index));
            let text = crate::ffi::guard::bytes(prompt.text.cast(), prompt.length).unwrap();
            response.text = allocated(text).cast();
            response.length = text.len() as c_uint;
        }
    }
}

unsafe extern "C" fn on_sign(
    _session: *mut LIBSSH2_SESSION,
    signature: *mut *mut c_uchar,
    length: *mut usize,
    data: *const c_uchar,
    data_len: usize,
    _abstract: *mut *mut c_void,
) -> c_int {
    // SAFETY: the session gives bytes that can be read, and places that can be written to.
    unsafe {
        read_all(data.cast(), data_len as c_ulong);
        *signature = allocated(b"signature");
        *length = 9;
    }
    0
}
