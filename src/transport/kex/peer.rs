//! A server in memory, and what a client that exchanges keys with it must bear. Its bytes come in pieces of any size.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::server::{HOST_KEYS, Server};
use super::*;
use crate::crypto::PrivateKey;
use crate::crypto::testing::Issue;
use crate::transport::negotiate::MethodType;
use crate::transport::{RekeyLimits, Transport};

/// When all this is.
const NOW: u64 = 1_700_000_000;
/// A number that belongs to no storey below the test.
const DATA: u8 = message::CHANNEL_DATA;

/// A client, a server, and the bytes between them.
struct Link {
    client: Transport,
    server: Server,
    piece: usize,
    now: Instant,
    heard: Vec<Vec<u8>>,
}

impl Link {
    fn new(strict: bool, piece: usize) -> Self {
        Self::with(&[], strict, piece)
    }

    /// Under the given methods, the same in both directions.
    fn with(methods: &[(MethodType, &[u8])], strict: bool, piece: usize) -> Self {
        let mut client = Transport::new().unwrap();
        methods.iter().try_for_each(|(kind, name)| client.preferences.set(*kind, name)).unwrap();
        let mut link = Self::between(client, Server::new(strict).unwrap(), piece);
        link.run().unwrap();
        assert!(link.client.is_established());
        link
    }

    fn between(mut client: Transport, mut server: Server, piece: usize) -> Self {
        client.start(NOW).unwrap();
        server.begin().unwrap();
        Self { client, server, piece, now: Instant::now(), heard: Vec::new() }
    }

    /// Both prefer a certificate to the bare key, and the server has one.
    fn certified(valid: Range<u64>) -> Self {
        const NAMES: &[u8] = b"ssh-ed25519-cert-v01@openssh.com,ssh-ed25519";
        let (mut client, mut server) = (Transport::new().unwrap(), Server::new(true).unwrap());
        client.preferences.set(MethodType::HostKey, NAMES).unwrap();
        server.lists.set(MethodType::HostKey, NAMES).unwrap();
        let authority = PrivateKey::parse(HOST_KEYS[1].as_bytes(), None).unwrap();
        server.certificate = Some(Issue { valid, ..Issue::new(&server.host_key, &authority, "host") }.write());
        Self::between(client, server, 100)
    }

    /// Both talk, a piece at a time in each direction, until neither has anything to say.
    fn run(&mut self) -> Result<()> {
        let (mut up, mut down) = (VecDeque::new(), VecDeque::new());
        loop {
            let queue = self.client.tx.queue();
            up.extend(queue.filled().iter().copied());
            queue.consume(usize::MAX);
            let queue = self.server.tx.queue();
            down.extend(queue.filled().iter().copied());
            queue.consume(usize::MAX);
            if up.is_empty() && down.is_empty() {
                return Ok(());
            }
            let piece: Vec<u8> = up.drain(..self.piece.min(up.len())).collect();
            self.server.take_in(&piece)?;
            let piece: Vec<u8> = down.drain(..self.piece.min(down.len())).collect();
            self.client.rx.queue().put(&piece)?;
            self.client.tend_keys(self.now, PATIENCE)?;
            while let Some(range) = self.client.packet()? {
                self.heard.push(self.client.split(range).0.to_vec());
            }
        }
    }

    /// Numbered packets of `size` bytes, so many in each direction.
    fn talk(&mut self, from: u32, count: u32, size: usize) {
        for number in from..from + count {
            let payload = [&[DATA], &number.to_be_bytes()[..], &vec![0; size]].concat();
            self.client.tx.send(&[&payload]).unwrap();
            self.server.tx.send(&[&payload]).unwrap();
        }
    }

