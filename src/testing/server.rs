//! The server: its channel, the way of its replies, and what goes wrong with them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Dice;
use super::files::Files;
use crate::transport::kex::server::Server as Peer;
use crate::transport::message;
use crate::wire::{Put, Reader};

/// How the server and the line behave.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// The window of the channel, and how much of it comes back at a time.
    pub window: u32,
    pub packet: u32,
    /// Replies may overtake one another.
    pub shuffles: bool,
    /// Replies are cut and joined anywhere on their way.
    pub recuts: bool,
    /// How long every reply takes, and how long one may take beyond that.
    pub latency: Duration,
    pub delay: Duration,
    /// How many bytes of replies the line takes in a second; 0 is no limit.
    pub bandwidth: u32,
    /// Reads in mid-file may be answered short.
    pub answers_short: bool,
    /// The line takes and gives a few bytes at a time, and refuses every now and then.
    pub stutters: bool,
    /// The n-th write from now on fails, with this status.
    pub fails_write: Option<usize>,
    pub refusal: u32,
    /// What `limits@openssh.com` says of packets, reads, writes and open handles; 0 is no limit.
    pub limits: [u64; 4],
    /// Nothing is answered any more.
    pub is_silent: bool,
    /// Global requests are answered, also when nothing else is.
    pub answers_globals: bool,
    /// The channel ends behind the first reply of this type.
    pub ends_after: Option<u8>,
    /// What becomes of the n-th reply from now on.
    pub harm: Option<(usize, Harm)>,
    /// The connection ends after so many more bytes of the server, or of the client.
    pub ends_down: Option<usize>,
    pub ends_up: Option<usize>,
    /// Keys are exchanged anew before the n-th reply from now on.
    pub rekeys: Option<usize>,
}

/// What can become of a reply.
#[derive(Clone, Copy, Debug)]
pub enum Harm {
    Withheld,
    Doubled,
    /// It and what is answered after it takes so long.
    Late(Duration),
    /// It has an id that no request has.
    OtherId,
    OtherType,
    OtherLength,
    OtherByte,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            window: 2 * 1024 * 1024,
            packet: 32 * 1024,
            shuffles: false,
            recuts: false,
            latency: Duration::ZERO,
            delay: Duration::ZERO,
            bandwidth: 0,
            answers_short: false,
            stutters: false,
            fails_write: None,
            refusal: 4,
            limits: [34_000, 32_768, 32_768, 0],
            is_silent: false,
            answers_globals: false,
            ends_after: None,
            harm: None,
            ends_down: None,
            ends_up: None,
            rekeys: None,
        }
    }
}

/// A reply on its way.
struct Reply {
    due: Instant,
    id: u32,
    kind: u8,
    bytes: Vec<u8>,
}

/// The server.
pub struct Server {
    pub ways: Ways,
    pub files: Files,
    /// Global requests that were to be answered.
    pub asked_globals: usize,
    /// Bytes of replies that wait for their time, and how many they were at most.
    pub waiting: usize,
    pub most_waiting: usize,
    /// The ids of the requests whose replies have been sent.
    pub answered: Vec<u32>,
    pub now: Instant,
    /// What is below the channel.
    peer: Peer,
    dice: Dice,
    stream: Vec<u8>,
    replies: VecDeque<Reply>,
    /// When the last reply is due, and when the line is free again.
    last_due: Instant,
    line_free: Instant,
    window_left: u32,
    owed: u32,
}

impl Server {
    pub fn new(seed: u64, ways: Ways, now: Instant) -> Self {
        Self {
            ways,
            files: Files::new(Dice(seed ^ 3)),
            asked_globals: 0,
            waiting: 0,
            most_waiting: 0,
            answered: Vec::new(),
            now,
            peer: Peer::connected().unwrap(),
            dice: Dice(seed ^ 1),
            stream: Vec::new(),
            replies: VecDeque::new(),
            last_due: now,
            line_free: now,
            window_left: 0,
            owed: 0,
        }
    }

