//! A program and its server at play, both of them as a fuzzer's bytes say: what the program calls, and what the server
//! answers in whatever order. Each byte that begins a step is a number in [`says::ALL`], or behind those in
//! [`calls::ALL`]; what the step needs to know are the bytes behind it.
//!
//! Calls never wait here: one that has to returns `LIBSSH2_ERROR_EAGAIN`, and goes on where its number comes again.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a finding is a panic"
)]

mod calls;
mod files;
mod says;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::{c_char, c_int, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;

use crate::auth::Auth;
use crate::error::Code;
use crate::ffi::guard::{bytes, bytes_mut};
use crate::ffi::handle::SessionHandle;
use crate::ffi::session::{libssh2_session_free, libssh2_session_init_ex};
use crate::ffi::setting::{
    libssh2_session_block_directions, libssh2_session_callback_set2, libssh2_session_last_errno,
    libssh2_session_set_blocking,
};
use crate::ffi::trace::{libssh2_trace, libssh2_trace_sethandler};
use crate::ffi::types::{
    LIBSSH2_CHANNEL, LIBSSH2_LISTENER, LIBSSH2_PUBLICKEY, LIBSSH2_SESSION, LIBSSH2_SFTP, LIBSSH2_SFTP_HANDLE,
};
use crate::transport::kex::server::Server;
use crate::transport::{Transport, message};
use crate::wire::Reader;

/// Longest input that is played: longer ones only take longer.
const MOST_STEPS: usize = 400;
/// Most handles of each kind, so that they are found again.
const MOST_HANDLES: usize = 8;

/// Calls an exported function.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: the session lives as long as its program, and so do the boxes of its handles, of which a stale one is
        // refused. Every pointer is NULL or that of a live buffer, whose length goes with it.
        unsafe { $function($($argument),*) }
    };
}
use call;

/// A server and a program that has just connected to it.
pub fn server(data: &[u8]) {
    let Some((&how, data)) = data.split_first() else { return };
    let server = Server::new(how & 1 == 0).unwrap();
    let mut program = Program::new(server, data);
    if how & 2 != 0 {
        program.trace();
    }
    if how & 4 == 0 {
        // The key exchange goes well.
        program.wire.server.borrow_mut().begin().unwrap();
        for _ in 0..6 {
            calls::handshake(&mut program);
        }
    }
    program.play();
}

/// Channels, forwarded ports and requests of the server, for a program that is logged in.
pub fn channel(data: &[u8]) {
    Program::logged_in(data).play();
}

/// The same, beginning with an SFTP conversation.
pub fn sftp(data: &[u8]) {
    Program::begun(data, calls::sftp_init).play();
}

/// The same, beginning with a file to be received by SCP.
pub fn scp(data: &[u8]) {
    Program::begun(data, calls::scp_recv).play();
}

/// The same, beginning with the publickey subsystem.
pub fn publickey_subsystem(data: &[u8]) {
    Program::begun(data, calls::publickey_init).play();
}

/// What the session sends into and receives from.
struct Wire {
    server: RefCell<Server>,
    /// The server has understood all that the program has sent.
    is_sane: Cell<bool>,
    /// Most bytes that are moved at a time.
    piece: Cell<usize>,
    /// The server has hung up.
    is_over: Cell<bool>,
    /// SFTP requests, as far as they have come, and the numbers of those that have come whole.
    requests: RefCell<Vec<u8>>,
    ids: RefCell<VecDeque<u32>>,
    /// What the program has been given by the server.
    given: RefCell<Vec<*mut LIBSSH2_CHANNEL>>,
}

impl Wire {
    fn take_in(&self, bytes: &[u8]) {
        let mut server = self.server.borrow_mut();
        if !self.is_sane.get() || server.take_in(bytes).is_err() {
            self.is_sane.set(false);
            return;
        }
        for packet in server.heard.drain(..) {
            let mut reader = Reader::new(&packet);
            if reader.u8() == Ok(message::CHANNEL_DATA) {
                let _number = reader.u32();
                self.requests.borrow_mut().extend_from_slice(reader.string().unwrap());
            }
        }
        let mut requests = self.requests.borrow_mut();
        let mut taken = 0;
        while let Ok(request) = Reader::new(&requests[taken..]).string() {
            // Behind the type. The first packet has a version there, and is answered without a number.
            if let Some(id) = request.get(1..5).filter(|_| request[0] != 1) {
                self.ids.borrow_mut().push_back(u32::from_be_bytes(id.try_into().unwrap()));
            }
            taken += request.len() + 4;
        }
        requests.drain(..taken);
    }
}

