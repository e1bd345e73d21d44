//! Packets over the socket, and the harm that can happen to any of them.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use ssh2::transport::cipher::{Opener, Sealer};
use ssh2::transport::{Buffer, message};
use ssh2::wire::{Put, Reader};

use crate::end::{End, Result};
use crate::fault::{Harm, Occasion, Stage};
use crate::options::{Chunks, Options};
use crate::shuffle::Shuffle;

/// A number that no message has; those from 192 on OpenSSH's client takes for an attack.
const UNKNOWN_MESSAGE: u8 = 150;
/// How long a client may take to notice that the server has hung up.
const HANG_UP: Duration = Duration::from_secs(5);

/// One connection below the meaning of its packets.
pub struct Link {
    socket: TcpStream,
    chunks: Chunks,
    chance: Shuffle,
    keep: usize,
    pub occasion: Occasion,
    sealer: Sealer,
    opener: Opener,
    /// The number of the next packet out, and of the next one in.
    sequence: (u32, u32),
    input: Buffer,
    /// Packets that came while another one was awaited.
    pub pending: VecDeque<Vec<u8>>,
    /// Bytes in both directions since the last key exchange.
    pub moved: u64,
    silent: bool,
    /// What waits for a key exchange that is to come first.
    held: Option<Vec<Vec<u8>>>,
}

