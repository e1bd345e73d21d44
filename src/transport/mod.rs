//! The transport, RFC 4253: bytes in, packets out.
//!
//! Whoever owns it moves bytes between the socket and the two queues, and asks for packets until there are no more;
//! identification, key exchanges and all that belongs to the transport alone happen in between and never show above.
#![forbid(unsafe_code)]

mod buffer;
pub mod cipher;
pub mod compress;
mod event;
pub mod host_key;
mod ident;
pub mod kex;
pub mod message;
pub mod negotiate;
mod packet;
mod trace;
mod usage;

use std::ffi::CStr;
use std::ops::Range;
use std::time::{Duration, Instant};

pub use self::buffer::Buffer;
use self::cipher::Opener;
use self::compress::CompressionAlgorithm;
pub use self::event::Event;
use self::event::Events;
use self::ident::{Found, IdentReader};
use self::kex::{AwaitReply, Begun, Step, Transcript};
use self::negotiate::{Agreement, MethodType, Preferences};
pub use self::packet::{Mark, Rx, Tx};
pub use self::usage::RekeyLimits;
use crate::crypto;
use crate::error::{Code, Error, Lossy, Result};
use crate::memory;
use crate::trace::Topic;
use crate::wire::{Put, Reader, names};

/// What servers know us by; some look at the name to work around faults of old clients.
pub const DEFAULT_IDENT: &CStr = c"SSH-2.0-libssh2_1.11.2";
/// Extensions in one `SSH_MSG_EXT_INFO` before the peer is taken for hostile.
const MOST_EXTENSIONS: u32 = 1024;

/// How far the connection has come.
enum Phase {
    /// No byte has been sent.
    Idle,
    /// The server's identification is awaited; our KEXINIT has left with our own identification.
    Ident(IdentReader),
    /// Packets flow.
    Packets,
}

/// Where the key exchange stands.
enum Kex {
    /// None is under way.
    Idle,
    /// Our KEXINIT has left, that of the server is awaited.
    AwaitInit { client_kexinit: Vec<u8>, offered: Box<Preferences> },
    /// A packet of the method has left, the server's reply is awaited. `skip` if a wrong guess of the server comes first.
    AwaitReply { state: Box<AwaitReply>, skip: bool },
    /// Our new keys are in use, those of the server begin with its NEWKEYS.
    AwaitNewKeys { opener: Box<Opener> },
}

/// How long the server may be silent in a later key exchange.
struct Silence {
    until: Instant,
    /// See [`Transport::heard`].
    heard: u64,
}

/// One connection below everything that has a meaning to the program.
pub struct Transport {
    /// The outgoing half.
    pub tx: Tx,
    rx: Rx,
    phase: Phase,
    kex: Kex,
    /// What the program wants offered.
    pub preferences: Preferences,
    /// How long the keys of one exchange may be used.
    pub rekey_limits: RekeyLimits,
    /// When the keys in use were first seen to be; `None` until somebody looks at the clock.
    keyed: Option<Instant>,
    silence: Option<Silence>,
    heard: u64,
    client_ident: Vec<u8>,
    server_ident: Vec<u8>,
    agreement: Option<Agreement>,
    session_id: Option<crypto::Digest>,
    /// The first key exchange is over on both sides.
    established: bool,
    /// The user is logged in.
    logged_in: bool,
    /// Strict key exchange was agreed on, OpenSSH's PROTOCOL section 1.10.
    strict: bool,
    host_key: Vec<u8>,
    /// When the connection began, in seconds since 1970: what is good then stays good as long as it lasts.
    time: u64,
    server_sig_algs: Option<Vec<u8>>,
    events: Events,
    failed: Option<Error>,
}

impl Transport {
    /// A transport that has not begun to talk.
    pub fn new() -> Result<Self> {
        Ok(Self {
            tx: Tx::default(),
            rx: Rx::default(),
            phase: Phase::Idle,
            kex: Kex::Idle,
            preferences: Preferences::new()?,
            rekey_limits: RekeyLimits::default(),
            keyed: None,
            silence: None,
            heard: 0,
            client_ident: memory::copy(DEFAULT_IDENT.to_bytes())?,
            server_ident: Vec::new(),
            agreement: None,
            session_id: None,
            established: false,
            logged_in: false,
            strict: false,
            host_key: Vec::new(),
            time: 0,
            server_sig_algs: None,
            events: Events::default(),
            failed: None,
        })
    }

