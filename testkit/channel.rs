//! Session channels, RFC 4254 sections 5 and 6, with SFTP on them.

use std::collections::VecDeque;

use ssh2::transport::message;
use ssh2::wire::{Put, Reader};

use crate::end::{End, Result};
use crate::fault::{Fault, Stage};
use crate::link::Link;
use crate::options::Options;
use crate::sftp::Sftp;
use crate::shuffle::Shuffle;

/// One channel.
pub struct Channel {
    theirs: u32,
    /// What the client lets us send: all in all, and in one packet.
    window_out: u32,
    packet_out: usize,
    /// What the client may still send, and what its window is filled up to.
    window_in: u32,
    full: u32,
    packet_in: usize,
    sftp: Option<Sftp>,
    sftp_root: Option<std::path::PathBuf>,
    limit: u64,
    /// What waits for the client's window.
    outbox: VecDeque<(Stage, Vec<u8>)>,
    held: Vec<(Stage, Vec<u8>)>,
    chance: Shuffle,
    closed: bool,
}

impl Channel {
    pub fn new(options: &Options, theirs: u32, window: u32, packet: u32) -> Self {
        Self {
            theirs,
            window_out: window,
            packet_out: packet as usize,
            window_in: options.window,
            full: options.window,
            packet_in: options.packet as usize,
            sftp: None,
            sftp_root: options.root.clone(),
            limit: options.limit,
            outbox: VecDeque::new(),
            held: Vec::new(),
            chance: Shuffle::new(options.seed),
            closed: false,
        }
    }

    /// Handles a message for this channel; `false` when the channel is over.
    pub fn on_packet(&mut self, link: &mut Link, kind: u8, mut reader: Reader<'_>) -> Result<bool> {
        match kind {
            message::CHANNEL_WINDOW_ADJUST => {
                let more = reader.u32()?;
                let Some(window) = self.window_out.checked_add(more) else {
                    return Err(link.disconnect(2, b"the window is too large")?);
                };
                self.window_out = window;
                self.flush(link)?;
            }
            message::CHANNEL_DATA => self.on_data(link, reader.string()?)?,
            message::CHANNEL_REQUEST => self.on_request(link, reader)?,
            message::CHANNEL_CLOSE => {
                if !self.closed {
                    self.send_bare(link, Stage::Close, message::CHANNEL_CLOSE)?;
                }
                return Ok(false);
            }
            _ => {}
        }
        Ok(true)
    }

    pub const fn holds_replies(&self) -> bool {
        !self.held.is_empty()
    }

    /// Sends what was held back, in a random order.
    pub fn release(&mut self, link: &mut Link) -> Result<()> {
        while !self.held.is_empty() {
            let (stage, reply) = self.held.swap_remove(self.chance.below(self.held.len()));
            self.send_reply(link, stage, reply)?;
        }
        Ok(())
    }

    fn on_data(&mut self, link: &mut Link, data: &[u8]) -> Result<()> {
        if data.len() > self.window_in as usize || data.len() > self.packet_in {
            return Err(link.disconnect(2, b"more data than the window or the packet size allows")?);
        }
        self.window_in -= data.len() as u32;
        if self.window_in <= self.full / 2 && !self.closed {
            let more = self.full - self.window_in;
            self.window_in = self.full;
            self.adjust(link, more)?;
        }
        let Some(sftp) = &mut self.sftp else { return Ok(()) };
        let replies = sftp.receive(&mut link.occasion, data)?;
        for (stage, reply) in replies {
            // What tells the client of limits is not held back, so that they are known before they count.
            if stage == Stage::Reply && link.occasion.is(Fault::Shuffle) {
                self.held.push((stage, reply));
            } else {
                self.send_reply(link, stage, reply)?;
            }
        }
        Ok(())
    }

    fn adjust(&self, link: &mut Link, more: u32) -> Result<()> {
        self.send_with(link, Stage::Adjust, message::CHANNEL_WINDOW_ADJUST, &more.to_be_bytes())
    }

    fn on_request(&mut self, link: &mut Link, mut reader: Reader<'_>) -> Result<()> {
        let kind = reader.string()?;
        let wants_reply = reader.boolean()?;
        let known = kind == b"subsystem" && reader.string()? == b"sftp";
        let granted = known && self.sftp.is_none() && !link.occasion.strikes(Fault::SubsystemRefused);
        if granted {
            self.sftp = Some(Sftp::new(self.sftp_root.clone(), self.limit));
        }
        if wants_reply {
            let reply = if granted { message::CHANNEL_SUCCESS } else { message::CHANNEL_FAILURE };
            self.send_bare(link, Stage::Subsystem, reply)?;
        }
        Ok(())
    }

    fn send_reply(&mut self, link: &mut Link, stage: Stage, reply: Vec<u8>) -> Result<()> {
        if stage == Stage::Reply && self.misbehave(link, &reply)? {
            return Ok(());
        }
        self.outbox.push_back((stage, reply));
        self.flush(link)
    }

    /// Sends what the client's window takes.
    fn flush(&mut self, link: &mut Link) -> Result<()> {
        while let Some((stage, bytes)) = self.outbox.front_mut() {
            let size = bytes.len().min(self.packet_out).min(self.window_out as usize);
            if size == 0 || self.closed {
                return Ok(());
            }
            let (stage, piece) = (*stage, bytes.drain(..size).collect::<Vec<_>>());
            if bytes.is_empty() {
                self.outbox.pop_front();
            }
            self.window_out -= size as u32;
            self.send_data(link, stage, &piece)?;
        }
        Ok(())
    }

