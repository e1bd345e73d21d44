//! Channels, SFTP and the publickey subsystem.

use super::{Client, code, packet, strings};
use crate::error::Code;
use crate::publickey::{self, PublickeyId};
use crate::sftp::{self, Attributes, Link, Open, SftpId};
use crate::transport::message;
use crate::wire::Put;

/// A request of the server on channel 0.
fn request(name: &[u8], rest: &[u8]) -> Vec<u8> {
    [&strings(&packet(message::CHANNEL_REQUEST, &[0]), &[name])[..], &[0], rest].concat()
}

#[test]
fn cve_2019_3857_an_exit_signal_of_more_than_there_is() {
    for length in [u32::MAX, u32::MAX - 4, 0x7fff_ffff, 5] {
        let (mut client, id) = Client::with_channel();
        let said = request(b"exit-signal", &[&length.to_be_bytes()[..], b"TERM"].concat());
        assert_eq!(code(client.hear(&said)), Some(Code::Proto));
        assert_eq!(client.session.channels.get(id).unwrap().exit_signal, None);
    }
}

#[test]
fn cve_2019_3862_an_exit_status_without_a_status() {
    for length in 0..4 {
        let (mut client, id) = Client::with_channel();
        assert_eq!(code(client.hear(&request(b"exit-status", &[0; 4][..length]))), Some(Code::Proto));
        assert_eq!(client.session.channels.get(id).unwrap().exit_status, None);
    }
}

#[test]
fn ghsa_53q9_wmqr_fh7c_exit_signals_without_end() {
    let (mut client, id) = Client::with_channel();
    for number in 0..20_000_u32 {
        let name = format!("SIGNAL{number}{}", "x".repeat(1000));
        let fields = [&strings(b"", &[name.as_bytes()])[..], &[0], &strings(b"", &[b"", b""])].concat();
        client.hear(&request(b"exit-signal", &fields)).unwrap();
        let kept = client.session.channels.get(id).unwrap().exit_signal.as_ref().unwrap();
        assert!(kept == name.as_bytes() && kept.capacity() <= name.len());
    }
}

/// Every message about channels as it should be, each cut anywhere.
#[test]
fn cve_2019_3859_channel_messages_shorter_than_their_fields() {
    let with_text = |number, fields: &[u32]| strings(&packet(number, fields), &[b"text"]);
    let open = [&strings(&[message::CHANNEL_OPEN], &[b"forwarded-tcpip"])[..], &packet(0, &[1, 2, 3])[1..]].concat();
    let messages = [
        (packet(message::CHANNEL_OPEN_CONFIRMATION, &[0, 1, 2, 3]), 17),
        (packet(message::CHANNEL_WINDOW_ADJUST, &[0, 1]), 9),
        (with_text(message::CHANNEL_DATA, &[0]), 13),
        (with_text(message::CHANNEL_EXTENDED_DATA, &[0, 1]), 17),
        (packet(message::CHANNEL_EOF, &[0]), 5),
        (packet(message::CHANNEL_CLOSE, &[0]), 5),
        (request(b"exit-status", &[0, 0, 0, 1]), 25),
        (strings(&open, &[b"host"]), open.len() + 8),
        (strings(&[message::GLOBAL_REQUEST], &[b"name"]), 9),
    ];
    for (whole, needed) in messages {
        for length in 1..needed {
            let (mut client, _) = Client::with_channel();
            assert_eq!(code(client.hear(&whole[..length])), Some(Code::Proto), "{whole:?} {length}");
        }
    }
}

fn sftp() -> (Client, SftpId) {
    let mut client = Client::logged_in();
    let mut init = sftp::Init::begin(&mut client.session).unwrap();
    client.hear(&packet(message::CHANNEL_OPEN_CONFIRMATION, &[0, 0, 100_000, 1000])).unwrap();
    assert!(client.waits(&mut init));
    client.hear(&packet(message::CHANNEL_SUCCESS, &[0])).unwrap();
    client.hear_data(&[0, 0, 0, 5, 2, 0, 0, 0, 3]).unwrap();
    let sftp = client.finish(&mut init).unwrap();
    (client, sftp)
}

