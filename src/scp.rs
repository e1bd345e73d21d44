//! SCP, the protocol of `rcp` over a channel: one file, whose bytes the program then reads or writes itself.
//!
//! The other side is the program `scp` on the server, started through the user's shell. Every line of the one side is
//! answered by a byte of the other: 0, or 1 or 2 and a line that says what went wrong.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::task::{Poll, ready};

use crate::channel::{Channel, ChannelId, MAIN, Opening, Request};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add, copy};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::trace::Topic;
use crate::transport::Tx;
use crate::wire::Put;

/// Longest line of the other side.
const LONGEST_LINE: usize = 64 * 1024;
/// `SSH_EXTENDED_DATA_STDERR`, where shells say that they have no `scp`.
const STDERR: u32 = 1;

/// A file on the server that is about to be received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Permissions.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// Last modification and last access in seconds since 1970, if they were asked for.
    pub times: (i64, i64),
}

/// What this side has to say, and what it hears.
pub trait Dialog: Sized + 'static {
    /// What it ends with.
    type Out;

    /// Goes on as far as what has arrived allows; `None` when more is needed.
    fn go_on(&mut self, channel: &mut Channel, tx: &mut Tx) -> Result<Option<Self::Out>>;

    /// The server does not start `scp`: what the program is told.
    fn not_started(error: Error) -> Error {
        error
    }
}

/// Opens a channel, starts `scp` on it and talks with it up to the first byte of the file: ready with the channel.
pub struct Setup<D> {
    command: Vec<u8>,
    dialog: D,
    stage: Stage,
}

enum Stage {
    Opening(Opening),
    Starting(ChannelId, Request),
    Talking(ChannelId, Patience),
}

/// Receives a file.
pub struct Fetch {
    greeted: bool,
    stat: Stat,
}

/// Sends a file.
pub struct Store {
    /// What is to be said, each line after the answer to the one before.
    lines: VecDeque<Vec<u8>>,
    size: u64,
}

impl Setup<Fetch> {
    /// Begins to receive the file at `path`, and to ask for its times if `wants_times`.
    pub fn fetch(session: &mut Session, path: &[u8], wants_times: bool) -> Result<Self> {
        let options: &[u8] = if wants_times { b"-pf" } else { b"-f" };
        Self::begin(session, options, path, Fetch { greeted: false, stat: Stat::default() })
    }
}

impl Setup<Store> {
    /// Begins to send a file of `size` bytes to `path`. Times that are not both 0 are set.
    pub fn store(session: &mut Session, path: &[u8], stat: &Stat) -> Result<Self> {
        let mut lines = VecDeque::new();
        let (modified, accessed) = stat.times;
        let sets_times = stat.times != (0, 0);
        if sets_times {
            lines.add(memory::text(format_args!("T{modified} 0 {accessed} 0\n"))?)?;
        }
        let mut line = memory::text(format_args!("C0{:o} {} ", stat.mode & 0o7777, stat.size))?;
        line.put(&base_name(path)?)?;
        line.put(b"\n")?;
        lines.add(line)?;
        Self::begin(session, if sets_times { b"-pt" } else { b"-t" }, path, Store { lines, size: stat.size })
    }
}

impl<D> Setup<D> {
    fn begin(session: &mut Session, options: &[u8], path: &[u8], dialog: D) -> Result<Self> {
        let mut command = copy(b"scp ")?;
        command.put(options)?;
        command.put(b" ")?;
        if session.settings.quotes_paths {
            quote(&mut command, path)?
        } else {
            command.put(path)?
        }
        Ok(Self { command, dialog, stage: Stage::Opening(Opening::default(session, b"session", &[])?) })
    }
}

impl<D: Dialog> Setup<D> {
    fn step(&mut self, session: &mut Session) -> Poll<Result<(ChannelId, D::Out)>> {
        loop {
            self.stage = match &mut self.stage {
                Stage::Opening(opening) => {
                    let channel = ready!(opening.poll(session))?;
                    Stage::Starting(channel, Request::startup(session, channel, b"exec", Some(&self.command))?)
                }
                Stage::Starting(channel, request) => {
                    ready!(request.poll(session)).map_err(D::not_started)?;
                    Stage::Talking(*channel, session.patience())
                }
                Stage::Talking(id, patience) => {
                    let id = *id;
                    let pumped = session.pump();
                    let channel = session.channels.get(id)?;
                    match self.dialog.go_on(channel, &mut session.transport.tx) {
                        Ok(Some(out)) => return Poll::Ready(Ok((id, out))),
                        Ok(None) => {}
                        // It has gone without listening: its last words tell why.
                        Err(error) if error.code == Code::ChannelClosed => {}
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                    if channel.has_ended() {
                        let words = last_words(channel, &mut session.transport.tx)?;
                        return Poll::Ready(Err(protocol("Server's scp has ended").with(words)));
                    }
                    pumped?;
                    return session.await_reply(patience);
                }
            }
        }
    }
}

impl<D: Dialog> Op for Setup<D> {
    type Out = (ChannelId, D::Out);

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Self::Out>> {
        let polled = self.step(session);
        if matches!(polled, Poll::Ready(Err(_))) {
            self.abandon(session);
        }
        polled
    }

