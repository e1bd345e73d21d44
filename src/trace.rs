//! What `libssh2_trace` shows: lines about what happens, kept until the program can be told. Secrets never come here:
//! only types, numbers, names and sizes are told, and of a login no more than its user and its method.
#![forbid(unsafe_code)]

use std::fmt::Arguments;

use crate::error::Result;
use crate::memory::{self, Add};

/// Lines that may wait to be told; more that come in one breath are counted only.
const MOST_WAITING: usize = 4096;

/// Defines the numbers of a protocol, and `name`, which gives the name behind one.
macro_rules! numbers {
    ($($name:ident = $number:expr;)*) => {
        $(pub const $name: u8 = $number;)*

        /// The name behind the number.
        pub const fn name(number: u8) -> Option<&'static str> {
            match number {
                $($name => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}
pub(crate) use numbers;

/// What a line is about: a bit of the mask, as `LIBSSH2_TRACE_*` have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Topic {
    /// Packets of the transport.
    Transport = 1 << 1,
    /// The key exchange.
    Kex = 1 << 2,
    /// The login.
    Auth = 1 << 3,
    /// Channels and what else belongs to the connection protocol.
    Connection = 1 << 4,
    /// SCP.
    Scp = 1 << 5,
    /// SFTP.
    Sftp = 1 << 6,
    /// What calls fail with.
    Error = 1 << 7,
    /// The publickey subsystem.
    Publickey = 1 << 8,
    /// Bytes through the socket.
    Socket = 1 << 9,
}

impl Topic {
    /// What stands in front of the text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Kex => "key exchange",
            Self::Auth => "login",
            Self::Connection => "connection",
            Self::Scp => "scp",
            Self::Sftp => "sftp",
            Self::Error => "failure",
            Self::Publickey => "publickey",
            Self::Socket => "socket",
        }
    }
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub topic: Topic,
    /// What it says.
    pub text: Vec<u8>,
}

/// The lines that the program has not been told.
#[derive(Debug, Default)]
pub struct Trace {
    mask: u32,
    lines: Vec<Line>,
    left_out: usize,
}

impl Trace {
    /// Traces the topics of `mask` from now on, and no others.
    pub const fn set(&mut self, mask: u32) {
        self.mask = mask;
    }

    /// Whether anything is traced.
    pub const fn is_on(&self) -> bool {
        self.mask != 0
    }

    /// Adds a line, if its topic is traced. One for which there is no memory is left out.
    pub fn say(&mut self, topic: Topic, text: Arguments<'_>) {
        if self.mask & topic as u32 == 0 {
            return;
        }
        if self.lines.len() >= MOST_WAITING || self.add(topic, text).is_err() {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    fn add(&mut self, topic: Topic, text: Arguments<'_>) -> Result<()> {
        let text = memory::text(text)?;
        self.lines.add(Line { topic, text })
    }

    /// The lines since this was asked last.
    pub fn take(&mut self) -> Vec<Line> {
        match std::mem::take(&mut self.left_out) {
            0 => {}
            count => {
                let _no_memory = self.add(Topic::Error, format_args!("{count} lines of the trace are left out"));
            }
        }
        std::mem::take(&mut self.lines)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fmt::{self, Display, Formatter};

    use super::*;

    #[test]
    fn only_what_is_asked_for_is_kept() {
        let mut trace = Trace::default();
        trace.say(Topic::Sftp, format_args!("nothing"));
        assert!(!trace.is_on() && trace.take().is_empty());
        trace.set(Topic::Sftp as u32 | Topic::Kex as u32);
        trace.say(Topic::Socket, format_args!("nothing"));
        trace.say(Topic::Kex, format_args!("number {}", 5));
        assert_eq!(trace.take(), [Line { topic: Topic::Kex, text: b"number 5".to_vec() }]);
        assert!(trace.is_on() && trace.take().is_empty());
    }

    /// What costs, the making of the text, is done for nobody.
    #[test]
    fn what_is_off_costs_nothing() {
        struct Dear<'a>(&'a Cell<usize>);
        impl Display for Dear<'_> {
            fn fmt(&self, _: &mut Formatter<'_>) -> fmt::Result {
                self.0.set(self.0.get() + 1);
                Ok(())
            }
        }
        let (mut trace, made) = (Trace::default(), Cell::new(0));
        trace.say(Topic::Socket, format_args!("{}", Dear(&made)));
        trace.set(Topic::Kex as u32);
        trace.say(Topic::Socket, format_args!("{}", Dear(&made)));
        assert_eq!((made.get(), trace.lines.capacity()), (0, 0));
        trace.say(Topic::Kex, format_args!("{}", Dear(&made)));
        assert_eq!(made.get(), 1);
    }

    #[test]
    fn a_flood_is_counted() {
        let mut trace = Trace::default();
        trace.set(u32::MAX);
        for _ in 0..MOST_WAITING + 7 {
            trace.say(Topic::Socket, format_args!("1 byte"));
        }
        let lines = trace.take();
        assert_eq!(lines.len(), MOST_WAITING + 1);
        assert!(lines.last().unwrap().text.starts_with(b"7 lines"));
        assert!(trace.take().is_empty());
    }
}
