//! Packets, and the key exchange.

use std::ops::RangeInclusive;

use super::{Client, code, packet, strings};
use crate::crypto::{CbcCipher, HashAlgorithm, ModpGroup};
use crate::error::{Code, Result};
use crate::transport::cipher::{CipherAlgorithm, Keys, MacAlgorithm, Opener, Sealer};
use crate::transport::kex::server::Server;
use crate::transport::kex::{AwaitReply, Begun, Transcript};
use crate::transport::negotiate::{MethodType, Preferences};
use crate::transport::{Event, Rx, Transport, Tx, message};
use crate::wire::{Put, Reader};

const CHACHA: (CipherAlgorithm, bool) = (CipherAlgorithm::ChaCha20Poly1305, false);
const GCM: (CipherAlgorithm, bool) = (CipherAlgorithm::AesGcm(32), false);
const ETM: [(CipherAlgorithm, bool); 2] =
    [(CipherAlgorithm::AesCtr(16), true), (CipherAlgorithm::Cbc(CbcCipher::Aes(16)), true)];
const ALL: [(CipherAlgorithm, bool); 6] = [
    CHACHA,
    GCM,
    ETM[0],
    ETM[1],
    (CipherAlgorithm::AesCtr(32), false),
    (CipherAlgorithm::Cbc(CbcCipher::TripleDes), false),
];

/// What becomes of a packet that says to have `length` and has `body`, rightly sealed; `None` stands for no cipher. Much
/// comes behind it, so that nothing waits for more.
fn receive(kind: Option<(CipherAlgorithm, bool)>, length: u32, body: &[u8]) -> Result<Option<Vec<u8>>> {
    let (mut sealer, mut rx) = (Sealer::plain(), Rx::default());
    if let Some((cipher, encrypt_then_mac)) = kind {
        let mac = MacAlgorithm { hash: HashAlgorithm::Sha256, tag_len: 32, encrypt_then_mac };
        let (key, iv) = ([3; 64], [4; 16]);
        let (key, iv) = (&key[..cipher.key_len()], &iv[..cipher.iv_len()]);
        let keys = Keys { cipher, mac, key, iv, mac_key: &[5; 32] };
        sealer = Sealer::new(&keys)?;
        rx.rekey(Opener::new(&keys)?, false);
    }
    sealer.seal_as_it_is(0, length, body, rx.queue())?;
    rx.queue().put(&vec![6; 300_000])?;
    Ok(rx.packet()?.map(|range| rx.payload(range).to_vec()))
}

/// For every kind of cipher and none.
fn each(mut check: impl FnMut(Option<(CipherAlgorithm, bool)>)) {
    ALL.into_iter().map(Some).chain([None]).for_each(&mut check);
}

/// What makes a whole number of blocks, with the length field or without it.
fn fitting(kind: Option<(CipherAlgorithm, bool)>) -> usize {
    if kind.is_some_and(|(cipher, encrypt_then_mac)| encrypt_then_mac || cipher.is_aead()) { 32 } else { 28 }
}

/// So many bytes, a padding length first.
fn body(padding: u8, size: usize) -> Vec<u8> {
    [vec![padding], vec![message::IGNORE; size - 1]].concat()
}

#[test]
fn cve_2019_3855_a_packet_with_a_length_near_the_largest_number() {
    each(|kind| {
        for length in [u32::MAX, u32::MAX - 3, u32::MAX - 31, 0x8000_0000, 0x7fff_ffff, 256 * 1024 + 4] {
            assert_eq!(
                code(receive(kind, length, &body(4, fitting(kind)))),
                Some(Code::OutOfBoundary),
                "{kind:?} {length}"
            );
        }
    });
}

#[test]
fn cve_2019_3861_a_packet_of_nothing_but_padding_or_less() {
    each(|kind| {
        let size = fitting(kind);
        for padding in [size as u8 - 1, size as u8, 255, 3, 0] {
            let received = receive(kind, size as u32, &body(padding, size));
            assert_eq!(code(received), Some(Code::Decrypt), "{kind:?} {padding}");
        }
        let received = receive(kind, size as u32, &body(size as u8 - 2, size));
        assert_eq!(received, Ok(Some(vec![message::IGNORE])), "{kind:?}");
    });
}

#[test]
fn cve_2020_22218_a_packet_without_a_payload() {
    each(|kind| {
        for length in 0..=5 {
            assert_eq!(code(receive(kind, length, &body(4, fitting(kind)))), Some(Code::Decrypt), "{kind:?} {length}");
        }
    });
    assert_eq!(code(Client::logged_in().hear(&[])), Some(Code::Decrypt));
}