/// The program: its session, and what it has got from it.
struct Program<'a> {
    session: *mut LIBSSH2_SESSION,
    wire: Rc<Wire>,
    data: &'a [u8],
    channels: Vec<*mut LIBSSH2_CHANNEL>,
    listeners: Vec<*mut LIBSSH2_LISTENER>,
    sftps: Vec<*mut LIBSSH2_SFTP>,
    files: Vec<*mut LIBSSH2_SFTP_HANDLE>,
    publickeys: Vec<*mut LIBSSH2_PUBLICKEY>,
}

impl<'a> Program<'a> {
    fn new(server: Server, data: &'a [u8]) -> Self {
        let wire = Rc::new(Wire {
            server: RefCell::new(server),
            is_sane: Cell::new(true),
            piece: Cell::new(usize::MAX),
            is_over: Cell::new(false),
            requests: RefCell::default(),
            ids: RefCell::default(),
            given: RefCell::default(),
        });
        let session = call!(libssh2_session_init_ex(None, None, None, Rc::as_ptr(&wire).cast_mut().cast()));
        call!(libssh2_session_set_blocking(session, 0));
        let functions = [
            (4, on_x11 as *mut c_void),
            (5, on_send as *mut c_void),
            (6, on_recv as *mut c_void),
            (7, on_agent as *mut c_void),
        ];
        for (number, function) in functions {
            call!(libssh2_session_callback_set2(session, number, function.cast()));
        }
        Self {
            session,
            wire,
            data,
            channels: Vec::new(),
            listeners: Vec::new(),
            sftps: Vec::new(),
            files: Vec::new(),
            publickeys: Vec::new(),
        }
    }

    /// One behind a login, on a line without encryption.
    fn logged_in(data: &'a [u8]) -> Self {
        let program = Self::new(Server::connected().unwrap(), data);
        let handle = program.handle();
        handle.socket.set(socket());
        let mut core = handle.core.borrow_mut();
        core.transport = Transport::connected().unwrap();
        core.auth = Auth::logged_in();
        drop(core);
        program
    }

    /// One for which `call` has opened a channel, and started what that is for.
    fn begun(data: &'a [u8], call: fn(&mut Self)) -> Self {
        let mut program = Self::logged_in(data);
        call(&mut program);
        program.hear(says::confirmation(0, 2 * 1024 * 1024, 32 * 1024));
        call(&mut program);
        program.hear(vec![message::CHANNEL_SUCCESS, 0, 0, 0, 0]);
        call(&mut program);
        program
    }

    fn handle(&self) -> &SessionHandle {
        // SAFETY: the session lives as long as its program.
        unsafe { SessionHandle::from_pointer(self.session.cast()) }.unwrap()
    }

    /// Has all that there is traced.
    fn trace(&self) {
        call!(libssh2_trace_sethandler(self.session, ptr::null_mut(), Some(on_trace)));
        call!(libssh2_trace(self.session, -1));
    }

    /// All steps, and the end of the session.
    fn play(mut self) {
        for _ in 0..MOST_STEPS {
            if self.data.is_empty() {
                break;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        let number = usize::from(self.byte());
        match says::ALL.get(number) {
            Some(say) => say(self),
            None => match calls::ALL.get(number - says::ALL.len()) {
                Some(call) => call(self),
                None => files::ALL[(number - says::ALL.len() - calls::ALL.len()) % files::ALL.len()](self),
            },
        }
        assert!(!self.handle().poisoned.get(), "a panic has been caught");
        self.channels.extend(self.wire.given.borrow_mut().drain(..));
        self.channels.truncate(MOST_HANDLES);
    }

    /// The server says this, sealed as it should be.
    fn hear(&self, payload: Vec<u8>) {
        let _too_much = self.wire.server.borrow_mut().tx.send_now(&[&payload]);
    }

    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.data.split_first() else { return 0 };
        self.data = rest;
        byte
    }

    /// A number of any size: the lower bits of the byte say how many it has.
    fn number(&mut self) -> u32 {
        let byte = u32::from(self.byte());
        let size = byte & 31;
        if byte >= 0x80 { (u32::MAX >> size).saturating_sub(byte >> 5 & 3) } else { (1 << size >> 1) + (byte >> 5 & 3) }
    }

    fn piece(&mut self) -> &'a [u8] {
        crate::fuzzing::piece(&mut self.data)
    }