    fn check(&self, count: u32) {
        let numbers = |heard: &[Vec<u8>]| -> Vec<u32> {
            heard.iter().map(|packet| u32::from_be_bytes(packet[1..5].try_into().unwrap())).collect()
        };
        assert_eq!(numbers(&self.heard), (0..count).collect::<Vec<_>>());
        assert_eq!(numbers(&self.server.heard), (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn a_server_that_does_not_go_on_is_given_up() {
    let mut link = Link::new(true, usize::MAX);
    link.client.rekey_limits.packets = 1;
    link.talk(0, 1, 1);
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    // As long as something comes, it may be that the answer is on its way behind it.
    for _ in 0..3 {
        link.now += PATIENCE / 2;
        link.server.tx.send(&[&[DATA, 0]]).unwrap();
        let queue = link.server.tx.queue();
        link.client.rx.queue().put(queue.filled()).unwrap();
        queue.consume(usize::MAX);
        while link.client.packet().unwrap().is_some() {}
        link.client.tend_keys(link.now, PATIENCE).unwrap();
        assert_eq!(link.client.keys_want_tending(), Some(link.now + PATIENCE));
    }
    link.now += PATIENCE - Duration::from_millis(1);
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    link.client.check_silence(link.now).unwrap();
    link.now += Duration::from_millis(1);
    // The time alone is no reason: what the server has said may not have been looked at.
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    assert_eq!(link.client.check_silence(link.now).unwrap_err().code, Code::Timeout);
    assert_eq!(link.client.check().unwrap_err().code, Code::Timeout);
}

const PATIENCE: Duration = Duration::from_secs(60);
const PIECES: [usize; 4] = [1, 7, 1000, usize::MAX];

#[test]
fn the_client_exchanges_keys_anew_by_volume_and_nothing_is_lost() {
    for (strict, piece) in [false, true].into_iter().flat_map(|strict| PIECES.map(|piece| (strict, piece))) {
        let mut link = Link::new(strict, piece);
        link.client.rekey_limits = RekeyLimits { bytes: 3000, ..RekeyLimits::default() };
        for round in 0..10 {
            link.talk(round * 10, 10, 100);
            link.run().unwrap();
        }
        link.check(100);
        assert!((3..=11).contains(&link.server.exchanges), "{} with pieces of {piece}", link.server.exchanges);
    }
}

#[test]
fn each_family_of_ciphers_exchanges_keys_anew_whoever_begins() {
    const FAMILIES: [(&[u8], &[u8]); 7] = [
        (b"aes256-gcm@openssh.com", b"hmac-sha2-256"),
        (b"chacha20-poly1305@openssh.com", b"hmac-sha2-256"),
        (b"aes256-ctr", b"hmac-sha2-512-etm@openssh.com"),
        (b"aes128-ctr", b"hmac-sha2-256"),
        (b"aes256-cbc", b"hmac-sha2-256-etm@openssh.com"),
        (b"aes128-cbc", b"hmac-sha2-512"),
        (b"rijndael-cbc@lysator.liu.se", b"hmac-sha2-512"),
    ];
    for ((cipher, mac), strict) in FAMILIES.into_iter().flat_map(|family| [(family, false), (family, true)]) {
        let methods = [
            (MethodType::CryptCs, cipher),
            (MethodType::CryptSc, cipher),
            (MethodType::MacCs, mac),
            (MethodType::MacSc, mac),
        ];
        let mut link = Link::with(&methods, strict, 777);
        assert_eq!(link.client.method_name(MethodType::CryptSc).unwrap().to_bytes(), cipher);
        link.client.rekey_limits.bytes = 5000;
        for round in 0..6 {
            link.talk(round * 20, 20, 300);
            if round == 3 {
                link.server.begin().unwrap();
                link.client.rekey_limits = RekeyLimits::default();
            }
            link.run().unwrap();
        }
        link.check(120);
        assert!(link.server.exchanges >= 5, "{} under {}", link.server.exchanges, cipher.escape_ascii());
    }
}

#[test]
fn the_last_word_on_signature_algorithms_counts() {
    let mut link = Link::new(true, 100);
    let algorithms = |link: &Link| link.client.server_sig_algs().map(|names| names.map(<[u8]>::to_vec).collect());
    assert_eq!(algorithms(&link), None::<Vec<_>>);
    for names in ["rsa-sha2-512", "ssh-ed25519,rsa-sha2-256"] {
        let mut packet = vec![message::EXT_INFO, 0, 0, 0, 2];
        for text in ["no-flow-control", "p", "server-sig-algs", names] {
            packet.put_string(text.as_bytes()).unwrap();
        }
        link.server.tx.send(&[&packet]).unwrap();
        link.run().unwrap();
        assert_eq!(algorithms(&link), Some(names.split(',').map(|name| name.as_bytes().to_vec()).collect()));
    }
    // One that is about something else takes nothing back.
    link.server.tx.send(&[&[message::EXT_INFO, 0, 0, 0, 0]]).unwrap();
    link.run().unwrap();
    assert_eq!(algorithms(&link).map(|names: Vec<_>| names.len()), Some(2));
}

#[test]
fn a_ping_is_answered_also_in_a_later_exchange() {
    let ping = [message::PING, 0, 0, 0, 1, 7];
    let mut link = Link::new(true, 100);
    link.server.tx.send(&[&ping]).unwrap();
    link.run().unwrap();
    assert_eq!(link.server.heard.pop().as_deref(), Some(&[message::PONG, 0, 0, 0, 1, 7][..]));
    // On its way before our KEXINIT has come: the answer waits for the new keys.
    link.client.rekey_limits.packets = 1;
    link.talk(0, 1, 1);
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    link.server.tx.send(&[&ping]).unwrap();
    link.client.rekey_limits = RekeyLimits::default();
    link.run().unwrap();
    assert_eq!(link.server.heard.pop().as_deref(), Some(&[message::PONG, 0, 0, 0, 1, 7][..]));
    assert_eq!(link.server.exchanges, 2);
    link.check(1);
}

#[test]
fn the_client_exchanges_keys_anew_by_packets_and_by_time() {
    let mut link = Link::new(true, 1000);
    link.client.rekey_limits.packets = 20;
    link.talk(0, 25, 1);
    link.run().unwrap();
    assert_eq!(link.server.exchanges, 2);

    let hour = Duration::from_secs(3600);
    link.client.rekey_limits = RekeyLimits::default();
    link.talk(25, 1, 1);
    link.run().unwrap();
    assert_eq!(link.client.keys_want_tending(), Some(link.now + hour));
    link.now += hour;
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    link.run().unwrap();
    assert_eq!(link.server.exchanges, 3);
    // A connection on which nothing happens is left alone.
    link.now += hour;
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    link.run().unwrap();
    assert_eq!((link.server.exchanges, link.client.keys_want_tending()), (3, None));
    link.check(26);
}

#[test]
fn the_server_may_begin_and_both_may_begin_at_once() {
    for (strict, piece) in [false, true].into_iter().flat_map(|strict| PIECES.map(|piece| (strict, piece))) {
        let mut link = Link::new(strict, piece);
        link.talk(0, 5, 50);
        link.server.begin().unwrap();
        link.talk(5, 5, 50);
        link.run().unwrap();
        assert_eq!(link.server.exchanges, 2);
        link.server.begin().unwrap();
        link.client.rekey_limits.packets = 1;
        link.talk(10, 5, 50);
        link.client.tend_keys(link.now, PATIENCE).unwrap();
        link.client.rekey_limits = RekeyLimits::default();
        link.talk(15, 5, 50);
        link.run().unwrap();
        assert_eq!(link.server.exchanges, 3);
        link.check(20);
    }
}

#[test]
fn what_is_sent_during_an_exchange_waits_for_its_end_and_counts_as_not_flushed() {
    let mut link = Link::new(true, usize::MAX);
    link.client.rekey_limits.packets = 1;
    link.talk(0, 1, 1);
    link.client.tend_keys(link.now, PATIENCE).unwrap();
    link.talk(1, 1, 1);
    assert!(!link.client.tx.has_room() && !link.client.tx.is_flushed());
    link.client.rekey_limits = RekeyLimits::default();
    link.run().unwrap();
    assert!(link.client.tx.has_room() && link.client.tx.is_flushed());
    link.check(2);
}

#[test]
fn another_host_key_in_a_later_exchange_is_refused() {
    let mut link = Link::new(true, usize::MAX);
    link.server.host_key = PrivateKey::parse(HOST_KEYS[1].as_bytes(), None).unwrap();
    link.server.begin().unwrap();
    assert_eq!(link.run().unwrap_err().code, Code::KeyExchangeFailure);
    assert_eq!(link.client.check().unwrap_err().code, Code::KeyExchangeFailure);
}

#[test]
fn a_certificate_is_shown_and_holds_for_the_whole_connection() {
    let mut link = Link::certified(NOW..NOW + 1);
    link.run().unwrap();
    assert_eq!(Some(link.client.host_key()), link.server.certificate.as_deref());
    link.server.begin().unwrap();
    link.run().unwrap();
    assert_eq!(link.server.exchanges, 2);
    link.server.certificate = Link::certified(NOW..NOW + 2).server.certificate;
    link.server.begin().unwrap();
    assert_eq!(link.run().unwrap_err().code, Code::KeyExchangeFailure, "another one");
}

#[test]
fn a_certificate_that_does_not_hold_ends_the_handshake() {
    for (valid, why) in [(NOW + 1..NOW + 2, "not valid yet"), (0..NOW, "expired")] {
        let error = Link::certified(valid).run().unwrap_err();
        assert_eq!(error.code, Code::KeyExchangeFailure);
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn data_between_the_servers_kexinit_and_its_new_keys_is_refused() {
    let mut link = Link::new(true, usize::MAX);
    link.server.begin().unwrap();
    link.server.tx.send_now(&[&[DATA, 0]]).unwrap();
    assert_eq!(link.run().unwrap_err().code, Code::Proto);
}