/// An SFTP packet that answers the first request.
fn reply(kind: u8, body: &[u8]) -> Vec<u8> {
    strings(b"", &[&[&packet(kind, &[0])[..], body].concat()])
}

/// What a question for attributes gives when the server says that.
fn stat(said: &[u8]) -> Result<Attributes, Code> {
    let (mut client, sftp) = sftp();
    let mut ask = sftp::stat(&mut client.session, sftp, b"file", true).unwrap();
    assert!(client.waits(&mut ask));
    client.hear_data(said).unwrap();
    client.finish(&mut ask).map_err(|error| error.code)
}

#[test]
fn cve_2019_3858_an_sftp_packet_of_length_0() {
    assert_eq!(stat(&[0; 4]).err(), Some(Code::OutOfBoundary));
    assert_eq!(stat(&[0; 64]).err(), Some(Code::OutOfBoundary));
}

#[test]
fn cve_2019_3860_sftp_replies_shorter_than_their_heads() {
    for length in 1..5 {
        let said = strings(b"", &[&reply(101, &[0; 8])[4..4 + length]]);
        assert_eq!(stat(&said).err(), Some(Code::OutOfBoundary), "{length}");
    }
    // Types that answer it, and some that do not.
    for kind in [101, 102, 103, 104, 105, 201, 2, 0, 255] {
        for length in 0..4 {
            assert_eq!(stat(&reply(kind, &[0; 4][..length])).err(), Some(Code::SftpProtocol), "{kind} {length}");
        }
    }
    assert!(stat(&reply(105, &[0; 4])).is_ok());
}

#[test]
fn cve_2025_15661_names_of_links_that_run_past_their_end() {
    let whole = [&strings(&[0, 0, 0, 1], &[b"target", b"-rw-r--r--"])[..], &[0; 4]].concat();
    for kind in [Link::Target, Link::Real] {
        let follow = |body: &[u8]| {
            let (mut client, id) = sftp();
            let mut ask = sftp::read_link(&mut client.session, id, b"link", kind).unwrap();
            client.hear_data(&reply(104, body)).unwrap();
            client.finish(&mut ask).map_err(|error| error.code)
        };
        assert_eq!(follow(&whole).as_deref(), Ok(&b"target"[..]));
        for length in [7 + 18, 0x7fff_ffff, u32::MAX - 3, u32::MAX] {
            let said = [&[0, 0, 0, 1][..], &length.to_be_bytes(), b"target"].concat();
            assert_eq!(follow(&said), Err(Code::SftpProtocol), "{length}");
        }
        for length in 0..4 + 4 + 6 {
            assert_eq!(follow(&whole[..length]), Err(Code::SftpProtocol), "{length}");
        }
    }
}

#[test]
fn ghsa_px3w_7g75_hg7w_an_open_that_is_granted_without_a_handle() {
    let ok = reply(101, &[0; 12]);
    let (mut client, id) = sftp();
    let mut open = Open::file(&mut client.session, id, b"file", 1, 0, None).unwrap();
    client.hear_data(&ok).unwrap();
    // Some servers say so first.
    assert!(client.waits(&mut open));
    client.hear_data(&reply(102, b"\0\0\0\x02ab")).unwrap();
    assert!(client.finish(&mut open).is_ok());

    for said in [reply(101, b"\0\0\0\x04\0\0\0\0\0\0\0\0"), reply(102, b"\0\0\0\x09ab"), reply(102, b"")] {
        let (mut client, id) = sftp();
        let mut open = Open::file(&mut client.session, id, b"file", 1, 0, None).unwrap();
        client.hear_data(&ok).unwrap();
        assert!(client.waits(&mut open));
        client.hear_data(&said).unwrap();
        assert_eq!(code(client.finish(&mut open)), Some(Code::SftpProtocol));
        let mut stat = sftp::stat(&mut client.session, id, b"file", true).unwrap();
        assert!(client.waits(&mut stat), "the next request is one of its own");
    }
}