    /// Looks at what a call has returned, and passes it on.
    fn judge<T: Outcome>(&self, outcome: T) -> T {
        if outcome.would_block(self.session) {
            let directions = call!(libssh2_session_block_directions(self.session));
            assert!(directions != 0, "EAGAIN, but for what?");
        }
        outcome
    }
}

impl Drop for Program<'_> {
    /// Frees the session, on which everything else hangs, whatever the server leaves undone.
    fn drop(&mut self) {
        self.wire.piece.set(usize::MAX);
        self.wire.is_over.set(true);
        for _ in 0..100 {
            if call!(libssh2_session_free(self.session)) != Code::Eagain.number() {
                return;
            }
        }
        panic!("the session is not freed although the server has hung up");
    }
}

/// What a function returns.
trait Outcome {
    fn would_block(&self, session: *mut LIBSSH2_SESSION) -> bool;
}

impl Outcome for c_int {
    fn would_block(&self, _: *mut LIBSSH2_SESSION) -> bool {
        *self == Code::Eagain.number()
    }
}

impl Outcome for isize {
    fn would_block(&self, _: *mut LIBSSH2_SESSION) -> bool {
        *self == Code::Eagain.number() as Self
    }
}

impl<T> Outcome for *mut T {
    fn would_block(&self, session: *mut LIBSSH2_SESSION) -> bool {
        self.is_null() && call!(libssh2_session_last_errno(session)) == Code::Eagain.number()
    }
}

/// Something that can be switched to non-blocking mode; nothing is sent to it.
fn socket() -> c_int {
    static NOTHING: OnceLock<File> = OnceLock::new();
    NOTHING.get_or_init(|| File::open("/dev/null").unwrap()).as_raw_fd()
}

/// The wire behind what the session's functions are given.
///
/// # Safety
/// `abstract` is the address of a program's pointer to its wire.
unsafe fn wire<'a>(r#abstract: *mut *mut c_void) -> &'a Wire {
    // SAFETY: as promised by the caller.
    unsafe { (*r#abstract).cast::<Wire>().as_ref() }.unwrap()
}

unsafe extern "C" fn on_send(
    _socket: c_int,
    start: *const c_void,
    length: usize,
    _flags: c_int,
    r#abstract: *mut *mut c_void,
) -> isize {
    // SAFETY: the session gives its program's pointer, and bytes that can be read.
    let (wire, bytes) = unsafe { (wire(r#abstract), bytes(start.cast(), length).unwrap()) };
    let size = bytes.len().min(wire.piece.get());
    wire.take_in(&bytes[..size]);
    if size == 0 { -(libc::EAGAIN as isize) } else { size as isize }
}

unsafe extern "C" fn on_recv(
    _socket: c_int,
    start: *mut c_void,
    length: usize,
    _flags: c_int,
    r#abstract: *mut *mut c_void,
) -> isize {
    // SAFETY: the session gives its program's pointer, and room that can be written to.
    let (wire, space) = unsafe { (wire(r#abstract), bytes_mut(start.cast(), length).unwrap()) };
    let mut server = wire.server.borrow_mut();
    let queue = server.tx.queue();
    let size = queue.len().min(space.len()).min(wire.piece.get());
    space[..size].copy_from_slice(&queue.filled()[..size]);
    queue.consume(size);
    match size {
        0 if wire.is_over.get() => 0,
        0 => -(libc::EAGAIN as isize),
        _ => size as isize,
    }
}

unsafe extern "C" fn on_x11(
    _session: *mut LIBSSH2_SESSION,
    channel: *mut LIBSSH2_CHANNEL,
    _host: *const c_char,
    _port: c_int,
    r#abstract: *mut *mut c_void,
) {
    // SAFETY: the session gives its program's pointer.
    unsafe { wire(r#abstract) }.given.borrow_mut().push(channel);
}

unsafe extern "C" fn on_agent(
    _session: *mut LIBSSH2_SESSION,
    channel: *mut LIBSSH2_CHANNEL,
    r#abstract: *mut *mut c_void,
) {
    // SAFETY: the session gives its program's pointer.
    unsafe { wire(r#abstract) }.given.borrow_mut().push(channel);
}

unsafe extern "C" fn on_trace(
    _session: *mut LIBSSH2_SESSION,
    _context: *mut c_void,
    line: *const c_char,
    length: usize,
) {
    // SAFETY: the session gives a line that can be read.
    let line = unsafe { bytes(line, length).unwrap() };
    assert!(!line.contains(&b'\n'), "a line is one line");
}
