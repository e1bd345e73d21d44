//! The program's functions, and the program as the host of a session: its socket, its clock.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::io;
use std::mem::transmute;
use std::time::{Duration, Instant};

use crate::channel::{Accepts, ChannelId, Opened};
use crate::ffi::handle::{SessionHandle, Target};
use crate::ffi::types::{
    LIBSSH2_AUTHAGENT_FUNC, LIBSSH2_CHANNEL, LIBSSH2_RECV_FUNC, LIBSSH2_SEND_FUNC, LIBSSH2_SESSION,
    LIBSSH2_X11_OPEN_FUNC,
};
use crate::io::{Readiness, recv, send, wait};
use crate::op::{Host, Transfer, with};
use crate::transport::Event;

type Send = unsafe extern "C" fn(c_int, *const c_void, usize, c_int, *mut *mut c_void) -> isize;
type Recv = unsafe extern "C" fn(c_int, *mut c_void, usize, c_int, *mut *mut c_void) -> isize;
/// A function of any type, as `libssh2_cb_generic *`.
pub type Generic = unsafe extern "C" fn();

type Ignore = unsafe extern "C" fn(*mut LIBSSH2_SESSION, *const c_char, c_int, *mut *mut c_void);
type Debug =
    unsafe extern "C" fn(*mut LIBSSH2_SESSION, c_int, *const c_char, c_int, *const c_char, c_int, *mut *mut c_void);
/// As [`Debug`], with the reason in front.
type Disconnect = Debug;
type MacError = unsafe extern "C" fn(*mut LIBSSH2_SESSION, *const c_char, c_int, *mut *mut c_void) -> c_int;
type X11 = unsafe extern "C" fn(*mut LIBSSH2_SESSION, *mut LIBSSH2_CHANNEL, *const c_char, c_int, *mut *mut c_void);
type Agent = unsafe extern "C" fn(*mut LIBSSH2_SESSION, *mut LIBSSH2_CHANNEL, *mut *mut c_void);

/// The numbers of the callbacks, `LIBSSH2_CALLBACK_IGNORE` and so on.
const IGNORE: usize = 0;
const DEBUG: usize = 1;
const DISCONNECT: usize = 2;
const MACERROR: usize = 3;
const X11: usize = 4;
const SEND: usize = 5;
const RECV: usize = 6;
const AUTHAGENT: usize = 7;

/// The functions that the program has set.
pub struct Callbacks {
    functions: [Cell<Option<Generic>>; 10],
    /// A broken connection may raise SIGPIPE.
    pub sigpipe: Cell<bool>,
}

impl Default for Callbacks {
    fn default() -> Self {
        let callbacks = Self { functions: [const { Cell::new(None) }; 10], sigpipe: Cell::new(false) };
        callbacks.set(SEND, None);
        callbacks.set(RECV, None);
        callbacks
    }
}

impl Callbacks {
    /// Sets the function of that number: the one before it. Without a function of the program, the socket is used.
    pub fn set(&self, number: usize, function: Option<Generic>) -> Option<Generic> {
        let function = function.or(match number {
            // SAFETY: all function pointers have one representation; it is called as what it is, see `send` and `recv`.
            SEND => Some(unsafe { transmute::<Send, Generic>(send_on_socket) }),
            // SAFETY: as above.
            RECV => Some(unsafe { transmute::<Recv, Generic>(recv_from_socket) }),
            _ => None,
        });
        self.functions.get(number)?.replace(function)
    }

    /// Which channels the program takes from the server.
    pub fn accepts(&self) -> Accepts {
        Accepts { x11: self.get(X11).is_some(), agent: self.get(AUTHAGENT).is_some() }
    }

    fn get(&self, number: usize) -> Option<Generic> {
        self.functions.get(number)?.get()
    }

    fn x11(&self) -> LIBSSH2_X11_OPEN_FUNC {
        // SAFETY: what the program sets under this number has this type.
        self.get(X11).map(|function| unsafe { transmute::<Generic, X11>(function) })
    }

    fn agent(&self) -> LIBSSH2_AUTHAGENT_FUNC {
        // SAFETY: what the program sets under this number has this type.
        self.get(AUTHAGENT).map(|function| unsafe { transmute::<Generic, Agent>(function) })
    }

    fn send(&self) -> LIBSSH2_SEND_FUNC {
        let function = self.get(SEND)?;
        // SAFETY: what the program sets under this number has this type.
        Some(unsafe { transmute::<Generic, Send>(function) })
    }

    fn recv(&self) -> LIBSSH2_RECV_FUNC {
        let function = self.get(RECV)?;
        // SAFETY: what the program sets under this number has this type.
        Some(unsafe { transmute::<Generic, Recv>(function) })
    }

    fn flags(&self) -> c_int {
        if self.sigpipe.get() { 0 } else { libc::MSG_NOSIGNAL }
    }
}

