//! The binary packet protocol, RFC 4253 section 6: payloads in and out of the two byte queues.
#![forbid(unsafe_code)]

use std::ops::Range;

use zeroize::Zeroizing;

use super::buffer::Buffer;
use super::cipher::{Opener, Sealer};
use super::compress::{Deflater, Inflater};
use super::trace;
use super::usage::Usage;
use crate::error::{Code, Error, Result};
use crate::memory;
use crate::trace::{Topic, Trace};
use crate::wire::{Put, Reader};

/// Sending stops to take bulk data at so many bytes that the socket has not taken yet.
const HIGH_WATER: usize = 256 * 1024;
/// Bytes that may wait for others before a system call is made for them, where nobody waits for what they bring.
const LINGERING: usize = 32 * 1024;
/// A peer that does not take so much, while it asks for more, is hostile.
const MOST_QUEUED: usize = 4 * 1024 * 1024;
/// Longest payload: servers end the connection at longer ones.
const LONGEST_PAYLOAD: usize = 256 * 1024;
/// What may wait for the end of a key exchange.
const MOST_HELD: usize = 1024 * 1024;
/// Least room for one `recv`.
const LEAST_SPACE: usize = 256 * 1024;

/// The outgoing half: packets are sealed into one queue, which leaves for the socket in large pieces.
pub struct Tx {
    out: Buffer,
    sealer: Sealer,
    deflater: Option<Deflater>,
    sequence: u32,
    /// Payloads that wait until a key exchange is over, each behind its length; `None` outside an exchange. A password
    /// may be among them.
    held: Option<Zeroizing<Vec<u8>>>,
    used: Usage,
    /// Bytes that the socket has taken.
    left: u64,
    /// Why a packet could not be queued: what follows it would make no sense to the peer.
    failure: Option<Error>,
    /// What is told of the packets of both directions, and of those who use them.
    pub trace: Trace,
}

/// All that was queued at some time: how many bytes will have left when it has, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(Option<u64>);

impl Default for Tx {
    /// Nothing is encrypted yet.
    fn default() -> Self {
        Self {
            out: Buffer::default(),
            sealer: Sealer::plain(),
            deflater: None,
            sequence: 0,
            held: None,
            used: Usage::default(),
            left: 0,
            failure: None,
            trace: Trace::default(),
        }
    }
}

impl Tx {
    /// Queues the packet whose payload is `parts` one after the other. During a key exchange it waits for the end of
    /// that.
    pub fn send(&mut self, parts: &[&[u8]]) -> Result<()> {
        if parts.iter().fold(0, |sum: usize, part| sum.saturating_add(part.len())) > LONGEST_PAYLOAD {
            return Err(Error::new(Code::OutOfBoundary, "Message is longer than any server takes"));
        }
        match &mut self.held {
            Some(held) => {
                let result = hold(held, parts);
                self.must(result)
            }
            None => self.send_now(parts),
        }
    }

    /// Queues a packet of the key exchange itself, or one that is allowed during it (RFC 4253 section 7.1).
    pub fn send_now(&mut self, parts: &[&[u8]]) -> Result<()> {
        trace::show(&mut self.trace, "sent", parts);
        let before = self.out.len();
        let sealed = match &mut self.deflater {
            None => self.sealer.seal(self.sequence, parts, &mut self.out),
            Some(deflater) => {
                deflater.deflate(parts).and_then(|payload| self.sealer.seal(self.sequence, &[payload], &mut self.out))
            }
        };
        let result = sealed.and_then(|()| self.used.count(self.out.len().saturating_sub(before)));
        self.sequence = self.sequence.wrapping_add(1);
        self.must(result)
    }

    /// A packet that is missing is the end of the connection, whoever sent it.
    fn must(&mut self, result: Result<()>) -> Result<()> {
        result.inspect_err(|error| {
            self.failure.get_or_insert_with(|| error.copy());
        })
    }