    /// A transport whose first key exchange is over, and that encrypts nothing.
    #[cfg(any(test, fuzzing))]
    pub fn connected() -> Result<Self> {
        Ok(Self { phase: Phase::Packets, established: true, ..Self::new()? })
    }

    /// The identification to send instead of the default one; empty for the default.
    pub fn set_ident(&mut self, ident: &[u8]) -> Result<()> {
        if self.is_started() {
            // Every key exchange hashes what was sent.
            return Ok(());
        }
        self.client_ident = memory::copy(if ident.is_empty() { DEFAULT_IDENT.to_bytes() } else { ident })?;
        Ok(())
    }

    /// Queues identification and KEXINIT, which leave together. It is `time` now, in seconds since 1970.
    pub fn start(&mut self, time: u64) -> Result<()> {
        self.time = time;
        let ident = self.client_ident.escape_ascii();
        self.tx.trace.say(Topic::Transport, format_args!("we are {ident}"));
        self.phase = Phase::Ident(IdentReader::default());
        let begun = self
            .tx
            .send_raw(&self.client_ident)
            .and_then(|()| self.tx.send_raw(b"\r\n"))
            .and_then(|()| self.begin_kex());
        begun.map_err(|error| self.fail(error))
    }

    /// Whether [`Transport::start`] has been called.
    pub const fn is_started(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    /// Whether the first key exchange is over, so that the layers above may talk.
    pub const fn is_established(&self) -> bool {
        self.established
    }

    /// The user is logged in: what waits for that begins with the next packet of each direction.
    pub fn on_login(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.logged_in, true) {
            return Ok(());
        }
        let Some(Agreement { cs, sc, .. }) = &self.agreement else { return Ok(()) };
        if cs.compression.algorithm == CompressionAlgorithm::ZlibAfterLogin {
            self.tx.compress(cs.compression.algorithm.deflater(true)?);
        }
        if sc.compression.algorithm == CompressionAlgorithm::ZlibAfterLogin {
            self.rx.decompress(sc.compression.algorithm.inflater(true)?);
        }
        Ok(())
    }

    /// Begins another key exchange if the keys in use have done enough, by what has gone over them or by their age. In
    /// one that is under way the server may be silent for `patience`, see [`Transport::check_silence`].
    pub fn tend_keys(&mut self, now: Instant, patience: Duration) -> Result<()> {
        if self.failed.is_some() || !self.established {
            return Ok(());
        }
        if !matches!(self.kex, Kex::Idle) {
            let heard = self.heard();
            if self.silence.as_ref().is_none_or(|silence| silence.heard != heard) {
                self.silence = now.checked_add(patience).map(|until| Silence { until, heard });
            }
            return Ok(());
        }
        self.silence = None;
        self.keyed.get_or_insert(now);
        let (sent, received) = (self.tx.usage(), self.rx.usage());
        let old = self.keys_want_tending().is_some_and(|due| due <= now);
        if old || self.rekey_limits.are_reached(sent) || self.rekey_limits.are_reached(received) {
            self.begin_kex().map_err(|error| self.fail(error))?;
        }
        Ok(())
    }

    /// Ends the connection if the server has been silent for too long in a key exchange. To be asked when all that it has
    /// said has been handled.
    pub fn check_silence(&mut self, now: Instant) -> Result<()> {
        if self.silence.as_ref().is_none_or(|silence| silence.until > now || silence.heard != self.heard()) {
            return Ok(());
        }
        Err(self.fail(Error::new(Code::Timeout, "Server did not go on with the key exchange in time")))
    }

    /// How often the server has gone on: by its identification, and by packets, but not by those that any number may be sent
    /// of and that mean nothing. With them a server could go on for ever.
    pub const fn heard(&self) -> u64 {
        self.heard
    }

    /// When [`Transport::tend_keys`] has something to do, unless something else happens before. Never if nothing has gone
    /// over the keys.
    pub fn keys_want_tending(&self) -> Option<Instant> {
        if !matches!(self.kex, Kex::Idle) {
            return self.silence.as_ref().map(|silence| silence.until);
        }
        let idle = self.tx.usage().is_unused() && self.rx.usage().is_unused();
        if idle { None } else { self.keyed?.checked_add(self.rekey_limits.age) }
    }

    /// The next packet for the layers above, if one has arrived whole: where its payload lies, see
    /// [`Transport::split`]. After an error, the same error again.
    pub fn packet(&mut self) -> Result<Option<Range<usize>>> {
        self.check()?;
        self.advance().map_err(|error| {
            if let Some(packet) = self.rx.take_forged() {
                // The connection ends in any case.
                let _no_memory = self.events.push(Event::MacError(packet));
            }
            self.fail(error)
        })
    }