    /// The content of the first file.
    pub fn file(&self) -> &Vec<u8> {
        &self.files.content[0]
    }

    /// What it has for the client, as far as that has been sent.
    pub fn output(&mut self) -> &mut crate::transport::Buffer {
        self.peer.tx.queue()
    }

    /// Takes in bytes of the client.
    pub fn take(&mut self, bytes: &[u8]) {
        self.peer.take_in(bytes).unwrap();
        for packet in std::mem::take(&mut self.peer.heard) {
            self.handle(&packet);
        }
        self.answer();
    }

    fn handle(&mut self, packet: &[u8]) {
        let mut reader = Reader::new(packet);
        match reader.u8().unwrap() {
            message::CHANNEL_OPEN => {
                let mut reply = vec![message::CHANNEL_OPEN_CONFIRMATION];
                [0, 7, self.ways.window, self.ways.packet].iter().for_each(|field| reply.put_u32(*field).unwrap());
                self.window_left = self.ways.window;
                self.peer.tx.send(&[&reply]).unwrap();
            }
            message::CHANNEL_REQUEST => self.peer.tx.send(&[&[message::CHANNEL_SUCCESS, 0, 0, 0, 0]]).unwrap(),
            message::CHANNEL_DATA => {
                assert_eq!(reader.u32().unwrap(), 7);
                let data = reader.string().unwrap();
                let length = u32::try_from(data.len()).unwrap();
                assert!(length <= self.ways.packet, "packet of {length} bytes");
                self.window_left = self.window_left.checked_sub(length).expect("window is overrun");
                self.owed += length;
                self.stream.extend_from_slice(data);
                self.cut();
            }
            message::CHANNEL_CLOSE => self.peer.tx.send(&[&[message::CHANNEL_CLOSE, 0, 0, 0, 0]]).unwrap(),
            message::CHANNEL_WINDOW_ADJUST | message::CHANNEL_EOF => {}
            message::GLOBAL_REQUEST => {
                reader.string().unwrap();
                let wants_reply = reader.boolean().unwrap();
                self.asked_globals += usize::from(wants_reply);
                if wants_reply && self.ways.answers_globals {
                    self.peer.tx.send(&[&[message::REQUEST_FAILURE]]).unwrap();
                }
            }
            other => panic!("message {other}"),
        }
    }

    /// Handles the SFTP packets that have come whole.
    fn cut(&mut self) {
        let stream = std::mem::take(&mut self.stream);
        let mut rest = stream.as_slice();
        while let Some(head) = rest.first_chunk::<4>() {
            let size = 4 + u32::from_be_bytes(*head) as usize;
            if rest.len() < size {
                break;
            }
            if let Some(reply) = self.files.handle(&rest[4..size], &mut self.ways) {
                self.queue(&reply);
            }
            rest = &rest[size..];
        }
        self.stream = rest.to_vec();
    }

    /// Puts a reply on its way, or what becomes of it.
    fn queue(&mut self, reply: &[u8]) {
        let delay = self.ways.delay.mul_f64(self.dice.below(1001) as f64 / 1000.0);
        let mut due = self.now + self.ways.latency + delay;
        let mut bytes = Vec::new();
        bytes.put_string(reply).unwrap();
        let mut copies = 1;
        if let Some((left, harm)) = &mut self.ways.harm {
            if let Some(fewer) = left.checked_sub(1) {
                *left = fewer;
            } else {
                match harm {
                    Harm::Withheld => copies = 0,
                    Harm::Doubled => copies = 2,
                    Harm::Late(time) => due += *time,
                    Harm::OtherId => bytes[5] ^= 0x40,
                    Harm::OtherType => bytes[4] = [0, 102, 104, 105, 201, 250][self.dice.below(6)],
                    Harm::OtherLength => {
                        let size = [0, 1, 4, reply.len() - 1, reply.len() + 1, 300_000, u32::MAX as usize];
                        bytes[..4].copy_from_slice(&(size[self.dice.below(7)] as u32).to_be_bytes());
                    }
                    Harm::OtherByte => {
                        let at = self.dice.below(bytes.len());
                        bytes[at] ^= 1 << self.dice.below(8);
                    }
                }
                self.ways.harm = None;
            }
        }
        if !self.ways.shuffles {
            due = due.max(self.last_due);
        }
        self.last_due = self.last_due.max(due);
        let id = u32::from_be_bytes(reply[1..5].try_into().unwrap());
        for _ in 0..copies {
            self.waiting += bytes.len();
            self.replies.push_back(Reply { due, id, kind: reply[0], bytes: bytes.clone() });
        }
    }