fn subsystem() -> (Client, PublickeyId) {
    let mut client = Client::logged_in();
    let mut init = publickey::Init::begin(&mut client.session).unwrap();
    client.hear(&packet(message::CHANNEL_OPEN_CONFIRMATION, &[0, 0, 100_000, 1000])).unwrap();
    assert!(client.waits(&mut init));
    client.hear(&packet(message::CHANNEL_SUCCESS, &[0])).unwrap();
    assert!(client.waits(&mut init));
    let version = [&strings(b"", &[b"version"])[..], &[0, 0, 0, 2]].concat();
    client.hear_data(&strings(b"", &[&version])).unwrap();
    let subsystem = client.finish(&mut init).unwrap();
    (client, subsystem)
}

/// A key as the server lists it, and where its lengths are.
fn listed() -> (Vec<u8>, [usize; 5]) {
    let mut key = strings(b"", &[b"publickey", b"ssh-rsa", b"blob"]);
    let count = key.len();
    key.put_u32(1).unwrap();
    (strings(&key, &[b"comment", b"words"]), [13, 24, count, count + 4, count + 15])
}

/// What a list of keys ends with when the server says these packets.
fn list(said: &[&[u8]]) -> Option<Code> {
    let (mut client, id) = subsystem();
    let mut list = publickey::Ask::list(&mut client.session, id).unwrap();
    client.hear_data(&strings(b"", said)).unwrap();
    code(client.finish(&mut list))
}

#[test]
fn ghsa_w8q5_9hq2_h9pr_lists_of_keys_with_lengths_past_their_end() {
    let (whole, places) = listed();
    let broken = places.into_iter().flat_map(|place| {
        [u32::MAX, 0x7fff_ffff, 200].map(|length| {
            let mut key = whole.clone();
            key[place..place + 4].copy_from_slice(&length.to_be_bytes());
            key
        })
    });
    let cut = (13..whole.len()).map(|length| whole[..length].to_vec());
    for key in broken.chain(cut) {
        assert_eq!(list(&[&key]), Some(Code::PublickeyProtocol), "{key:?}");
    }
}

#[test]
fn cve_2026_58050_lists_of_more_attributes_than_memory() {
    for count in [2, 1024, 0x1000_0000, 0x2000_0001, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let (mut key, [.., attributes, _, _]) = listed();
        key[attributes..attributes + 4].copy_from_slice(&count.to_be_bytes());
        assert_eq!(list(&[&key]), Some(Code::PublickeyProtocol), "{count}");
    }
}

#[test]
fn cve_2026_58051_a_list_of_keys_that_breaks_off() {
    let (whole, _) = listed();
    let refusal = [&strings(b"", &[b"status"])[..], &[0, 0, 0, 7], &[0; 8]].concat();
    for end in [&whole[..whole.len() - 1], &refusal, b"\0\0\0\x09status"] {
        let (mut client, id) = subsystem();
        let mut list = publickey::Ask::list(&mut client.session, id).unwrap();
        client.hear_data(&strings(b"", &[&whole, &whole, end])).unwrap();
        assert_eq!(code(client.finish(&mut list)), Some(Code::PublickeyProtocol));
        drop(list);
        assert!(publickey::Shutdown::begin(&mut client.session, id).is_ok());
    }
}

#[test]
fn ghsa_w6g9_cpfp_22gc_a_list_of_packets_too_short_for_a_name() {
    for said in [&b"\0"[..], b"\0\0", b"\0\0\0", b"\0\0\0\x09", b"\0\0\0\x09publicke", b"\xff\xff\xff\xffstatus"] {
        assert_eq!(list(&[&listed().0, said]), Some(Code::PublickeyProtocol), "{said:?}");
    }
}
