//! Channels fed by hand: what the server says, and what is queued in answer.

use super::*;
use crate::wire::Put;

#[derive(Default)]
struct World {
    channels: Channels,
    tx: Tx,
    sftps: Sftps,
}

/// A packet: its number, and fields that are numbers or strings.
macro_rules! packet {
    ($kind:expr $(, $field:expr)*) => {{
        let mut packet = vec![$kind];
        $($field.put_into(&mut packet);)*
        packet
    }};
}

trait Field {
    fn put_into(&self, packet: &mut Vec<u8>);
}

impl Field for u32 {
    fn put_into(&self, packet: &mut Vec<u8>) {
        packet.put_u32(*self).unwrap();
    }
}

impl Field for &str {
    fn put_into(&self, packet: &mut Vec<u8>) {
        packet.put_string(self.as_bytes()).unwrap();
    }
}

impl World {
    fn hear(&mut self, packet: Vec<u8>) -> Result<()> {
        self.channels.on_packet(&packet, &mut self.tx, &mut self.sftps, &mut Sink::none())
    }

    /// The payloads queued since the last call.
    fn said(&mut self) -> Vec<Vec<u8>> {
        let queue = self.tx.queue();
        let bytes = queue.filled().to_vec();
        queue.consume(bytes.len());
        let mut rest = &bytes[..];
        let mut packets = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            let padding = rest[4] as usize;
            packets.push(rest[5..4 + length - padding].to_vec());
            rest = &rest[4 + length..];
        }
        packets
    }

    fn asked(&mut self) -> ChannelId {
        self.channels.add(ReceiveWindow::new(1000), Consumer::Program).unwrap().id()
    }

    fn open(&mut self) -> ChannelId {
        let id = self.asked();
        self.hear(packet!(message::CHANNEL_OPEN_CONFIRMATION, id.number, 70 + id.number, 500_u32, 100_u32)).unwrap();
        id
    }
}

#[test]
fn channels_of_the_server_need_somebody_who_takes_them() {
    let mut world = World::default();
    let x11 = packet!(message::CHANNEL_OPEN, "x11", 9_u32, 800_u32, 100_u32, "127.0.0.1", 6010_u32);
    let reason = |said: Vec<Vec<u8>>| {
        assert_eq!((said.len(), said[0][0]), (1, message::CHANNEL_OPEN_FAILURE));
        (u32::from_be_bytes(said[0][1..5].try_into().unwrap()), said[0][8])
    };
    world.hear(x11.clone()).unwrap();
    assert_eq!(reason(world.said()), (9, 4));
    world.hear(packet!(message::CHANNEL_OPEN, "unheard-of", 8_u32, 800_u32, 100_u32)).unwrap();
    assert_eq!(reason(world.said()), (8, 3));
    world
        .hear(packet!(message::CHANNEL_OPEN, "forwarded-tcpip", 7_u32, 800_u32, 100_u32, "host", 22_u32, "h", 1_u32))
        .unwrap();
    assert_eq!(reason(world.said()), (7, 1));

    world.channels.accepts.x11 = true;
    world.hear(packet!(message::CHANNEL_OPEN, "x11", 9_u32, 800_u32, 100_u32)).unwrap();
    assert_eq!(reason(world.said()), (9, 2));
    world.hear(x11).unwrap();
    assert_eq!(world.said(), [packet!(message::CHANNEL_OPEN_CONFIRMATION, 9_u32, 0_u32, DEFAULT_WINDOW, 32768_u32)]);
    let opened = world.channels.next_opened().unwrap();
    assert_eq!(opened.origin, Some((b"127.0.0.1".to_vec(), 6010)));
    assert_eq!(world.channels.get(opened.channel).unwrap().room(), 800);
    assert!(world.channels.next_opened().is_none());
}

#[test]
fn a_channel_given_up_while_it_is_being_opened_is_closed_as_soon_as_it_is_open() {
    let mut world = World::default();
    let id = world.asked();
    world.channels.abandon(id, &mut world.tx).unwrap();
    assert!(world.said().is_empty());
    world.hear(packet!(message::CHANNEL_OPEN_CONFIRMATION, id.number, 70_u32, 500_u32, 100_u32)).unwrap();
    assert_eq!(world.said(), [packet!(message::CHANNEL_EOF, 70_u32), packet!(message::CHANNEL_CLOSE, 70_u32)]);
    assert!(world.channels.get(id).is_ok(), "its number is taken until the server has closed it");
    world.hear(packet!(message::CHANNEL_CLOSE, id.number)).unwrap();
    assert!(world.channels.get(id).is_err());

    let id = world.asked();
    world.channels.abandon(id, &mut world.tx).unwrap();
    world.hear(packet!(message::CHANNEL_OPEN_FAILURE, id.number, 1_u32, "no", "")).unwrap();
    assert!(world.channels.get(id).is_err());
    assert!(world.said().is_empty());
}