    /// Whether something has happened.
    pub const fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// What has happened since this was asked last.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.take()
    }

    /// The payload that [`Transport::packet`] found, and the half that answers it.
    pub fn split(&mut self, payload: Range<usize>) -> (&[u8], &mut Tx) {
        (self.rx.payload(payload), &mut self.tx)
    }

    /// Answers a packet that no layer knows, RFC 4253 section 11.4.
    pub fn unimplemented(&mut self) -> Result<()> {
        let number = self.rx.sequence().wrapping_sub(1).to_be_bytes();
        self.tx.send(&[&[message::UNIMPLEMENTED], &number])
    }

    /// Lends the outgoing bytes; they must be given back before anything else is queued.
    pub fn lend_outgoing(&mut self) -> Buffer {
        std::mem::take(self.tx.queue())
    }

    /// Takes the outgoing bytes back, of which the socket has taken `taken`.
    pub fn return_outgoing(&mut self, queue: Buffer, taken: usize) {
        self.tx.give_back(queue, taken);
    }

    /// Lends the incoming queue, with room for what the socket has.
    pub fn lend_incoming(&mut self) -> Result<Buffer> {
        self.rx.make_room()?;
        Ok(std::mem::take(self.rx.queue()))
    }

    /// Takes the incoming queue back, into whose space `came` bytes were put.
    pub fn return_incoming(&mut self, mut queue: Buffer, came: usize) {
        if came > 0 {
            self.tx.trace.say(Topic::Socket, format_args!("received {came} bytes"));
        }
        queue.commit(came);
        *self.rx.queue() = queue;
    }

    /// Ends the connection because the peer has closed it.
    pub fn lost(&mut self) -> Error {
        let code = if matches!(self.phase, Phase::Packets) { Code::SocketRecv } else { Code::SocketDisconnect };
        self.fail(Error::new(code, "Server closed the connection without a word"))
    }

    /// The error that ended the connection, if it has.
    pub fn check(&self) -> Result<()> {
        self.failure().map_or(Ok(()), |error| Err(error.copy()))
    }

    /// The error that ended the connection, if it has ended.
    pub fn failure(&self) -> Option<&Error> {
        self.failed.as_ref().or(self.tx.failure())
    }

    /// Ends the connection with `error`, unless it has ended before: what every later call reports.
    pub fn fail(&mut self, error: Error) -> Error {
        let error = self.fold(error);
        self.failed.get_or_insert(error).copy()
    }

    /// The server's identification line.
    pub fn server_ident(&self) -> &[u8] {
        &self.server_ident
    }

    /// The hash of the first key exchange.
    pub fn session_id(&self) -> &[u8] {
        self.session_id.as_ref().map(AsRef::as_ref).unwrap_or_default()
    }

    /// The server's public key blob; empty before the first key exchange.
    pub fn host_key(&self) -> &[u8] {
        &self.host_key
    }

    /// The algorithms in use.
    pub fn method_name(&self, kind: MethodType) -> Option<&'static CStr> {
        self.agreement.as_ref().and_then(|agreement| agreement.name(kind))
    }

    /// The server's `server-sig-algs`, RFC 8308 section 3.1: `None` if it sent none.
    pub fn server_sig_algs(&self) -> Option<impl Iterator<Item = &[u8]>> {
        self.server_sig_algs.as_deref().map(names)
    }

    /// C callers know failures of the first key exchange under two codes, by how far it had come; the text tells more.
    fn fold(&self, mut error: Error) -> Error {
        let keeps_its_code = matches!(error.code, Code::Alloc | Code::KexFailure | Code::KeyExchangeFailure);
        if !keeps_its_code && matches!(self.phase, Phase::Packets) && !self.established {
            error.code =
                if matches!(self.kex, Kex::AwaitInit { .. }) { Code::KexFailure } else { Code::KeyExchangeFailure };
        }
        error
    }

    fn advance(&mut self) -> Result<Option<Range<usize>>> {
        match &mut self.phase {
            Phase::Idle => return Ok(None),
            Phase::Ident(reader) => {
                let input = self.rx.queue();
                let consumed = match reader.read(input.filled())? {
                    Found::NotYet { consumed } => {
                        input.consume(consumed);
                        return Ok(None);
                    }
                    Found::Ident { line, consumed } => {
                        self.server_ident.put(line)?;
                        let line = self.server_ident.escape_ascii();
                        self.tx.trace.say(Topic::Transport, format_args!("server is {line}"));
                        consumed
                    }
                };
                input.consume(consumed);
                self.phase = Phase::Packets;
                self.heard = self.heard.wrapping_add(1);
            }
            Phase::Packets => {}
        }
        while let Some(payload) = self.rx.packet()? {
            let Range { start, end } = payload;
            trace::show(&mut self.tx.trace, "received", &[self.rx.payload(start..end)]);
            if self.tx.overflows() {
                return Err(Error::new(Code::SocketSend, "Server asks for answers and does not take them"));
            }
            if !self.handle(start..end)? {
                return Ok(Some(payload));
            }
        }
        Ok(None)
    }

    /// Handles a packet of the transport itself; `false` if it is for the layers above.
    fn handle(&mut self, payload: Range<usize>) -> Result<bool> {
        let packet = self.rx.payload(payload);
        let number = packet.first().copied().unwrap_or_default();
        if let Kex::AwaitReply { skip: skip @ true, .. } = &mut self.kex {
            *skip = false;
            return Ok(true);
        }
        self.check_order(number)?;
        if !matches!(number, message::IGNORE | message::DEBUG | message::UNIMPLEMENTED | message::PING) {
            self.heard = self.heard.wrapping_add(1);
        }
        match number {
            message::KEXINIT => {
                let kexinit = memory::copy(packet)?;
                self.on_kexinit(kexinit)?;
            }
            message::KEX_FIRST..=message::KEX_LAST => {
                let reply = memory::copy(packet)?;
                self.on_kex_reply(&reply)?;
            }
            message::NEWKEYS => self.on_newkeys()?,
            message::DISCONNECT => {
                self.events.push(Event::disconnect(packet)?)?;
                return Err(disconnected(packet));
            }
            message::IGNORE => {
                let data = memory::copy(packet.get(1..).unwrap_or_default())?;
                self.events.push(Event::Ignore(data))?;
            }
            message::DEBUG => self.events.push(Event::debug(packet)?)?,
            message::UNIMPLEMENTED => {}
            message::EXT_INFO => self.server_sig_algs = read_ext_info(packet)?.or(self.server_sig_algs.take()),
            message::PING => {
                let data = packet.get(1..).unwrap_or_default();
                self.tx.send(&[&[message::PONG], data])?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// RFC 4253 section 7.1: which messages may come during a key exchange. In the first one, strict key exchange
    /// allows nothing but the exchange itself.
    fn check_order(&self, number: u8) -> Result<()> {
        let first = !self.established;
        let fits = match (&self.kex, number) {
            (_, message::DISCONNECT) => true,
            (Kex::Idle | Kex::AwaitInit { .. }, message::KEXINIT) => true,
            (Kex::AwaitReply { .. }, message::KEX_FIRST..=message::KEX_LAST) => true,
            (Kex::AwaitNewKeys { .. }, message::NEWKEYS) => true,
            (_, message::KEXINIT | message::NEWKEYS | message::KEX_FIRST..=message::KEX_LAST) => false,
            (Kex::Idle, _) => true,
            (Kex::AwaitInit { .. }, _) if self.established => true,
            (_, message::IGNORE | message::DEBUG | message::UNIMPLEMENTED) => !(first && self.strict),
            (_, message::PING) => !first,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let code = if self.strict && first { Code::SocketDisconnect } else { Code::Proto };
        Err(Error::new(code, "Server sent a message that is not allowed in a key exchange")
            .with_text(format_args!("message number {number}")))
    }

    fn begin_kex(&mut self) -> Result<()> {
        let mut cookie = [0; 16];
        crypto::random(&mut cookie)?;
        let first = self.session_id.is_none();
        let client_kexinit = self.preferences.kexinit(&cookie, first)?;
        self.tx.send_now(&[&client_kexinit])?;
        self.tx.hold();
        // The program may change its mind before the server answers; what counts is what was sent.
        let offered = memory::boxed(self.preferences.copy()?)?;
        self.kex = Kex::AwaitInit { client_kexinit, offered };
        Ok(())
    }

    fn on_kexinit(&mut self, server_kexinit: Vec<u8>) -> Result<()> {
        if matches!(self.kex, Kex::Idle) {
            self.begin_kex()?;
        }
        let Kex::AwaitInit { client_kexinit, offered } = std::mem::replace(&mut self.kex, Kex::Idle) else {
            return Err(Error::new(Code::Proto, "Server began a key exchange within another"));
        };
        let agreement = offered.agree(&server_kexinit)?;
        if self.session_id.is_none() {
            self.strict = agreement.strict;
            if self.strict && self.rx.sequence() != 1 {
                return Err(Error::new(Code::KexFailure, "Server sent packets before its KEXINIT"));
            }
        }
        let transcript = Transcript {
            client_ident: memory::copy(&self.client_ident)?,
            server_ident: memory::copy(&self.server_ident)?,
            client_kexinit,
            server_kexinit,
        };
        agreement.show(&mut self.tx.trace);
        let (begun, packet) = Begun::begin(agreement.kex.algorithm)?;
        self.tx.send_now(&[&packet])?;
        self.agreement = Some(agreement);
        let state = memory::boxed(AwaitReply::new(agreement, transcript, begun, self.time))?;
        self.kex = Kex::AwaitReply { state, skip: agreement.guessed_wrong };
        Ok(())
    }

    fn on_kex_reply(&mut self, packet: &[u8]) -> Result<()> {
        let Kex::AwaitReply { state, .. } = std::mem::replace(&mut self.kex, Kex::Idle) else {
            return Err(Error::new(Code::Proto, "Server sent a key exchange reply that nobody asked for"));
        };
        let exchanged = match state.handle(packet)? {
            Step::Done(exchanged) => exchanged,
            Step::Again(state, packet) => {
                self.tx.send_now(&[&packet])?;
                self.kex = Kex::AwaitReply { state, skip: false };
                return Ok(());
            }
        };
        if self.session_id.is_some() && self.host_key != exchanged.host_key {
            return Err(Error::new(
                Code::KeyExchangeFailure,
                "Server came with another host key in a later key exchange",
            ));
        }
        let session_id = self.session_id.as_ref().unwrap_or(&exchanged.hash);
        let (sealer, opener) = exchanged.keys(session_id.as_ref())?;
        self.session_id.get_or_insert(exchanged.hash);
        self.tx.send_now(&[&[message::NEWKEYS]])?;
        self.tx.rekey(sealer, self.strict);
        if let Some(agreement) = &self.agreement {
            self.tx.compress(agreement.cs.compression.algorithm.deflater(self.logged_in)?);
        }
        self.tx.release()?;
        // Later ones are the same, and the program may still look at the first.
        if self.host_key.is_empty() {
            self.host_key = exchanged.host_key;
        }
        self.kex = Kex::AwaitNewKeys { opener: memory::boxed(opener)? };
        Ok(())
    }

    fn on_newkeys(&mut self) -> Result<()> {
        let Kex::AwaitNewKeys { opener } = std::mem::replace(&mut self.kex, Kex::Idle) else {
            return Err(Error::new(Code::Proto, "Server changed its keys without a key exchange"));
        };
        self.rx.rekey(*opener, self.strict);
        if let Some(agreement) = &self.agreement {
            self.rx.decompress(agreement.sc.compression.algorithm.inflater(self.logged_in)?);
        }
        self.keyed = None;
        self.established = true;
        Ok(())
    }
}

/// `SSH_MSG_DISCONNECT` as an error, the server's reason in its text.
fn disconnected(packet: &[u8]) -> Error {
    let mut reader = Reader::new(packet);
    let error = Error::new(Code::SocketDisconnect, "Server closed the connection");
    match (reader.u8().and_then(|_| reader.u32()), reader.string()) {
        (Ok(reason), Ok(text)) if !text.is_empty() => {
            error.with_text(format_args!("{} (reason {reason})", Lossy(text)))
        }
        (Ok(reason), _) => error.with_text(format_args!("reason {reason}")),
        (Err(_), _) => error,
    }
}

/// The `server-sig-algs` of an `SSH_MSG_EXT_INFO`, RFC 8308 section 2.3. A list that is cut short is read as far as it
/// goes.
fn read_ext_info(packet: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut reader = Reader::new(packet);
    reader.u8()?;
    let count = reader.u32()?;
    if count >= MOST_EXTENSIONS {
        return Err(Error::new(Code::Proto, "Server announced too many extensions"));
    }
    let mut found = None;
    for _ in 0..count {
        let Ok(name) = reader.string() else { break };
        let Ok(value) = reader.string() else { break };
        if name == b"server-sig-algs" {
            found = Some(memory::copy(value)?);
        }
    }
    Ok(found)
}