    fn send_data(&self, link: &mut Link, stage: Stage, data: &[u8]) -> Result<()> {
        let mut tail = Vec::new();
        tail.put_string(data)?;
        self.send_with(link, stage, message::CHANNEL_DATA, &tail)
    }

    fn send_bare(&self, link: &mut Link, stage: Stage, kind: u8) -> Result<()> {
        self.send_with(link, stage, kind, &[])
    }

    fn send_with(&self, link: &mut Link, stage: Stage, kind: u8, tail: &[u8]) -> Result<()> {
        link.send(stage, &message_for(self.theirs, kind, tail))
    }

    /// What goes wrong before an SFTP reply; whether it takes the reply's place.
    fn misbehave(&mut self, link: &mut Link, reply: &[u8]) -> Result<bool> {
        let faults = [
            Fault::WindowOverrun,
            Fault::AdjustOverflow,
            Fault::ChannelUnknown,
            Fault::ChannelClose,
            Fault::ChannelEof,
            Fault::DataPastEnd,
            Fault::ExitStatusShort,
            Fault::ExitSignalHuge,
            Fault::AsksBack,
        ];
        match link.occasion.strikes_one_of(&faults) {
            Some(Fault::WindowOverrun) => {
                // A reply with an id that nobody waits for, of which the client must not take more than it granted.
                let zeros = vec![0; 32 * 1024];
                let total = u64::from(self.window_out) * 3 / 2 + 64 * 1024;
                for _ in 0..total / zeros.len() as u64 {
                    self.send_data(link, Stage::Other, &zeros)?;
                }
                Ok(true)
            }
            Some(Fault::AdjustOverflow) => {
                self.adjust(link, u32::MAX)?;
                self.adjust(link, u32::MAX)?;
                Ok(false)
            }
            Some(Fault::ChannelUnknown) => {
                let nobody = self.theirs + 1000;
                let mut data = Vec::new();
                data.put_string(b"for nobody")?;
                link.send_now(&message_for(nobody, message::CHANNEL_DATA, &data))?;
                link.send_now(&message_for(nobody, message::CHANNEL_WINDOW_ADJUST, &[0, 0, 1, 0]))?;
                link.send_now(&message_for(nobody, message::CHANNEL_EOF, &[]))?;
                link.send_now(&message_for(nobody, message::CHANNEL_CLOSE, &[]))?;
                link.send_now(&message_for(u32::MAX, message::CHANNEL_CLOSE, &[]))?;
                Ok(false)
            }
            Some(Fault::ChannelClose) => {
                self.send_bare(link, Stage::Other, message::CHANNEL_EOF)?;
                self.send_bare(link, Stage::Close, message::CHANNEL_CLOSE)?;
                self.closed = true;
                Ok(true)
            }
            Some(Fault::ChannelEof) => {
                self.send_bare(link, Stage::Other, message::CHANNEL_EOF)?;
                Ok(true)
            }
            Some(Fault::DataPastEnd) => {
                let length = u32::try_from(reply.len() + 1000).map_err(|_| End::new("the reply is too long"))?;
                let tail = [&length.to_be_bytes(), reply].concat();
                self.send_with(link, Stage::Other, message::CHANNEL_DATA, &tail)?;
                Ok(true)
            }
            Some(Fault::ExitStatusShort) => {
                let mut request = Vec::new();
                request.put_string(b"exit-status")?;
                request.put_boolean(false)?;
                self.send_with(link, Stage::Other, message::CHANNEL_REQUEST, &request)?;
                Ok(false)
            }
            Some(Fault::ExitSignalHuge) => {
                let mut request = Vec::new();
                request.put_string(b"exit-signal")?;
                request.put_boolean(false)?;
                request.put_u32(u32::MAX)?;
                request.put(b"TERM")?;
                self.send_with(link, Stage::Other, message::CHANNEL_REQUEST, &request)?;
                Ok(false)
            }
            Some(Fault::AsksBack) => {
                self.ask_back(link)?;
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// Makes requests that no client grants, and waits for the three refusals.
    fn ask_back(&self, link: &mut Link) -> Result<()> {
        let mut global = vec![message::GLOBAL_REQUEST];
        global.put_string(b"keepalive@openssh.com")?;
        global.put_boolean(true)?;
        link.send_now(&global)?;
        let mut request = Vec::new();
        request.put_string(b"keepalive@openssh.com")?;
        request.put_boolean(true)?;
        self.send_with(link, Stage::Other, message::CHANNEL_REQUEST, &request)?;
        let mut open = vec![message::CHANNEL_OPEN];
        open.put_string(b"x-nothing@example.com")?;
        open.put_u32(7)?;
        open.put_u32(1000)?;
        open.put_u32(1000)?;
        link.send_now(&open)?;
        for expected in [message::REQUEST_FAILURE, message::CHANNEL_FAILURE, message::CHANNEL_OPEN_FAILURE] {
            loop {
                let packet = link.receive()?;
                if packet.first() == Some(&expected) {
                    break;
                }
                link.pending.push_back(packet);
            }
        }
        Ok(())
    }
}

fn message_for(channel: u32, kind: u8, tail: &[u8]) -> Vec<u8> {
    [&[kind], &channel.to_be_bytes()[..], tail].concat()
}
