//! Channels fed by hand: what the server says, and what is queued in answer.

use std::task::Poll;
use std::time::Instant;

use super::*;
use crate::op::Op;
use crate::session::Session;
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
    assert_eq!(opened.origin, Some((c"127.0.0.1".to_owned(), 6010)));
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
    // Nothing was asked, and nothing is missing that the program is told.
    world.hear(packet!(message::CHANNEL_SUCCESS, id.number)).unwrap();
    let mut signal = packet!(message::CHANNEL_REQUEST, id.number, "exit-signal");
    signal.extend(b"\0\0\0\0\x03HUP");
    world.hear(signal).unwrap();
    assert_eq!(world.channels.get(id).unwrap().exit_signal.as_deref(), Some(&b"HUP"[..]));
    assert!(world.said().is_empty());
    assert!(world.hear(vec![message::CHANNEL_DATA, 0, 0]).is_err(), "too short");
}

/// A channel that is open and that the program has by the handle of that number.
fn watched(world: &mut World, handle: usize) -> ChannelId {
    let id = world.open();
    world.channels.set_handle(id, Some(handle)).unwrap();
    id
}

/// Everything there is to tell: handles and events.
fn news(world: &mut World) -> Vec<(usize, Events)> {
    let next = || world.channels.next_news(true).map(|news| (news.handle.unwrap(), news.events));
    std::iter::from_fn(next).collect()
}

#[test]
fn what_holds_is_told_once_until_the_program_acts_on_it() {
    let mut world = World::default();
    let id = world.open();
    world.hear(packet!(message::CHANNEL_DATA, id.number, "early")).unwrap();
    assert_eq!(news(&mut world), [], "nobody has it yet");
    world.channels.set_handle(id, Some(3)).unwrap();
    let both = Events::READ.and(Events::WRITE);
    assert_eq!(news(&mut world), [(3, both)]);
    world.hear(packet!(message::CHANNEL_DATA, id.number, "more")).unwrap();
    world.hear(packet!(message::CHANNEL_WINDOW_ADJUST, id.number, 1_u32)).unwrap();
    assert_eq!(news(&mut world), [], "it is left alone");
    world.hear(packet!(message::CHANNEL_EXTENDED_DATA, id.number, 1_u32, "oops")).unwrap();
    assert_eq!(news(&mut world), [(3, both.and(Events::EXTENDED))], "another stream");

    world.channels.get(id).unwrap().read_text(MAIN, 4, &mut world.tx).unwrap();
    world.channels.acted(id, Events::READ);
    assert_eq!(news(&mut world), [(3, both.and(Events::EXTENDED))], "something was left");
    world.channels.get(id).unwrap().read_text(MAIN, 100, &mut world.tx).unwrap();
    world.channels.acted(id, Events::READ);
    assert_eq!(news(&mut world), []);
    world.hear(packet!(message::CHANNEL_DATA, id.number, "new")).unwrap();
    assert_eq!(news(&mut world).len(), 1);

    let mut status = packet!(message::CHANNEL_REQUEST, id.number, "exit-status");
    status.extend([0, 0, 0, 0, 7]);
    world.hear(status).unwrap();
    world.hear(packet!(message::CHANNEL_EOF, id.number)).unwrap();
    let ended = both.and(Events::EXTENDED).and(Events::EXIT).and(Events::EOF);
    assert_eq!(news(&mut world), [(3, ended)]);
    world.hear(packet!(message::CHANNEL_CLOSE, id.number)).unwrap();
    assert_eq!(news(&mut world), [(3, ended.without(Events::WRITE).and(Events::CLOSED))]);
    world.channels.acted(id, Events::WRITE);
    assert_eq!(news(&mut world), []);
}

#[test]
fn whoever_could_not_write_hears_when_it_can() {
    let mut world = World::default();
    let [a, b, c] = [1, 2, 3].map(|handle| watched(&mut world, handle));
    let write = |handle: usize| (handle, Events::WRITE);
    assert_eq!(news(&mut world), [write(1), write(2), write(3)]);

    world.channels.get(a).unwrap().send.take(100);
    world.channels.get(a).unwrap().written.push(Written { stream: MAIN, count: 100, mark: world.tx.mark() });
    world.channels.wants_to_write(a, false);
    world.channels.wants_to_write(b, false);
    world.channels.wants_to_write(c, false);
    assert!(world.channels.next_news(false).is_none(), "the socket takes nothing");
    assert!(world.channels.next_news(false).is_none());
    assert_eq!(news(&mut world), [write(2), write(3), write(1)], "who was refused goes first");
    assert_eq!(news(&mut world), []);

    while world.channels.get(b).unwrap().send.take(1000) > 0 {}
    world.channels.wants_to_write(b, true);
    assert_eq!(news(&mut world), [], "the window is used up");
    world.hear(packet!(message::CHANNEL_WINDOW_ADJUST, b.number, 10_u32)).unwrap();
    assert_eq!(news(&mut world), [write(2)]);
}