    /// Why a packet could not be queued, if so.
    pub const fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Queues bytes that are no packet: the identification.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.put(bytes)
    }

    /// From here on only packets of the key exchange leave.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Seals under `sealer` from the next packet on, numbered from 0 again if `restart` (strict key exchange).
    pub fn rekey(&mut self, sealer: Sealer, restart: bool) {
        self.sealer = sealer;
        self.used = Usage::default();
        if restart {
            self.sequence = 0;
        }
    }

    /// Compresses by `deflater` from the next packet on, or no more.
    pub fn compress(&mut self, deflater: Option<Deflater>) {
        self.deflater = deflater;
    }

    /// Lets the held packets go.
    pub fn release(&mut self) -> Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        let mut reader = Reader::new(&held);
        while !reader.is_empty() {
            let payload = reader.string()?;
            self.send_now(&[payload])?;
        }
        Ok(())
    }

    /// Whether bulk data should be queued now, or rather after the socket has taken what is there.
    pub const fn has_room(&self) -> bool {
        self.held.is_none() && self.out.len() < HIGH_WATER
    }

    /// The bytes for the socket.
    pub const fn queue(&mut self) -> &mut Buffer {
        &mut self.out
    }

    /// Stands for all that is queued now.
    pub fn mark(&self) -> Mark {
        // How long that will be which a key exchange holds back shows only later.
        if self.held.is_some() { Mark(None) } else { self.mark_of_sealed() }
    }

    /// Stands for the part of it that no key exchange holds back.
    pub fn mark_of_sealed(&self) -> Mark {
        Mark(Some(self.left.saturating_add(u64::try_from(self.out.len()).unwrap_or(u64::MAX))))
    }

    /// Whether all has left that was queued at `mark`.
    pub fn has_left_all(&self, mark: Mark) -> bool {
        mark.0.is_some_and(|bytes| self.left >= bytes) || self.is_flushed()
    }

    /// Whether all has left, what a key exchange holds back included.
    pub fn is_flushed(&self) -> bool {
        self.out.is_empty() && self.held.as_ref().is_none_or(|held| held.is_empty())
    }

    /// Whether what is queued now leaves at once: the socket has taken everything, and no key exchange is under way.
    pub const fn is_clear(&self) -> bool {
        self.held.is_none() && self.out.is_empty()
    }

    /// Whether the socket must take bytes before anything else can happen.
    pub const fn wants_socket(&self) -> bool {
        !self.out.is_empty()
    }

    /// Whether there is so much for the socket that waiting for more would gain nothing.
    pub const fn is_worth_sending(&self) -> bool {
        self.out.len() >= LINGERING
    }

    /// What the keys in use have sealed.
    pub const fn usage(&self) -> &Usage {
        &self.used
    }

    /// Takes back the bytes for the socket, of which it has taken `taken`. What was queued meanwhile goes behind them.
    pub fn give_back(&mut self, mut queue: Buffer, taken: usize) {
        if taken > 0 {
            self.trace.say(Topic::Socket, format_args!("sent {taken} bytes"));
        }
        queue.consume(taken);
        self.left = self.left.saturating_add(u64::try_from(taken).unwrap_or_default());
        let meanwhile = std::mem::replace(&mut self.out, queue);
        if !meanwhile.is_empty() {
            let result = self.out.put(meanwhile.filled());
            let _kept = self.must(result);
        }
    }

    /// How many bytes the socket has taken.
    pub const fn has_left(&self) -> u64 {
        self.left
    }

    /// How many it will have taken when all has left.
    pub fn will_have_left(&self) -> u64 {
        let waiting = self.out.len().saturating_add(self.held.as_ref().map_or(0, |held| held.len()));
        self.left.saturating_add(u64::try_from(waiting).unwrap_or_default())
    }

    /// Whether the peer takes so little that what is queued has grown beyond all use.
    pub const fn overflows(&self) -> bool {
        self.out.len() > MOST_QUEUED
    }
}

/// Where the incoming half stands within the bytes that have arrived.
enum Next {
    /// The length of the next packet is not known yet.
    Length,
    /// The next packet takes so many bytes.
    Packet(usize),
    /// The next packet is refused, but that may show only after so many bytes.
    Refused(Error, usize),
}

/// The incoming half: packets are opened in the queue where the socket put them.
pub struct Rx {
    input: Buffer,
    opener: Opener,
    inflater: Option<Inflater>,
    sequence: u32,
    used: Usage,
    next: Next,
    /// The packet handed out last; its bytes are dropped when the next one is asked for.
    handed_out: usize,
    /// Its payload lies with the inflater.
    inflated: bool,
    /// What a packet whose MAC was wrong seemed to say.
    forged: Option<Vec<u8>>,
}

impl Default for Rx {
    /// Nothing is encrypted yet.
    fn default() -> Self {
        Self {
            input: Buffer::default(),
            opener: Opener::plain(),
            inflater: None,
            sequence: 0,
            used: Usage::default(),
            next: Next::Length,
            handed_out: 0,
            inflated: false,
            forged: None,
        }
    }
}

impl Rx {
    /// The bytes from the socket.
    pub const fn queue(&mut self) -> &mut Buffer {
        &mut self.input
    }

    /// Makes room for what the socket has next.
    pub fn make_room(&mut self) -> Result<()> {
        self.drop_handed_out();
        self.input.space(LEAST_SPACE).map(|_| ())
    }

    /// Opens the next packet that has arrived whole: where its payload lies, see [`Rx::payload`].
    pub fn packet(&mut self) -> Result<Option<Range<usize>>> {
        self.drop_handed_out();
        if let Next::Refused(..) = self.next {
            return self.wait_to_refuse();
        }
        match self.open_next() {
            Ok(payload) => Ok(payload),
            Err(error) => match self.opener.hides_refusal_for() {
                None => Err(error),
                Some(bytes) => {
                    self.next = Next::Refused(error, bytes);
                    self.wait_to_refuse()
                }
            },
        }
    }

    fn wait_to_refuse(&mut self) -> Result<Option<Range<usize>>> {
        let Next::Refused(error, left) = &mut self.next else { return Ok(None) };
        let came = self.input.len().min(*left);
        self.input.consume(came);
        *left = left.saturating_sub(came);
        if *left == 0 { Err(error.copy()) } else { Ok(None) }
    }

