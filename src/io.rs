//! Sockets: the only system calls of this crate besides libcrypto's.
#![allow(unsafe_code, reason = "this is where the socket is called")]

use std::ffi::{CStr, c_char, c_int, c_short};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Lossy, Result};
use crate::memory;

/// Which readiness is waited for, or was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Bytes can be read, or the peer has closed.
    pub read: bool,
    /// Bytes can be written.
    pub write: bool,
}

/// `send(2)` by the rules of `LIBSSH2_SEND_FUNC`: the bytes sent, or the negated errno, where everything that means
/// "not now" is `-EAGAIN`.
pub fn send(socket: c_int, bytes: &[u8], flags: c_int) -> isize {
    // SAFETY: the pointer and the length are those of a live slice, which `send` only reads.
    outcome(unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// `recv(2)` by the rules of `LIBSSH2_RECV_FUNC`: the bytes received, 0 at the end of the stream, or the negated errno.
pub fn recv(socket: c_int, space: &mut [u8], flags: c_int) -> isize {
    // SAFETY: the pointer and the length are those of a live, exclusively borrowed slice; `recv` writes only within it.
    outcome(unsafe { libc::recv(socket, space.as_mut_ptr().cast(), space.len(), flags) })
}

fn outcome(result: isize) -> isize {
    if result >= 0 {
        return result;
    }
    let errno = match last_errno() {
        libc::EINTR | libc::EWOULDBLOCK => libc::EAGAIN,
        other => other,
    };
    isize::try_from(errno).map_or(-1, isize::saturating_neg)
}

/// Waits until the socket is ready for one of `interest`, at most `timeout`. A signal ends the wait early, with nothing
/// ready, and so does the end of the time: the caller looks at its clock.
pub fn wait(socket: c_int, interest: Readiness, timeout: Option<Duration>) -> io::Result<Readiness> {
    let mut entry = libc::pollfd { fd: socket, events: events(interest), revents: 0 };
    // SAFETY: `entry` is one live pollfd, as the count says.
    let ready = unsafe { libc::poll(&raw mut entry, 1, milliseconds(timeout)) };
    if ready < 0 {
        return match last_errno() {
            libc::EINTR => Ok(Readiness::default()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        };
    }
    if entry.revents & libc::POLLNVAL != 0 {
        // Bytes cannot be moved, unless the program has functions of its own for that: they are asked again in a while.
        pause(timeout);
        return Ok(interest);
    }
    let hung_up = entry.revents & (libc::POLLERR | libc::POLLHUP) != 0;
    Ok(Readiness {
        read: entry.revents & libc::POLLIN != 0 || hung_up,
        write: entry.revents & libc::POLLOUT != 0 || hung_up,
    })
}

/// Waits for nothing, a millisecond or `most`.
fn pause(most: Option<Duration>) {
    let pause = Duration::from_millis(1);
    std::thread::sleep(most.map_or(pause, |most| most.min(pause)));
}

const fn events(interest: Readiness) -> c_short {
    (if interest.read { libc::POLLIN } else { 0 }) | (if interest.write { libc::POLLOUT } else { 0 })
}

/// One of several sockets to wait for.
#[repr(transparent)]
pub struct Watch(libc::pollfd);

impl Watch {
    /// A socket of the program, with the events of `poll(2)`.
    pub const fn new(socket: c_int, events: c_short) -> Self {
        Self(libc::pollfd { fd: socket, events, revents: 0 })
    }

    /// A socket of a session.
    pub const fn of(socket: c_int, interest: Readiness) -> Self {
        Self::new(socket, events(interest))
    }

    /// What was found, as `poll(2)` says it.
    pub const fn found(&self) -> c_short {
        self.0.revents
    }
}

/// Waits until one of the sockets is ready, at most `timeout`. A signal ends the wait early, with nothing ready.
pub fn wait_for_any(watches: &mut [Watch], timeout: Option<Duration>) -> io::Result<()> {
    let count = libc::nfds_t::try_from(watches.len()).map_err(io::Error::other)?;
    // SAFETY: `Watch` is a pollfd, and there are so many.
    let ready = unsafe { libc::poll(watches.as_mut_ptr().cast(), count, milliseconds(timeout)) };
    if ready < 0 && last_errno() != libc::EINTR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Switches `O_NONBLOCK` and says whether it was on before.
pub fn set_nonblocking(socket: c_int, on: bool) -> io::Result<bool> {
    // SAFETY: F_GETFL takes no third argument and touches no memory.
    let flags = unsafe { libc::fcntl(socket, libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    let was_on = flags & libc::O_NONBLOCK != 0;
    if was_on != on {
        let wanted = if on { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
        // SAFETY: F_SETFL takes one int and touches no memory.
        if unsafe { libc::fcntl(socket, libc::F_SETFL, wanted) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(was_on)
}

/// A connection that moves whole messages or fails.
pub trait Stream {
    /// Sends all of `bytes`, until `deadline` at the latest.
    fn send_all(&self, bytes: &[u8], deadline: Option<Instant>) -> Result<()>;
    /// Fills all of `space`, until `deadline` at the latest.
    fn recv_all(&self, space: &mut [u8], deadline: Option<Instant>) -> Result<()>;
}

/// A connection to a program on this machine.
pub struct LocalStream(UnixStream);

impl LocalStream {
    /// Connects to the program that listens at `path`, until `deadline` at the latest: it may have more to accept than it
    /// cares for.
    pub fn connect(path: &[u8], deadline: Option<Instant>) -> Result<Self> {
        /// No time at all would be no bound.
        const LEAST: Duration = Duration::from_millis(1);
        let refused = |error| Error::new(Code::AgentProtocol, "Agent cannot be reached").about_file(path, &error);
        let stream = local_socket().map_err(refused)?;
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // The time to write bounds the time to connect as well, see socket(7).
            stream.set_write_timeout(left.map(|left| left.max(LEAST))).map_err(refused)?;
            match connect_local(&stream, path) {
                Ok(()) => return Ok(Self(stream)),
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) if left != Some(Duration::ZERO) => {}
                    Some(libc::EINTR | libc::EAGAIN) => return Err(late()),
                    _ => return Err(refused(error)),
                },
            }
        }
    }

    /// Waits until the socket is ready. Whatever it is ready for does not block then, not even on this blocking socket.
    fn ready(&self, interest: Readiness, deadline: Option<Instant>) -> Result<()> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let ready = wait(self.0.as_raw_fd(), interest, left)
                .map_err(|error| Error::new(Code::SocketRecv, "Waiting failed").with_io(&error))?;
            if ready.read || ready.write {
                return Ok(());
            }
            if left == Some(Duration::ZERO) {
                return Err(late());
            }
        }
    }
}

impl Stream for LocalStream {
    fn send_all(&self, mut bytes: &[u8], deadline: Option<Instant>) -> Result<()> {
        while !bytes.is_empty() {
            self.ready(Readiness { read: false, write: true }, deadline)?;
            let sent = send(self.0.as_raw_fd(), bytes, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT);
            let count = moved(sent).map_err(|error| failed(Code::SocketSend, &error))?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    fn recv_all(&self, mut space: &mut [u8], deadline: Option<Instant>) -> Result<()> {
        while !space.is_empty() {
            self.ready(Readiness { read: true, write: false }, deadline)?;
            let came = recv(self.0.as_raw_fd(), space, libc::MSG_DONTWAIT);
            if came == 0 {
                return Err(Error::new(Code::SocketRecv, "Agent hung up"));
            }
            let count = moved(came).map_err(|error| failed(Code::SocketRecv, &error))?;
            space = space.get_mut(count..).unwrap_or_default();
        }
        Ok(())
    }
}

/// A socket for [`connect_local`].
fn local_socket() -> io::Result<UnixStream> {
    // SAFETY: takes no memory.
    let descriptor = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it has just been opened, and nobody else knows it.
    Ok(unsafe { UnixStream::from_raw_fd(descriptor) })
}

/// [`UnixStream::connect`], on a socket that is there already.
fn connect_local(stream: &UnixStream, path: &[u8]) -> io::Result<()> {
    // SAFETY: it consists of numbers, which may be 0.
    let mut address: libc::sockaddr_un = unsafe { mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    // A NUL has to follow.
    if path.len() >= address.sun_path.len() {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    address.sun_path.iter_mut().zip(path).for_each(|(place, &byte)| *place = c_char::from_ne_bytes([byte]));
    let length = mem::offset_of!(libc::sockaddr_un, sun_path).saturating_add(path.len());
    let length = libc::socklen_t::try_from(length).map_err(io::Error::other)?;
    // SAFETY: `address` is alive and not shorter than `length`.
    match unsafe { libc::connect(stream.as_raw_fd(), (&raw const address).cast(), length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

const fn late() -> Error {
    Error::new(Code::Timeout, "Agent did not answer in time")
}

/// What `send` or `recv` has moved; nothing when it had to wait after all.
fn moved(outcome: isize) -> io::Result<usize> {
    match usize::try_from(outcome) {
        Ok(count) => Ok(count),
        Err(_) => match c_int::try_from(outcome.unsigned_abs()).unwrap_or(libc::EIO) {
            libc::EAGAIN => Ok(0),
            errno => Err(io::Error::from_raw_os_error(errno)),
        },
    }
}

fn failed(code: Code, error: &io::Error) -> Error {
    Error::new(code, "Talking to the agent failed").with_io(error)
}

/// A time as `poll(2)` takes it: rounded up, so that a wait never ends just before its time and then spins.
pub fn milliseconds(timeout: Option<Duration>) -> c_int {
    timeout.map_or(-1, |timeout| c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX))
}

impl Error {
    /// Adds why the system refused.
    #[must_use]
    pub fn with_io(self, error: &io::Error) -> Self {
        self.with_text(format_args!("{}", Told(error)))
    }
}

impl Error {
    /// Adds which file it is about, and why the system refused.
    #[must_use]
    pub fn about_file(self, path: &[u8], error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::OutOfMemory {
            return Self::alloc();
        }
        self.with_text(format_args!("{}: {}", Lossy(path), Told(error)))
    }
}

/// What an error says. The standard library's own words for a number take memory that cannot be refused.
pub struct Told<'a>(pub &'a io::Error);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(errno) = self.0.raw_os_error() else { return fmt::Display::fmt(self.0, f) };
        let mut space = [0_u8; 128];
        // SAFETY: the pointer and the length are those of a live array; `strerror_r` writes only within it.
        unsafe { libc::strerror_r(errno, space.as_mut_ptr().cast(), space.len()) };
        let text = CStr::from_bytes_until_nul(&space).ok().and_then(|text| text.to_str().ok());
        write!(f, "{} (os error {errno})", text.unwrap_or("unknown error"))
    }
}

/// The bytes of a file, or nothing if it has more than `most`.
pub fn read_file(path: &[u8], most: usize) -> io::Result<Option<Vec<u8>>> {
    const LEAST_ROOM: usize = 4096;
    let mut file = open(path, libc::O_RDONLY)?;
    // All of it at once, and room to see its end: no growing leaves a copy of a key behind.
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let first = size.min(most).saturating_add(1).max(LEAST_ROOM);
    let (mut contents, mut length) = (memory::filled(first, 0).map_err(|_| io::ErrorKind::OutOfMemory)?, 0_usize);
    while length <= most {
        if length == contents.len() {
            memory::extend(&mut contents, length.saturating_mul(2)).map_err(|_| io::ErrorKind::OutOfMemory)?;
        }
        match file.read(contents.get_mut(length..).unwrap_or_default()) {
            Ok(0) => {
                contents.truncate(length);
                return Ok(Some(contents));
            }
            Ok(count) => length = length.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Makes `contents` all that the file holds.
pub fn write_file(path: &[u8], contents: &[u8]) -> io::Result<()> {
    open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC)?.write_all(contents)
}

/// [`File::open`], whose memory for a long path cannot be refused.
fn open(path: &[u8], flags: c_int) -> io::Result<File> {
    const MODE: libc::c_uint = 0o666;
    let path = memory::c_string(path).map_err(|_| io::ErrorKind::OutOfMemory)?;
    loop {
        // SAFETY: `path` is terminated.
        let descriptor = unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, MODE) };
        if descriptor >= 0 {
            // SAFETY: it has just been opened, and nobody else knows it.
            return Ok(unsafe { File::from_raw_fd(descriptor) });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn last_errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_local_stream_moves_all_and_ends_in_time() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (ours, mut space) = (LocalStream(ours), vec![0; 300_000]);
        let soon = || Instant::now().checked_add(Duration::from_millis(20));
        assert_eq!(ours.recv_all(&mut space, soon()).unwrap_err().code, Code::Timeout);
        assert_eq!(ours.send_all(&vec![1; 10_000_000], soon()).unwrap_err().code, Code::Timeout);
        let feeder = std::thread::spawn(move || {
            let mut theirs = theirs;
            for piece in [1, 99_999, 200_000] {
                theirs.write_all(&vec![7; piece]).unwrap();
            }
        });
        ours.recv_all(&mut space, None).unwrap();
        assert!(space.iter().all(|&byte| byte == 7));
        feeder.join().unwrap();
        assert_eq!(ours.recv_all(&mut space, None).unwrap_err().code, Code::SocketRecv);
        assert_eq!(ours.send_all(b"x", None).unwrap_err().code, Code::SocketSend);
    }

    #[test]
    fn connecting_ends_in_time() {
        let path = std::env::temp_dir().join(format!("libssh2-rs-io-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: takes no memory.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let soon = || Instant::now().checked_add(Duration::from_millis(100));
        let connect = |deadline| LocalStream::connect(path.as_os_str().as_bytes(), deadline);
        let (first, begun) = (connect(soon()).ok().unwrap(), Instant::now());
        assert_eq!(connect(soon()).err().unwrap().code, Code::Timeout);
        assert!((50..5000).contains(&begun.elapsed().as_millis()));
        assert_eq!(connect(Some(begun)).err().unwrap().code, Code::Timeout);
        // Who is accepted makes room.
        let (mut theirs, _) = listener.accept().unwrap();
        connect(None).ok().unwrap();
        first.send_all(b"x", soon()).unwrap();
        theirs.read_exact(&mut [0]).unwrap();
        std::fs::remove_file(&path).unwrap();
        for path in [&b"/nonexistent/socket"[..], &[b'x'; 200], &[b'x'; 107], b""] {
            assert_eq!(LocalStream::connect(path, soon()).err().unwrap().code, Code::AgentProtocol);
        }
    }

    #[test]
    fn would_block_and_end_of_stream_are_told_apart() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        assert!(!set_nonblocking(ours.as_raw_fd(), true).unwrap());
        assert!(set_nonblocking(ours.as_raw_fd(), true).unwrap());
        let mut space = [0; 8];
        assert_eq!(recv(ours.as_raw_fd(), &mut space, 0), -(libc::EAGAIN as isize));
        assert_eq!(send(theirs.as_raw_fd(), b"abc", libc::MSG_NOSIGNAL), 3);
        let both = Readiness { read: true, write: true };
        assert_eq!(wait(ours.as_raw_fd(), both, None).unwrap(), both);
        assert_eq!(recv(ours.as_raw_fd(), &mut space, 0), 3);
        drop(theirs);
        assert_eq!(recv(ours.as_raw_fd(), &mut space, 0), 0);
        assert_eq!(send(ours.as_raw_fd(), b"abc", libc::MSG_NOSIGNAL), -(libc::EPIPE as isize));
    }

    #[test]
    fn a_wait_ends_in_time_and_a_bad_descriptor_is_an_error() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let read = Readiness { read: true, write: false };
        let ready = wait(ours.as_raw_fd(), read, Some(Duration::from_millis(5))).unwrap();
        assert_eq!(ready, Readiness::default());
        assert!(wait(-5, read, Some(Duration::ZERO)).is_ok(), "poll ignores negative descriptors");
        assert!(set_nonblocking(-1, true).is_err());
    }
}