#[test]
fn a_call_that_is_to_be_made_again_is_told_once() {
    let mut world = World::default();
    let id = watched(&mut world, 1);
    news(&mut world);
    world.hear(packet!(message::CHANNEL_SUCCESS, id.number)).unwrap();
    world.channels.is_unfinished(id, true);
    assert_eq!(news(&mut world), [], "it has seen what there was");
    world.hear(packet!(message::CHANNEL_DATA, id.number, "data")).unwrap();
    assert_eq!(news(&mut world), [(1, Events::READ.and(Events::WRITE))], "not what it waits for");
    let _ticket = world.channels.get(id).unwrap().replies.ask();
    world.hear(packet!(message::CHANNEL_SUCCESS, id.number)).unwrap();
    world.channels.is_unfinished(id, true);
    assert_eq!(
        news(&mut world),
        [(1, Events::AGAIN.and(Events::READ).and(Events::WRITE))],
        "another may have missed it"
    );
    assert_eq!(news(&mut world), []);
    world.channels.is_unfinished(id, false);
    assert!(world.channels.next_news(false).is_none());
    assert_eq!(news(&mut world), [(1, Events::AGAIN.and(Events::READ).and(Events::WRITE))]);

    let asked = world.asked();
    world.channels.is_unfinished(asked, true);
    assert!(!world.channels.lines.unfinished.take());
    world.hear(packet!(message::CHANNEL_OPEN_FAILURE, asked.number, 1_u32, "no", "")).unwrap();
    assert!(world.channels.lines.unfinished.take(), "it belongs to no channel of the program");
    assert!(!world.channels.lines.unfinished.take());
}

#[test]
fn everybody_has_a_turn_and_the_freed_have_none() {
    let mut world = World::default();
    let ids = [0, 1, 2, 3].map(|handle| watched(&mut world, handle));
    assert_eq!(world.channels.next_news(true).unwrap().handle, Some(0));
    world.channels.acted(ids[0], Events::WRITE);
    let told = news(&mut world);
    assert_eq!(told.iter().map(|(handle, _)| *handle).collect::<Vec<_>>(), [1, 2, 3, 0]);
    for id in ids {
        world.hear(packet!(message::CHANNEL_DATA, id.number, "data")).unwrap();
    }
    world.channels.set_handle(ids[1], None).unwrap();
    world.channels.abandon(ids[2], &mut world.tx).unwrap();
    let told = news(&mut world);
    assert_eq!(told.iter().map(|(handle, _)| *handle).collect::<Vec<_>>(), [0, 3]);
}

/// A session that is connected, and what the server says on its channels.
fn session() -> Session {
    Session::connected(Instant::now()).unwrap()
}

fn tell(session: &mut Session, packet: &[u8]) {
    session.channels.on_packet(packet, &mut session.transport.tx, &mut session.sftps, &mut Sink::none()).unwrap();
}

/// A channel with a window of 1000 bytes, of which the server gives 500.
fn small(session: &mut Session) -> ChannelId {
    let id = session.channels.add(ReceiveWindow::new(1000), Consumer::Program).unwrap().id();
    tell(session, &packet!(message::CHANNEL_OPEN_CONFIRMATION, id.number, 70_u32, 500_u32, 100_u32));
    id
}

#[test]
fn the_end_of_a_stream_that_is_not_read_is_not_waited_for_in_vain() {
    let mut session = session();
    let id = small(&mut session);
    tell(&mut session, &packet!(message::CHANNEL_DATA, id.number, "x".repeat(1000).as_str()));
    // Too little to be granted again, while the server has a window.
    assert_eq!(poll_read(&mut session, id, MAIN, &mut [0; 100]), Poll::Ready(Ok(100)));
    assert_eq!(session.channels.get(id).unwrap().receive_window(), 0);
    assert!(poll_eof(&mut session, id).is_pending());
    assert_eq!(session.channels.get(id).unwrap().receive_window(), 100);
    tell(&mut session, &packet!(message::CHANNEL_DATA, id.number, "x".repeat(100).as_str()));
    let Poll::Ready(Err(error)) = poll_eof(&mut session, id) else { panic!("it waits") };
    assert_eq!(error.code, Code::ChannelWindowFull);
}