    /// When the next reply leaves, if none can now.
    pub fn next_due(&self) -> Option<Instant> {
        if self.ways.is_silent {
            return None;
        }
        self.replies.iter().map(|reply| reply.due.max(self.line_free)).min()
    }

    /// The next reply that leaves now.
    fn next_reply(&mut self) -> Option<Reply> {
        if self.line_free > self.now {
            return None;
        }
        if !self.ways.shuffles {
            return if self.replies.front()?.due <= self.now { self.replies.pop_front() } else { None };
        }
        let due: Vec<usize> = (0..self.replies.len()).filter(|at| self.replies[*at].due <= self.now).collect();
        self.replies.remove(*due.get(self.dice.below(due.len()))?)
    }

    /// Sends what is due: window, and replies in whatever order.
    pub fn answer(&mut self) {
        if self.ways.is_silent || !self.peer.is_idle() {
            return;
        }
        if self.owed > 0 && (self.owed >= self.ways.window / 4 || self.dice.below(3) == 0) {
            let grant = std::mem::take(&mut self.owed);
            self.window_left += grant;
            let mut adjust = vec![message::CHANNEL_WINDOW_ADJUST, 0, 0, 0, 0];
            adjust.put_u32(grant).unwrap();
            self.peer.tx.send(&[&adjust]).unwrap();
        }
        self.most_waiting = self.most_waiting.max(self.waiting);
        let mut stream = Vec::new();
        while let Some(reply) = self.next_reply() {
            if let Some(left) = self.ways.rekeys {
                self.ways.rekeys = left.checked_sub(1);
                if left == 0 {
                    self.replies.push_front(reply);
                    self.send_stream(&mut stream);
                    self.peer.begin().unwrap();
                    return;
                }
            }
            self.answered.push(reply.id);
            self.waiting -= reply.bytes.len();
            if self.ways.bandwidth > 0 {
                let time = reply.bytes.len() as f64 / f64::from(self.ways.bandwidth);
                self.line_free = self.now + Duration::from_secs_f64(time);
            }
            stream.extend_from_slice(&reply.bytes);
            if !self.ways.recuts {
                self.send_stream(&mut stream);
            }
            if self.ways.ends_after == Some(reply.kind) {
                self.send_stream(&mut stream);
                self.peer.tx.send(&[&[message::CHANNEL_EOF, 0, 0, 0, 0]]).unwrap();
                self.replies.clear();
                self.waiting = 0;
                self.ways.is_silent = true;
                return;
            }
            if self.ways.shuffles && self.dice.below(4) == 0 {
                break;
            }
        }
        self.send_stream(&mut stream);
    }

    fn send_stream(&mut self, stream: &mut Vec<u8>) {
        let mut rest = std::mem::take(stream);
        while !rest.is_empty() {
            let most = if self.ways.recuts { 1 + self.dice.below(4000) } else { 30_000 };
            let behind = rest.split_off(most.min(rest.len()));
            let mut packet = vec![message::CHANNEL_DATA, 0, 0, 0, 0];
            packet.put_string(&rest).unwrap();
            self.peer.tx.send(&[&packet]).unwrap();
            rest = behind;
        }
    }
}