    /// The channel is closed without anybody waiting for that.
    fn abandon(&mut self, session: &mut Session) {
        match &mut self.stage {
            Stage::Opening(opening) => opening.abandon(session),
            Stage::Starting(channel, _) | Stage::Talking(channel, _) => {
                let _dead = session.channels.abandon(*channel, &mut session.transport.tx);
            }
        }
    }
}

impl Dialog for Fetch {
    type Out = Stat;

    fn go_on(&mut self, channel: &mut Channel, tx: &mut Tx) -> Result<Option<Stat>> {
        if !std::mem::replace(&mut self.greeted, true) {
            channel.send_stream(tx, &[0], &[])?;
        }
        while let Some(line) = line(channel, tx)? {
            let is_last = self.hear(&line)?;
            channel.send_stream(tx, &[0], &[])?;
            if is_last {
                return Ok(Some(self.stat));
            }
        }
        Ok(None)
    }
}

impl Fetch {
    /// Takes in a line: whether the file's bytes follow.
    fn hear(&mut self, line: &[u8]) -> Result<bool> {
        let malformed = || protocol("Server's scp sent a line that makes no sense");
        let (kind, rest) = line.split_first().ok_or_else(malformed)?;
        let mut words = rest.splitn(if *kind == b'C' { 3 } else { 4 }, |&byte| byte == b' ');
        let mut number = |radix| words.next().and_then(|word| number(word, radix)).ok_or_else(malformed);
        match kind {
            b'T' => {
                let modified = number(10)?;
                number(10)?;
                self.stat.times = (modified, number(10)?);
                Ok(false)
            }
            b'C' => {
                self.stat.mode = u32::try_from(number(8)?).map_err(|_| malformed())?;
                self.stat.size = u64::try_from(number(10)?).map_err(|_| malformed())?;
                Ok(true)
            }
            1 | 2 => Err(protocol("Server's scp failed").with(rest)),
            _ => Err(malformed()),
        }
    }
}

impl Dialog for Store {
    type Out = ();

    fn not_started(error: Error) -> Error {
        Request::not_started(Code::ScpProtocol)(error)
    }