    fn open_next(&mut self) -> Result<Option<Range<usize>>> {
        let total = match self.next {
            Next::Packet(total) => total,
            _ => match self.opener.measure(self.sequence, self.input.filled_mut())? {
                Some(total) => total,
                None => return Ok(None),
            },
        };
        self.next = Next::Packet(total);
        let Some(packet) = self.input.filled_mut().get_mut(..total) else { return Ok(None) };
        let payload = match self.opener.open(self.sequence, packet) {
            Err(error) if error.code == Code::InvalidMac => {
                self.forged = self.opener.seeming_payload(packet).map(memory::copy).transpose()?;
                return Err(error);
            }
            opened => opened?,
        };
        self.used.count(total)?;
        self.sequence = self.sequence.wrapping_add(1);
        self.next = Next::Length;
        self.handed_out = total;
        self.inflated = self.inflater.is_some();
        match &mut self.inflater {
            None => Ok(Some(payload)),
            Some(inflater) => {
                let length = inflater.inflate(self.input.filled().get(payload).unwrap_or_default())?;
                Ok(Some(0..length))
            }
        }
    }

    /// What the packet that ended the connection seemed to say, if its MAC was wrong.
    pub const fn take_forged(&mut self) -> Option<Vec<u8>> {
        self.forged.take()
    }

    /// The bytes of the payload that [`Rx::packet`] found; valid until it is called again.
    pub fn payload(&self, range: Range<usize>) -> &[u8] {
        let bytes = match &self.inflater {
            Some(inflater) if self.inflated => inflater.payload(),
            _ => self.input.filled(),
        };
        bytes.get(range).unwrap_or_default()
    }

    /// Decompresses by `inflater` from the next packet on, or no more.
    pub fn decompress(&mut self, inflater: Option<Inflater>) {
        self.inflater = inflater;
    }

    /// Opens under `opener` from the next packet on, numbered from 0 again if `restart` (strict key exchange).
    pub fn rekey(&mut self, opener: Opener, restart: bool) {
        self.opener = opener;
        self.used = Usage::default();
        if restart {
            self.sequence = 0;
        }
    }

    /// What the keys in use have opened.
    pub const fn usage(&self) -> &Usage {
        &self.used
    }

    /// The number of the packet that comes next.
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    fn drop_handed_out(&mut self) {
        self.input.consume(std::mem::take(&mut self.handed_out));
    }
}

fn hold(held: &mut Zeroizing<Vec<u8>>, parts: &[&[u8]]) -> Result<()> {
    let length = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    if held.len().saturating_add(length) > MOST_HELD {
        return Err(Error::new(Code::OutOfBoundary, "Too much to send while a key exchange is under way"));
    }
    memory::room_for_secret(held, length.saturating_add(4))?;
    held.put_u32(u32::try_from(length).map_err(|_| Error::alloc())?)?;
    parts.iter().try_for_each(|part| held.put(part))
}

#[cfg(test)]
mod tests {
    use super::super::cipher::{CipherAlgorithm, Keys, MacAlgorithm};
    use super::*;
    use crate::crypto::{CbcCipher, HashAlgorithm};

    fn keys(encrypt_then_mac: bool) -> Keys<'static> {
        Keys {
            cipher: CipherAlgorithm::Cbc(CbcCipher::Aes(16)),
            mac: MacAlgorithm { hash: HashAlgorithm::Sha256, tag_len: 32, encrypt_then_mac },
            iv: &[1; 16],
            key: &[2; 16],
            mac_key: &[3; 32],
        }
    }

    /// Where a packet of chained blocks is wrong must not show by how much is taken in.
    #[test]
    fn chained_blocks_are_refused_after_the_same_number_of_bytes() {
        for (encrypt_then_mac, expected) in [(false, 4 + 256 * 1024 + 32), (true, 0)] {
            for at in [0, 1, 20, 70] {
                let mut tx = Tx::default();
                tx.rekey(Sealer::new(&keys(encrypt_then_mac)).unwrap(), false);
                tx.send(&[&[7; 60]]).unwrap();
                let mut packet = tx.queue().filled().to_vec();
                packet[at] ^= 0x80;
                let mut rx = Rx::default();
                rx.rekey(Opener::new(&keys(encrypt_then_mac)).unwrap(), false);
                rx.queue().put(&packet).unwrap();
                let mut taken = packet.len();
                let error = loop {
                    match rx.packet() {
                        Err(error) => break error,
                        Ok(found) => assert!(found.is_none()),
                    }
                    rx.queue().put(&[0; 4]).unwrap();
                    taken += 4;
                };
                assert!(matches!(error.code, Code::InvalidMac | Code::OutOfBoundary | Code::Decrypt), "{error}");
                assert!(taken.abs_diff(expected.max(packet.len())) < 4, "{taken} bytes, wrong at {at}");
            }
        }
    }
}