impl Host for SessionHandle {
    fn send(&self, bytes: &[u8]) -> Transfer {
        let Some(send) = self.callbacks.send() else { return Transfer::Failed(libc::EBADF) };
        let (socket, flags) = (self.socket.get(), self.callbacks.flags());
        // SAFETY: pointer and length are those of a live slice; the last argument is the address of a live pointer.
        let sent = unsafe { send(socket, bytes.as_ptr().cast(), bytes.len(), flags, self.r#abstract.address()) };
        transfer(sent, bytes.len())
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        let Some(recv) = self.callbacks.recv() else { return Transfer::Failed(libc::EBADF) };
        let (socket, flags) = (self.socket.get(), self.callbacks.flags());
        // SAFETY: pointer and length are those of a live, exclusive slice; the last argument is the address of a live
        // pointer.
        let came = unsafe { recv(socket, space.as_mut_ptr().cast(), space.len(), flags, self.r#abstract.address()) };
        transfer(came, space.len())
    }

    fn wait(&self, interest: Readiness, timeout: Option<Duration>) -> io::Result<Readiness> {
        self.last_error.clear();
        wait(self.socket.get(), interest, timeout)
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn began(&self) -> Instant {
        Self::began(self)
    }

    fn opened(&self, opened: Opened) {
        let Ok(channel) = self.adopt(Target::Channel(opened.channel)) else {
            return self.turn_away(opened.channel);
        };
        let session = std::ptr::from_ref(self).cast_mut().cast();
        let address = self.r#abstract.address();
        let taken = match opened.origin {
            Some((host, port)) => self.callbacks.x11().map(|take| {
                // SAFETY: session, channel and text are alive, the last argument is the address of a live pointer, and
                // nothing of the session is borrowed.
                unsafe { take(session, channel.cast(), host.as_ptr(), port.cast_signed(), address) }
            }),
            None => self.callbacks.agent().map(|take| {
                // SAFETY: as above.
                unsafe { take(session, channel.cast(), address) }
            }),
        };
        if taken.is_none() {
            // SAFETY: the handle is fresh and belongs to this session.
            if let Some(channel) = unsafe { channel.as_ref() } {
                self.release(channel);
            }
            self.turn_away(opened.channel);
        }
    }

    fn hear(&self, event: &Event) {
        let (session, r#abstract) = (std::ptr::from_ref(self).cast_mut().cast(), self.r#abstract.address());
        // SAFETY: what the program sets under a number has the type that belongs to it. The texts live as long as the
        // call, and nothing of the session is borrowed.
        unsafe {
            match event {
                Event::Ignore(data) => {
                    let Some(function) = self.callbacks.get(IGNORE) else { return };
                    let (data, length) = lent(data);
                    transmute::<Generic, Ignore>(function)(session, data, length, r#abstract);
                }
                Event::Debug { always_display, message, language } => {
                    let Some(function) = self.callbacks.get(DEBUG) else { return };
                    let ((message, length), (language, language_length)) = (lent(message), lent(language));
                    let display = c_int::from(*always_display);
                    let function = transmute::<Generic, Debug>(function);
                    function(session, display, message, length, language, language_length, r#abstract);
                }
                Event::Disconnect { reason, message, language } => {
                    let Some(function) = self.callbacks.get(DISCONNECT) else { return };
                    let ((message, length), (language, language_length)) = (lent(message), lent(language));
                    let reason = reason.cast_signed();
                    let function = transmute::<Generic, Disconnect>(function);
                    function(session, reason, message, length, language, language_length, r#abstract);
                }
                Event::MacError(packet) => {
                    let Some(function) = self.callbacks.get(MACERROR) else { return };
                    let (packet, length) = lent(packet);
                    // COMPAT: the program cannot have a forged packet accepted, whatever it answers.
                    let _answer = transmute::<Generic, MacError>(function)(session, packet, length, r#abstract);
                }
            }
        }
    }

    fn look_at_trace(&self) {
        self.tell_trace(None);
    }

    fn hides_bytes(&self) -> bool {
        // The program's own function may keep bytes that the socket does not show any more.
        self.callbacks.recv().is_none_or(|function| function as usize != recv_from_socket as *const () as usize)
    }
}

impl SessionHandle {
    /// Whether the program moves the bytes itself, in both directions.
    pub fn moves_bytes_itself(&self) -> bool {
        let sends =
            self.callbacks.send().is_none_or(|function| function as usize != send_on_socket as *const () as usize);
        sends && self.hides_bytes()
    }

    /// Closes a channel of the server that the program cannot be given.
    fn turn_away(&self, channel: ChannelId) {
        let _dead = with(&self.core, |core| core.channels.abandon(channel, &mut core.transport.tx));
    }
}

/// As C takes it: NULL when there is nothing.
fn lent(bytes: &[u8]) -> (*const c_char, c_int) {
    let start = if bytes.is_empty() { std::ptr::null() } else { bytes.as_ptr().cast() };
    (start, c_int::try_from(bytes.len()).unwrap_or(c_int::MAX))
}

fn transfer(result: isize, offered: usize) -> Transfer {
    match usize::try_from(result) {
        Ok(count) => Transfer::Moved(count.min(offered)),
        Err(_) => match c_int::try_from(result.unsigned_abs()).unwrap_or(libc::EIO) {
            // A program that passes a signal on means no harm.
            libc::EAGAIN | libc::EINTR => Transfer::WouldBlock,
            errno => Transfer::Failed(errno),
        },
    }
}

unsafe extern "C" fn send_on_socket(
    socket: c_int,
    bytes: *const c_void,
    length: usize,
    flags: c_int,
    _abstract: *mut *mut c_void,
) -> isize {
    // SAFETY: whoever calls this passes bytes that can be read.
    match unsafe { crate::ffi::guard::bytes(bytes.cast(), length) } {
        Ok(bytes) => send(socket, bytes, flags),
        Err(_) => -libc::EFAULT as isize,
    }
}

unsafe extern "C" fn recv_from_socket(
    socket: c_int,
    space: *mut c_void,
    length: usize,
    flags: c_int,
    _abstract: *mut *mut c_void,
) -> isize {
    // SAFETY: whoever calls this passes room that can be written to.
    match unsafe { crate::ffi::guard::bytes_mut(space.cast(), length) } {
        Ok(space) => recv(socket, space, flags),
        Err(_) => -libc::EFAULT as isize,
    }
}