#[test]
fn cve_2026_55200_chacha20_poly1305_with_a_length_of_all_ones() {
    for length in [u32::MAX, u32::MAX - 15, u32::MAX - 20] {
        assert_eq!(code(receive(Some(CHACHA), length, &body(4, 32))), Some(Code::OutOfBoundary));
    }
}

#[test]
fn ghsa_x4g5_mgfc_cxvv_chacha20_poly1305_with_a_length_of_1_to_3() {
    for length in 0..=7 {
        let body = body(4, 8);
        assert_eq!(code(receive(Some(CHACHA), length, &body[..length as usize])), Some(Code::Decrypt));
    }
}

#[test]
fn ghsa_c4f7_cvfc_33j7_aes_gcm_with_less_than_a_tag() {
    for length in 0..=15 {
        let body = body(4, 16);
        assert_eq!(code(receive(Some(GCM), length, &body[..length as usize])), Some(Code::Decrypt));
    }
    // The tag itself may be still to come.
    let mut rx = Rx::default();
    let (cipher, _) = GCM;
    let mac = MacAlgorithm { hash: HashAlgorithm::Sha256, tag_len: 32, encrypt_then_mac: false };
    rx.rekey(Opener::new(&Keys { cipher, mac, key: &[0; 32], iv: &[0; 12], mac_key: &[] }).unwrap(), false);
    rx.queue().put(&[&[0, 0, 0, 16][..], &[0; 31]].concat()).unwrap();
    assert_eq!(rx.packet(), Ok(None));
    rx.queue().put(&[0]).unwrap();
    assert_eq!(code(rx.packet()), Some(Code::Decrypt));
}

#[test]
fn ghsa_6c79_444r_wx26_encrypt_then_mac_with_less_than_a_block() {
    for (kind, length) in ETM.into_iter().flat_map(|kind| (0..=15).map(move |length| (kind, length))) {
        // What no block cipher can seal is refused before anybody opens it.
        let body = body(4, 16);
        assert_eq!(code(receive(Some(kind), length, &body)), Some(Code::Decrypt), "{kind:?} {length}");
    }
}

#[test]
fn cve_2015_1782_lists_of_a_kexinit_that_run_past_its_end() {
    let preferences = Preferences::new().unwrap();
    let whole = preferences.kexinit(&[0; 16], false).unwrap();
    let mut reader = Reader::new(&whole[17..]);
    for _ in 0..10 {
        let place = whole.len() - reader.rest().len();
        for length in [u32::MAX, 0x7fff_ffff, (reader.rest().len() - 3) as u32] {
            let mut kexinit = whole.clone();
            kexinit[place..place + 4].copy_from_slice(&length.to_be_bytes());
            assert_eq!(code(preferences.agree(&kexinit)), Some(Code::KexFailure), "{place}");
        }
        reader.string().unwrap();
    }
}

/// What becomes of the server's packets in that key exchange.
fn exchange(kex: &str, packets: &[Vec<u8>]) -> Option<Code> {
    let mut preferences = Preferences::new().unwrap();
    preferences.set(MethodType::Kex, kex.as_bytes()).unwrap();
    let kexinit = preferences.kexinit(&[0; 16], false).unwrap();
    let agreement = preferences.agree(&kexinit).unwrap();
    let transcript = Transcript {
        client_ident: b"client".to_vec(),
        server_ident: b"server".to_vec(),
        client_kexinit: kexinit.clone(),
        server_kexinit: kexinit,
    };
    let (begun, _) = Begun::begin(agreement.kex.algorithm).unwrap();
    let mut state = Some(AwaitReply::new(agreement, transcript, begun, 0));
    for packet in packets {
        match state.take().unwrap().handle(packet) {
            Ok(crate::transport::kex::Step::Again(next, _)) => state = Some(*next),
            Ok(_) => return None,
            Err(error) => return Some(error.code),
        }
    }
    None
}

#[test]
fn cve_2019_13115_a_group_of_the_server_that_is_cut_short() {
    let group = ModpGroup::well_known(2048).unwrap();
    let whole = strings(&[message::KEX_DH_GEX_GROUP], &[&[&[0][..], group.prime()].concat(), &[2]]);
    let kex = "diffie-hellman-group-exchange-sha256";
    assert_eq!(exchange(kex, std::slice::from_ref(&whole)), None);
    for length in 0..whole.len() {
        assert_eq!(exchange(kex, &[whole[..length].to_vec()]), Some(Code::KeyExchangeFailure), "{length}");
    }
    for place in [1, 1 + 4 + 257] {
        let mut packet = whole.clone();
        packet[place..place + 4].fill(0xff);
        assert_eq!(exchange(kex, &[packet]), Some(Code::KeyExchangeFailure));
    }
}