impl Link {
    pub fn new(socket: TcpStream, options: &Options) -> Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            chunks: options.chunks,
            chance: Shuffle::new(options.seed),
            keep: options.keep,
            occasion: Occasion::new(options.wrong, options.at, options.pause),
            sealer: Sealer::plain(),
            opener: Opener::plain(),
            sequence: (0, 0),
            input: Buffer::default(),
            pending: VecDeque::new(),
            moved: 0,
            silent: false,
            held: None,
        })
    }

    /// The next packet.
    pub fn next(&mut self) -> Result<Vec<u8>> {
        match self.pending.pop_front() {
            Some(packet) => Ok(packet),
            None => self.receive(),
        }
    }

    /// The next packet from the socket, whatever is pending.
    pub fn receive(&mut self) -> Result<Vec<u8>> {
        let total = loop {
            if let Some(total) = self.opener.measure(self.sequence.1, self.input.filled_mut())? {
                break total;
            }
            self.fill()?;
        };
        while self.input.len() < total {
            self.fill()?;
        }
        let packet = &mut self.input.filled_mut()[..total];
        let payload = self.opener.open(self.sequence.1, packet)?;
        let payload = packet[payload].to_vec();
        self.input.consume(total);
        self.sequence.1 = self.sequence.1.wrapping_add(1);
        self.moved += total as u64;
        if payload.first() == Some(&message::DISCONNECT) {
            return Err(End::new("the client disconnected"));
        }
        Ok(payload)
    }

    /// Waits so long for bytes; whether there are some.
    pub fn has_input_within(&mut self, patience: Duration) -> Result<bool> {
        if !self.input.is_empty() || !self.pending.is_empty() {
            return Ok(true);
        }
        self.socket.set_read_timeout(Some(patience))?;
        // A connection that has ended is noticed by the next one to read.
        let came = self.fill().is_ok();
        self.socket.set_read_timeout(None)?;
        Ok(came)
    }

    /// One line of the client.
    pub fn receive_line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = self.input.filled().iter().position(|&byte| byte == b'\n') {
                let line = self.input.filled()[..end].strip_suffix(b"\r").unwrap_or_default().to_vec();
                self.input.consume(end + 1);
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<()> {
        let space = self.input.space(64 * 1024)?;
        match self.socket.read(space)? {
            0 => Err(End::new("the client closed the connection")),
            count => {
                self.input.commit(count);
                Ok(())
            }
        }
    }

    /// Sends a packet, unless this is the occasion for something else.
    pub fn send(&mut self, stage: Stage, payload: &[u8]) -> Result<()> {
        match self.occasion.harm(stage) {
            None => self.send_now(payload),
            Some(harm) => self.send_harmed(harm, payload),
        }
    }

    /// Sends a packet, or holds it back behind others.
    pub fn send_now(&mut self, payload: &[u8]) -> Result<()> {
        if let Some(held) = &mut self.held {
            held.push(payload.to_vec());
            return Ok(());
        }
        let packet = self.seal(payload)?;
        self.write(&packet)
    }

    /// The packets that a key exchange is to come before, if there are any: they are the caller's to send.
    pub fn take_held(&mut self) -> Option<Vec<Vec<u8>>> {
        self.held.take()
    }

    /// Sends bytes that are no packet.
    pub fn send_raw(&mut self, stage: Stage, bytes: &[u8]) -> Result<()> {
        match self.occasion.harm(stage) {
            None => self.write(bytes),
            Some(Harm::Truncate) => {
                self.write(&bytes[..bytes.len() / 2])?;
                Err(self.hang_up())
            }
            Some(Harm::Close) => Err(self.hang_up()),
            Some(Harm::Silence) => {
                self.silent = true;
                Ok(())
            }
            Some(harm) => Err(End::new(format!("{harm:?} can not happen to an identification"))),
        }
    }

    /// Uses `sealer` from now on.
    pub fn seal_with(&mut self, sealer: Sealer, restart: bool) {
        self.sealer = sealer;
        if restart {
            self.sequence.0 = 0;
        }
    }

    /// Uses `opener` from now on.
    pub fn open_with(&mut self, opener: Opener, restart: bool) {
        self.opener = opener;
        if restart {
            self.sequence.1 = 0;
        }
    }

    /// Ends the stream in order, and waits for the client to go: a socket that is closed with unread bytes would take
    /// back what it has sent.
    pub fn hang_up(&mut self) -> End {
        let mut bytes = [0; 4096];
        let quiet = self.socket.shutdown(Shutdown::Write).and_then(|()| self.socket.set_read_timeout(Some(HANG_UP)));
        while quiet.is_ok() && matches!(self.socket.read(&mut bytes), Ok(1..)) {}
        End::new("hung up, as told")
    }

    /// Sends a DISCONNECT and hangs up.
    pub fn disconnect(&mut self, reason: u32, text: &[u8]) -> Result<End> {
        let mut packet = vec![message::DISCONNECT];
        packet.put_u32(reason)?;
        packet.put_string(text)?;
        packet.put_string(b"")?;
        self.send_now(&packet)?;
        Ok(self.hang_up())
    }

    fn seal(&mut self, payload: &[u8]) -> Result<Vec<u8>> {
        let mut packet = Buffer::default();
        self.sealer.seal(self.sequence.0, &[payload], &mut packet)?;
        self.sequence.0 = self.sequence.0.wrapping_add(1);
        Ok(packet.filled().to_vec())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        if self.silent {
            return Ok(());
        }
        self.moved += bytes.len() as u64;
        while !bytes.is_empty() {
            let size = match self.chunks {
                Chunks::Whole => bytes.len(),
                Chunks::Of(size) => size.max(1),
                Chunks::Random => 1 + self.chance.below(64),
            };
            let (chunk, rest) = bytes.split_at(size.min(bytes.len()));
            self.socket.write_all(chunk)?;
            bytes = rest;
        }
        Ok(())
    }

    fn send_harmed(&mut self, harm: Harm, payload: &[u8]) -> Result<()> {
        match harm {
            Harm::Close => return Err(self.hang_up()),
            Harm::Truncate => {
                let packet = self.seal(payload)?;
                self.write(&packet[..packet.len() / 2])?;
                return Err(self.hang_up());
            }
            Harm::Silence => self.silent = true,
            Harm::Disconnect => return Err(self.disconnect(11, b"the server has had enough")?),
            Harm::DisconnectShort => {
                self.send_now(&[message::DISCONNECT, 0, 0, 0, 11, 0x7f, 0xff, 0xff, 0xff, b'x'])?;
                return Err(self.hang_up());
            }
            Harm::Flip => {
                let mut packet = self.seal(payload)?;
                let middle = packet.len() / 2;
                packet[middle] ^= 1;
                self.write(&packet)?;
            }
            Harm::LengthHuge => self.send_with_length(payload, |_| u32::MAX)?,
            Harm::LengthZero => self.send_with_length(payload, |_| 0)?,
            Harm::LengthOdd => self.send_with_length(payload, |length| length + 1)?,
            Harm::Padding => {
                let mut packet = self.seal(payload)?;
                packet[4] = packet[3];
                self.write(&packet)?;
            }
            Harm::Empty => self.send_now(&[])?,
            Harm::Cut => self.send_now(&payload[..self.keep.min(payload.len())])?,
            Harm::Ignore => self.send_before(&ignore(), payload)?,
            Harm::Debug => self.send_before(&[message::DEBUG, 1, 0, 0, 0, 1, b'x', 0, 0, 0, 0], payload)?,
            Harm::Unimplemented => self.send_before(&[message::UNIMPLEMENTED, 0, 0, 0, 1], payload)?,
            Harm::ExtInfo => self.send_before(&ext_info(1, b"rsa-sha2-256")?, payload)?,
            Harm::Rekey => self.held = Some(vec![payload.to_vec()]),
            Harm::NewKeys => self.send_before(&[message::NEWKEYS], payload)?,
            Harm::ChannelSuccess => self.send_before(&[message::CHANNEL_SUCCESS, 0, 0, 0, 0], payload)?,
            Harm::Unknown => {
                let number = self.sequence.0;
                self.send_now(&[UNKNOWN_MESSAGE, 1, 2, 3])?;
                self.await_answer(&[&[message::UNIMPLEMENTED], &number.to_be_bytes()[..]].concat())?;
                self.send_now(payload)?;
            }
            Harm::Ping => {
                self.send_now(&[message::PING, 0, 0, 0, 3, b'a', 0, b'b'])?;
                self.await_answer(&[message::PONG, 0, 0, 0, 3, b'a', 0, b'b'])?;
                self.send_now(payload)?;
            }
            Harm::Flood => loop {
                self.send_now(&ignore())?;
            },
        }
        Ok(())
    }

    fn send_before(&mut self, first: &[u8], payload: &[u8]) -> Result<()> {
        self.send_now(first)?;
        self.send_now(payload)
    }

    /// Every cipher but GCM and the encrypt-then-MAC forms is a stream under the length, and in those it is in the
    /// clear: in each case the difference goes through.
    fn send_with_length(&mut self, payload: &[u8], change: fn(u32) -> u32) -> Result<()> {
        let block = if self.sequence.0 == 0 { 8 } else { 16 };
        let mut plain = Buffer::default();
        Sealer::plain().seal(0, &[payload], &mut plain)?;
        let mut packet = self.seal(payload)?;
        // Before there are keys the two are of one length; with keys what counts is that the length is absurd.
        let length = Reader::new(if block == 8 { &packet } else { plain.filled() }).u32()?;
        let difference = length ^ change(length);
        for (byte, flip) in packet.iter_mut().zip(difference.to_be_bytes()) {
            *byte ^= flip;
        }
        self.write(&packet)
    }

    /// Waits for a packet of that type, which must be this one.
    fn await_answer(&mut self, answer: &[u8]) -> Result<()> {
        loop {
            let packet = self.receive()?;
            if packet.first() != answer.first() {
                self.pending.push_back(packet);
                continue;
            }
            return if packet == answer { Ok(()) } else { Err(self.disconnect(2, b"that is the wrong answer")?) };
        }
    }
}

/// An EXT_INFO that says to have so many extensions, RFC 8308 section 2.3.
pub fn ext_info(count: u32, sig_algs: &[u8]) -> Result<Vec<u8>> {
    let mut packet = vec![message::EXT_INFO];
    packet.put_u32(count)?;
    packet.put_string(b"server-sig-algs")?;
    packet.put_string(sig_algs)?;
    Ok(packet)
}

fn ignore() -> Vec<u8> {
    let mut packet = vec![message::IGNORE, 0, 0, 0, 200];
    packet.resize(205, b'i');
    packet
}