/// One call that writes.
fn write(session: &mut Session, id: ChannelId, stream: u32, data: &[u8]) -> Poll<Result<usize>> {
    let mut write = Write::new(id, stream);
    let polled = write.poll(session, data);
    write.end(session, matches!(&polled, Poll::Ready(Ok(count)) if *count == data.len())).unwrap();
    polled
}

#[test]
fn a_callback_that_writes_to_a_stream_counts_by_itself() {
    let mut session = session();
    let id = small(&mut session);
    let mut around = Write::new(id, MAIN);
    assert!(around.poll(&mut session, &[1; 100]).is_pending());
    let mut within = Write::new(id, MAIN);
    assert!(within.poll(&mut session, &[2; 40]).is_pending());
    session.transport.tx.queue().consume(usize::MAX);
    assert_eq!(within.poll(&mut session, &[2; 40]), Poll::Ready(Ok(40)));
    within.end(&mut session, true).unwrap();
    assert_eq!(around.poll(&mut session, &[1; 100]), Poll::Ready(Ok(100)));
    around.end(&mut session, true).unwrap();
    assert!(session.channels.get(id).unwrap().written.is_empty());

    // Where both come back, nothing is sent again, and nothing is kept from them.
    let (mut around, mut within) = (Write::new(id, MAIN), Write::new(id, MAIN));
    assert!(around.poll(&mut session, &[1; 100]).is_pending() && within.poll(&mut session, &[2; 40]).is_pending());
    within.end(&mut session, false).unwrap();
    around.end(&mut session, false).unwrap();
    session.transport.tx.queue().consume(usize::MAX);
    assert_eq!(write(&mut session, id, MAIN, &[2; 40]), Poll::Ready(Ok(40)));
    assert_eq!(write(&mut session, id, MAIN, &[1; 100]), Poll::Ready(Ok(100)));
    assert!(session.transport.tx.queue().filled().is_empty());
}

#[test]
fn a_stream_that_has_something_to_return_is_told_though_another_is_done() {
    let mut session = session();
    let id = small(&mut session);
    session.channels.set_handle(id, Some(1)).unwrap();
    session.channels.next_news(true);
    assert!(write(&mut session, id, 1, b"error").is_pending());
    session.transport.tx.queue().consume(usize::MAX);
    let mut other = Write::new(id, MAIN);
    assert!(other.poll(&mut session, b"data").is_pending());
    session.transport.tx.queue().consume(usize::MAX);
    assert_eq!(other.poll(&mut session, b"data"), Poll::Ready(Ok(4)));
    other.end(&mut session, true).unwrap();
    let news = session.channels.next_news(true).unwrap();
    assert_eq!((news.handle, news.events), (Some(1), Events::WRITE));
}

#[test]
fn a_read_of_nothing_tells_of_the_end() {
    let mut session = session();
    let id = small(&mut session);
    assert_eq!(poll_read(&mut session, id, MAIN, &mut []), Poll::Ready(Ok(0)));
    session.settings.blocking = 0;
    assert!(poll_read(&mut session, id, MAIN, &mut []).is_pending());
    tell(&mut session, &packet!(message::CHANNEL_DATA, id.number, "data"));
    tell(&mut session, &packet!(message::CHANNEL_EOF, id.number));
    assert_eq!(poll_read(&mut session, id, MAIN, &mut []), Poll::Ready(Ok(0)));
    assert_eq!(poll_read(&mut session, id, MAIN, &mut [0; 9]), Poll::Ready(Ok(4)));
}

#[test]
fn a_channel_that_takes_no_packets_is_refused_and_nothing_else_is_lost() {
    let mut session = session();
    let mut opening = Opening::default(&mut session, b"session", &[]).unwrap();
    tell(&mut session, &packet!(message::CHANNEL_OPEN_CONFIRMATION, 0_u32, 70_u32, 500_u32, 0_u32));
    let Poll::Ready(Err(error)) = opening.poll(&mut session) else { panic!("it waits") };
    assert_eq!(error.code, Code::ChannelFailure);
    tell(&mut session, &packet!(message::CHANNEL_DATA, 0_u32, "data"));
    assert!(Opening::default(&mut session, b"session", &[]).is_ok());
}