#[test]
fn ghsa_m9rg_h9jv_9gvh_a_public_value_that_gives_the_secret_away() {
    let prime = ModpGroup::well_known(2048).unwrap().prime().to_vec();
    let at = |last: u8| [&[0][..], &prime[..255], &[last]].concat();
    for value in [vec![], vec![0], vec![1], vec![2], at(0xfe), at(0xff), [&[0][..], &prime, &[0]].concat()] {
        let reply = strings(&[message::KEX_ECDH_REPLY], &[b"host key", &value, b"signature"]);
        assert_eq!(exchange("diffie-hellman-group14-sha256", &[reply]), Some(Code::KeyExchangeFailure));
    }
    for kex in ["curve25519-sha256", "ecdh-sha2-nistp256"] {
        let reply = strings(&[message::KEX_ECDH_REPLY], &[b"host key", &[0; 32], b"signature"]);
        assert_eq!(exchange(kex, &[reply]), Some(Code::KeyExchangeFailure));
    }
}

/// Takes in what the server has to say.
fn deliver(client: &mut Transport, server: &mut Server) -> Result<()> {
    let mut queue = client.lend_incoming()?;
    queue.put(server.tx.queue().filled())?;
    server.tx.queue().consume(usize::MAX);
    client.return_incoming(queue, 0);
    while client.packet()?.is_some() {}
    let queue = client.tx.queue();
    server.take_in(queue.filled())?;
    queue.consume(usize::MAX);
    Ok(())
}

#[test]
fn cve_2023_48795_messages_slipped_into_a_strict_key_exchange() {
    // At which of the server's messages somebody on the line slips one in.
    for (place, slipped) in (0..3).flat_map(|place| [message::IGNORE, message::DEBUG].map(|number| (place, number))) {
        let (mut client, mut server) = (Transport::new().unwrap(), Server::new(true).unwrap());
        client.start(0).unwrap();
        let slip = |server: &mut Server, here| {
            if here == place {
                server.tx.send_now(&[&[slipped, 0, 0, 0, 0]]).unwrap();
            }
        };
        slip(&mut server, 0);
        server.begin().unwrap();
        slip(&mut server, 1);
        let result: Result<()> = (0..4).try_for_each(|round| {
            deliver(&mut client, &mut server)?;
            if round == 0 {
                slip(&mut server, 2);
            }
            Ok(())
        });
        let refused = if place == 2 { client.is_established() && result.is_ok() } else { result.is_err() };
        assert!(refused, "place {place}: {result:?}");
    }
    // Numbers begin anew with the keys: what was left out before cannot be made up for behind them.
    let (mut client, mut server) = (Transport::new().unwrap(), Server::new(true).unwrap());
    client.start(0).unwrap();
    server.begin().unwrap();
    (0..4).for_each(|_| deliver(&mut client, &mut server).unwrap());
    assert!(client.is_established());
    server.tx.rekey(Sealer::plain(), false);
    server.tx.send(&[&[message::IGNORE, 0, 0, 0, 0]]).unwrap();
    assert!(deliver(&mut client, &mut server).is_err());
}

#[test]
fn cve_2026_55199_extensions_in_the_billions() {
    let mut client = Client::new();
    client.hear(&packet(message::EXT_INFO, &[1023])).unwrap();
    for count in [1024, 0x7fff_ffff, u32::MAX] {
        assert_eq!(code(Client::new().hear(&packet(message::EXT_INFO, &[count]))), Some(Code::Proto));
    }
}

#[test]
fn cve_2019_17498_a_disconnect_whose_text_runs_past_its_end() {
    for length in [u32::MAX, 0x7fff_ffff, 7] {
        let mut client = Client::new();
        let said = [&packet(message::DISCONNECT, &[11, length])[..], b"go off"].concat();
        assert_eq!(code(client.hear(&said)), Some(Code::SocketDisconnect));
        let nothing = Event::Disconnect { reason: 11, message: Vec::new(), language: Vec::new() };
        assert_eq!(client.session.transport.take_events(), [nothing]);
    }
    for length in 1..9 {
        let mut client = Client::new();
        assert_eq!(code(client.hear(&packet(message::DISCONNECT, &[11, 0])[..length])), Some(Code::SocketDisconnect));
    }
}

/// The lengths that a packet may have are few enough to try them all, where nothing is encrypted.
#[test]
fn every_length_of_a_plain_packet_is_taken_or_refused() {
    let lengths: RangeInclusive<u32> = 0..=300;
    for length in lengths {
        let mut tx = Tx::default();
        let mut sealer = Sealer::plain();
        sealer.seal_as_it_is(0, length, &body(4, 300), tx.queue()).unwrap();
        let mut rx = Rx::default();
        rx.queue().put(tx.queue().filled()).unwrap();
        let fits = length >= 12 && (length + 4) % 8 == 0;
        assert_eq!(rx.packet().is_ok(), fits, "{length}");
    }
}