#[test]
fn a_close_of_the_server_is_answered_and_what_came_before_it_stays() {
    let mut world = World::default();
    let id = world.open();
    world.hear(packet!(message::CHANNEL_DATA, id.number, "some words")).unwrap();
    world.hear(packet!(message::CHANNEL_CLOSE, id.number)).unwrap();
    assert_eq!(world.said(), [packet!(message::CHANNEL_CLOSE, 70_u32)]);
    let channel = world.channels.get(id).unwrap();
    assert_eq!(channel.unread(Wanted::All), 10);
    assert!(channel.has_ended() && !channel.is_at_end());
    world.hear(packet!(message::CHANNEL_DATA, id.number, "too late")).unwrap();
    assert_eq!(world.channels.get(id).unwrap().unread(Wanted::All), 10);
    world.channels.abandon(id, &mut world.tx).unwrap();
    assert!(world.channels.get(id).is_err() && world.said().is_empty());
}

#[test]
fn freed_numbers_rest_and_packets_for_them_are_ignored() {
    let mut world = World::default();
    let first = world.open();
    world.channels.abandon(first, &mut world.tx).unwrap();
    world.hear(packet!(message::CHANNEL_CLOSE, first.number)).unwrap();
    world.said();
    for _ in 0..REST {
        let id = world.open();
        assert_ne!(id.number, first.number);
        world.hear(packet!(message::CHANNEL_CLOSE, id.number)).unwrap();
        world.channels.abandon(id, &mut world.tx).unwrap();
    }
    world.hear(packet!(message::CHANNEL_DATA, first.number, "late")).unwrap();
    world.hear(packet!(message::CHANNEL_WINDOW_ADJUST, 4_000_000_u32, 1_u32)).unwrap();
    let again = world.open();
    assert_eq!(again.number, first.number);
    assert!(world.channels.get(first).is_err());
    assert_eq!(world.channels.get(again).unwrap().unread(Wanted::All), 0);
}

#[test]
fn the_server_is_held_to_the_window_and_dropped_data_opens_it_again() {
    let mut world = World::default();
    let id = world.open();
    let text = "x".repeat(100);
    for _ in 0..10 {
        world.hear(packet!(message::CHANNEL_DATA, id.number, text.as_str())).unwrap();
    }
    assert_eq!(world.channels.get(id).unwrap().receive_window(), 0);
    assert!(world.said().is_empty(), "nothing has been read");
    assert_eq!(world.channels.get(id).unwrap().forget_unread(Wanted::All, &mut world.tx).unwrap(), 1000);
    assert_eq!(world.said(), [packet!(message::CHANNEL_WINDOW_ADJUST, 70_u32, 1000_u32)]);
    let mut result = Ok(());
    for _ in 0..12 {
        result = result.and(world.hear(packet!(message::CHANNEL_DATA, id.number, text.as_str())));
    }
    assert_eq!(result.unwrap_err().code, Code::ChannelWindowExceeded);

    let id = world.open();
    world.channels.get(id).unwrap().handle_extended_data(ExtendedData::Ignore, &mut world.tx).unwrap();
    for _ in 0..20 {
        world.hear(packet!(message::CHANNEL_EXTENDED_DATA, id.number, 1_u32, text.as_str())).unwrap();
    }
    assert_eq!(world.channels.get(id).unwrap().unread(Wanted::All), 0);
    assert!(!world.said().is_empty());
}

#[test]
fn requests_of_the_server_are_kept_or_refused() {
    let mut world = World::default();
    let id = world.open();
    let mut status = packet!(message::CHANNEL_REQUEST, id.number, "exit-status");
    status.extend([0, 0, 0, 0, 7]);
    world.hear(status).unwrap();
    let mut signal = packet!(message::CHANNEL_REQUEST, id.number, "exit-signal");
    signal.extend([0, 0, 0, 0, 4]);
    signal.extend(b"TERM\0\0\0\0\0\0\0\0\0");
    world.hear(signal).unwrap();
    assert!(world.said().is_empty());
    let mut unknown = packet!(message::CHANNEL_REQUEST, id.number, "keepalive@openssh.com");
    unknown.push(1);
    world.hear(unknown).unwrap();
    assert_eq!(world.said(), [packet!(message::CHANNEL_FAILURE, 70_u32)]);
    let channel = world.channels.get(id).unwrap();
    assert_eq!((channel.exit_status, channel.exit_signal.as_deref()), (Some(7), Some(&b"TERM"[..])));
    assert!(world.hear(packet!(message::CHANNEL_SUCCESS, id.number)).is_err(), "nothing was asked");
    assert!(world.hear(vec![message::CHANNEL_DATA, 0, 0]).is_err(), "too short");
}