#[test]
fn what_wants_no_answer_may_come_too_late_for_a_channel() {
    let mut session = session();
    let id = small(&mut session);
    tell(&mut session, &packet!(message::CHANNEL_CLOSE, id.number));
    session.transport.tx.queue().consume(usize::MAX);
    let mut signal = Flushed::signal(&mut session, id, b"TERM").unwrap();
    assert_eq!(signal.poll(&mut session), Poll::Ready(Ok(())));
    assert!(session.transport.tx.queue().filled().is_empty());
    let error = Request::setenv(&mut session, id, b"A", b"b").map(|_| ()).unwrap_err();
    assert_eq!(error.code, Code::ChannelClosed);
}

#[test]
fn a_write_returns_no_more_than_its_own_length_after_one_that_ran_out_of_its_time() {
    let mut session = session();
    let id = small(&mut session);
    assert!(write(&mut session, id, MAIN, &[7; 300]).is_pending());
    assert_eq!(write(&mut session, id, MAIN, &[]), Poll::Ready(Ok(0)));
    // Another stream has nothing to do with it.
    assert!(write(&mut session, id, 1, b"error").is_pending());
    let mut sent = session.transport.tx.queue().filled().len();
    session.transport.tx.queue().consume(usize::MAX);
    assert!(sent > 300);
    for (stream, length, returned) in [(MAIN, 100, 100), (1, 5, 5), (MAIN, 150, 150), (MAIN, 400, 50)] {
        assert_eq!(write(&mut session, id, stream, &vec![7; length]), Poll::Ready(Ok(returned)));
    }
    sent = session.transport.tx.queue().filled().len();
    assert_eq!(sent, 0, "nothing is sent twice");
    assert!(write(&mut session, id, MAIN, b"new").is_pending());
}

/// A channel whose window grows.
fn growing(session: &mut Session) -> ChannelId {
    let id = session.channels.add(ReceiveWindow::growing(DEFAULT_WINDOW), Consumer::Program).unwrap().id();
    tell(session, &packet!(message::CHANNEL_OPEN_CONFIRMATION, id.number, 1_u32, 0_u32, 1_u32));
    id
}

#[test]
fn all_windows_of_a_session_grow_by_so_much_together() {
    let mut session = session();
    session.round_trip = Some(std::time::Duration::from_secs(1));
    let ids: Vec<_> = (0..6).map(|_| growing(&mut session)).collect();
    let mut space = vec![0; DEFAULT_WINDOW as usize];
    let growth = |session: &mut Session| -> Vec<u32> {
        ids.iter().filter_map(|id| Some(session.channels.get(*id).ok()?.receive.growth())).collect()
    };
    for _ in 0..4 {
        for id in &ids {
            let Ok(channel) = session.channels.get(*id) else { continue };
            let text = "x".repeat(channel.receive_window() as usize);
            tell(&mut session, &packet!(message::CHANNEL_DATA, id.number, text.as_str()));
            while session.channels.get(*id).unwrap().unread(Wanted::All) > 0 {
                assert!(matches!(poll_read(&mut session, *id, MAIN, &mut space), Poll::Ready(Ok(1..))));
            }
            session.transport.tx.queue().consume(usize::MAX);
        }
    }
    assert_eq!(growth(&mut session).iter().sum::<u32>(), LARGEST_GROWTH);
    assert!(growth(&mut session).iter().all(|grown| (DEFAULT_WINDOW..=7 * DEFAULT_WINDOW).contains(grown)));

    let largest = *growth(&mut session).iter().max().unwrap();
    let freed = *ids.iter().find(|id| session.channels.get(**id).unwrap().receive.growth() == largest).unwrap();
    session.channels.remove(freed);
    let late = growing(&mut session);
    let mut space = vec![0; usize::try_from(LARGEST_GROWTH).unwrap()];
    assert!(poll_read(&mut session, late, MAIN, &mut space).is_pending());
    assert_eq!(session.channels.get(late).unwrap().receive.growth(), largest, "what the freed one gave back");
    assert_eq!(session.channels.get(late).unwrap().receive_window(), DEFAULT_WINDOW + largest, "and at once");
}