    fn go_on(&mut self, channel: &mut Channel, tx: &mut Tx) -> Result<Option<()>> {
        loop {
            match channel.peek() {
                None => return Ok(None),
                Some(0) => {
                    channel.read_text(MAIN, 1, tx)?;
                }
                Some(_) => {
                    let Some(line) = line(channel, tx)? else { return Ok(None) };
                    return Err(protocol("Server's scp failed").with(line.get(1..).unwrap_or_default()));
                }
            }
            match self.lines.pop_front() {
                Some(line) => {
                    let shown = line.trim_ascii_end().escape_ascii();
                    tx.trace.say(Topic::Scp, format_args!("sent \"{shown}\""));
                    channel.send_stream(tx, &line, &[])?;
                }
                None => {
                    channel.expect_file(self.size);
                    return Ok(Some(()));
                }
            }
        }
    }
}

/// The next line without its end, if all of it has arrived.
fn line(channel: &mut Channel, tx: &mut Tx) -> Result<Option<Vec<u8>>> {
    match channel.find(b'\n') {
        Some(length) if length < LONGEST_LINE => {
            let mut line = channel.read_text(MAIN, length.saturating_add(1), tx)?;
            line.pop();
            tx.trace.say(Topic::Scp, format_args!("received \"{}\"", line.escape_ascii()));
            Ok(Some(line))
        }
        None if channel.unread(crate::channel::Wanted::Stream(MAIN)) < LONGEST_LINE => Ok(None),
        _ => Err(protocol("Server's scp sent a line without end")),
    }
}

/// What it said before it went: in the middle of a line, or to whoever looks at its standard error.
fn last_words(channel: &mut Channel, tx: &mut Tx) -> Result<Vec<u8>> {
    let mut words = channel.read_text(MAIN, LONGEST_LINE, tx)?;
    words.retain(|byte| !matches!(byte, 0..=2));
    if words.trim_ascii().is_empty() { channel.read_text(STDERR, LONGEST_LINE, tx) } else { Ok(words) }
}

fn number(word: &[u8], radix: u32) -> Option<i64> {
    i64::from_str_radix(std::str::from_utf8(word).ok()?, radix).ok()
}

const fn protocol(text: &'static str) -> Error {
    Error::new(Code::ScpProtocol, text)
}

/// The last part of a path, as a line of the protocol can have it: the end of a line is written as OpenSSH writes it.
fn base_name(path: &[u8]) -> Result<Vec<u8>> {
    let name = path.split(|&byte| byte == b'/').rfind(|part| !part.is_empty()).unwrap_or_default();
    let mut encoded = Vec::new();
    for &byte in name {
        encoded.put(if byte == b'\n' { b"\\^J" } else { std::slice::from_ref(&byte) })?;
    }
    Ok(encoded)
}

/// Appends `path` so that a shell takes it as it is: in single quotes, a single quote in double ones; an exclamation
/// mark behind a backslash, since the C shell expands it even in quotes. What looks like an option is made none.
fn quote(command: &mut Vec<u8>, path: &[u8]) -> Result<()> {
    if path.starts_with(b"-") {
        command.put(b"./")?;
    }
    let mut rest = path;
    while let Some(&first) = rest.first() {
        let is_special = |byte| matches!(byte, b'\'' | b'!');
        let end = rest.iter().position(|&byte| if is_special(first) { byte != first } else { is_special(byte) });
        let (run, behind) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
        match first {
            b'!' => run.iter().try_for_each(|_| command.put(b"\\!"))?,
            quoted => {
                let mark: &[u8] = if quoted == b'\'' { b"\"" } else { b"'" };
                command.put(mark)?;
                command.put(run)?;
                command.put(mark)?;
            }
        }
        rest = behind;
    }
    if path.is_empty() { command.put(b"''") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(path: &str) -> String {
        let mut command = Vec::new();
        quote(&mut command, path.as_bytes()).unwrap();
        String::from_utf8(command).unwrap()
    }

    #[test]
    fn paths_are_quoted_for_the_shell() {
        assert_eq!(quoted("plain"), "'plain'");
        assert_eq!(quoted("two words\n$x"), "'two words\n$x'");
        assert_eq!(quoted("it's"), "'it'\"'\"'s'");
        assert_eq!(quoted("''wow!!"), "\"''\"'wow'\\!\\!");
        assert_eq!(quoted("'!'"), "\"'\"\\!\"'\"");
        assert_eq!(quoted("-rf"), "./'-rf'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_shell_takes_quoted_paths_as_they_are() {
        for path in ["a b", "it's", "''", "!!'!", "$HOME `ls` \\", "new\nline", "\"", "*?[", "~", "-n"] {
            let script = format!("printf %s {}", quoted(path));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let heard = String::from_utf8(output.stdout).unwrap();
            assert_eq!(heard.strip_prefix("./").unwrap_or(&heard), path);
        }
    }

    #[test]
    fn lines_of_the_server_are_understood_or_refused() {
        let hear = |line: &[u8]| {
            let mut fetch = Fetch { greeted: true, stat: Stat::default() };
            fetch.hear(line).map(|last| (last, fetch.stat))
        };
        let stat = Stat { mode: 0o644, size: 5_000_000_000, times: (0, 0) };
        assert_eq!(hear(b"C0644 5000000000 a name"), Ok((true, stat)));
        assert_eq!(hear(b"T12 0 -34 0"), Ok((false, Stat { times: (12, -34), ..Stat::default() })));
        let refused = hear(b"\x01scp: x: No such file or directory").unwrap_err();
        assert_eq!(refused.code, Code::ScpProtocol);
        assert_eq!(refused.to_string(), "Server's scp failed: scp: x: No such file or directory");
        for line in
            [&b""[..], b"C0644", b"C0644 ", b"C0644 -1 x", b"C9 1 x", b"C-1 1 x", b"Tx", b"T1 0", b"D0755 0 d", b"E"]
        {
            assert!(hear(line).is_err(), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn the_name_in_a_line_is_one_line() {
        assert_eq!(base_name(b"/a/b/c d").unwrap(), b"c d");
        assert_eq!(base_name(b"dir/").unwrap(), b"dir");
        assert_eq!(base_name(b"a\nb").unwrap(), b"a\\^Jb");
        assert_eq!(base_name(b"/").unwrap(), b"");
    }
}
