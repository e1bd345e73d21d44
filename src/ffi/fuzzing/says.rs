//! What the server can say: messages of the right form whose fields are the fuzzer's, and whatever else it likes.
#![forbid(unsafe_code)]

use super::Program;
use crate::transport::message;
use crate::wire::Put;

/// By their numbers.
pub(super) const ALL: [fn(&mut Program<'_>); 30] = [
    anything,
    confirm,
    refuse,
    adjust,
    data,
    extended_data,
    eof,
    close,
    success,
    failure,
    request,
    open,
    global_request,
    request_success,
    request_failure,
    login_success,
    login_failure,
    sftp_reply,
    sftp_status,
    sftp_version,
    sftp_handle,
    sftp_data,
    sftp_names,
    sftp_attributes,
    publickey_packet,
    key_exchange,
    much_data,
    hang_up,
    cut,
    raw,
];

/// What fields there are in a message.
enum Field<'a> {
    Byte(u8),
    Number(u32),
    Text(&'a [u8]),
}
use Field::{Byte, Number, Text};

fn packet(number: u8, fields: &[Field<'_>]) -> Vec<u8> {
    let mut packet = vec![number];
    for field in fields {
        match field {
            Byte(byte) => packet.put_u8(*byte),
            Number(number) => packet.put_u32(*number),
            Text(text) => packet.put_string(text),
        }
        .unwrap();
    }
    packet
}

/// The server's confirmation of a channel, by the same number as ours.
pub(super) fn confirmation(channel: u32, window: u32, size: u32) -> Vec<u8> {
    packet(message::CHANNEL_OPEN_CONFIRMATION, &[Number(channel), Number(channel), Number(window), Number(size)])
}

fn anything(program: &mut Program<'_>) {
    let payload = program.piece().to_vec();
    program.hear(payload);
}

fn confirm(program: &mut Program<'_>) {
    let (channel, window, size) = (program.byte(), program.number(), program.number());
    program.hear(confirmation(channel.into(), window, size));
}

fn refuse(program: &mut Program<'_>) {
    let (channel, reason, text) = (program.byte(), program.byte(), program.piece());
    let fields = [Number(channel.into()), Number(reason.into()), Text(text), Text(b"")];
    program.hear(packet(message::CHANNEL_OPEN_FAILURE, &fields));
}

fn adjust(program: &mut Program<'_>) {
    let (channel, bytes) = (program.byte(), program.number());
    program.hear(packet(message::CHANNEL_WINDOW_ADJUST, &[Number(channel.into()), Number(bytes)]));
}

fn data(program: &mut Program<'_>) {
    let (channel, data) = (program.byte(), program.piece());
    send(program, channel, data);
}

fn send(program: &Program<'_>, channel: u8, data: &[u8]) {
    program.hear(packet(message::CHANNEL_DATA, &[Number(channel.into()), Text(data)]));
}

fn extended_data(program: &mut Program<'_>) {
    let (channel, stream, data) = (program.byte(), program.byte(), program.piece());
    let fields = [Number(channel.into()), Number(stream.into()), Text(data)];
    program.hear(packet(message::CHANNEL_EXTENDED_DATA, &fields));
}

fn of_channel(program: &mut Program<'_>, number: u8) {
    let channel = program.byte();
    program.hear(packet(number, &[Number(channel.into())]));
}

fn eof(program: &mut Program<'_>) {
    of_channel(program, message::CHANNEL_EOF);
}

fn close(program: &mut Program<'_>) {
    of_channel(program, message::CHANNEL_CLOSE);
}

fn success(program: &mut Program<'_>) {
    of_channel(program, message::CHANNEL_SUCCESS);
}

fn failure(program: &mut Program<'_>) {
    of_channel(program, message::CHANNEL_FAILURE);
}

fn request(program: &mut Program<'_>) {
    const NAMES: [&[u8]; 4] = [b"exit-status", b"exit-signal", b"keepalive@openssh.com", b"eow@openssh.com"];
    let (channel, which, fields) = (program.byte(), program.byte(), program.piece());
    let name = NAMES[usize::from(which % 4)];
    let head = [Number(channel.into()), Text(name), Byte(which / 4 % 2)];
    program.hear([&packet(message::CHANNEL_REQUEST, &head)[..], fields].concat());
}

fn open(program: &mut Program<'_>) {
    const TYPES: [&[u8]; 4] = [b"forwarded-tcpip", b"x11", b"auth-agent@openssh.com", b"session"];
    let (which, remote, window, size) = (program.byte(), program.byte(), program.number(), program.number());
    let (host, port) = (program.piece(), program.byte());
    let mut fields = vec![Text(TYPES[usize::from(which % 4)]), Number(remote.into()), Number(window), Number(size)];
    if which % 4 < 2 {
        fields.extend([Text(host), Number(port.into())]);
    }
    if which % 4 == 0 {
        fields.extend([Text(b"origin"), Number(1)]);
    }
    program.hear(packet(message::CHANNEL_OPEN, &fields));
}

fn global_request(program: &mut Program<'_>) {
    let (wants_reply, name, fields) = (program.byte(), program.piece(), program.piece());
    program.hear([&packet(message::GLOBAL_REQUEST, &[Text(name), Byte(wants_reply)])[..], fields].concat());
}

fn request_success(program: &mut Program<'_>) {
    let port = program.number();
    program.hear(packet(message::REQUEST_SUCCESS, &[Number(port)]));
}

fn request_failure(program: &mut Program<'_>) {
    program.hear(packet(message::REQUEST_FAILURE, &[]));
}

fn login_success(program: &mut Program<'_>) {
    program.hear(packet(message::USERAUTH_SUCCESS, &[]));
}

fn login_failure(program: &mut Program<'_>) {
    let (partial, methods) = (program.byte(), program.piece());
    program.hear(packet(message::USERAUTH_FAILURE, &[Text(methods), Byte(partial % 2)]));
}

/// A packet of SFTP that answers the next request, on the channel of the number given.
fn answer(program: &mut Program<'_>, kind: u8, fields: &[Field<'_>], rest: &[u8]) {
    let channel = program.byte();
    // A later one first, or one that there is not.
    let turn = usize::from(channel / 16);
    let id = match program.wire.ids.borrow_mut().remove(turn) {
        Some(id) => id,
        None => u32::from(channel),
    };
    let mut body = packet(kind, &[Number(id)]);
    body.extend_from_slice(&packet(0, fields)[1..]);
    body.extend_from_slice(rest);
    send(program, channel % 16, &packet(0, &[Text(&body)])[1..]);
}

fn sftp_reply(program: &mut Program<'_>) {
    let (kind, body) = (program.byte(), program.piece());
    answer(program, kind, &[], body);
}

fn sftp_status(program: &mut Program<'_>) {
    let (code, text) = (program.byte(), program.piece());
    answer(program, 101, &[Number(code.into()), Text(text), Text(b"")], &[]);
}

fn sftp_version(program: &mut Program<'_>) {
    const EXTENSIONS: [(&[u8], &[u8]); 5] = [
        (b"limits@openssh.com", b"1"),
        (b"posix-rename@openssh.com", b"1"),
        (b"statvfs@openssh.com", b"2"),
        (b"fstatvfs@openssh.com", b"2"),
        (b"fsync@openssh.com", b"1"),
    ];
    let (channel, version, rest) = (program.byte(), program.byte(), program.piece());
    let mut body = packet(2, &[Number(version.into())]);
    if channel >= 16 {
        EXTENSIONS.iter().for_each(|(name, data)| body.extend_from_slice(&packet(0, &[Text(name), Text(data)])[1..]));
    }
    body.extend_from_slice(rest);
    send(program, channel % 16, &packet(0, &[Text(&body)])[1..]);
}

fn sftp_handle(program: &mut Program<'_>) {
    let handle = program.piece();
    answer(program, 102, &[Text(handle)], &[]);
}

/// More than can stand in a fuzzer's input.
fn sftp_data(program: &mut Program<'_>) {
    let (times, data) = (program.byte(), program.piece());
    answer(program, 103, &[Text(&data.repeat(usize::from(times)))], &[]);
}

fn sftp_names(program: &mut Program<'_>) {
    let (count, name, attributes) = (program.byte(), program.piece(), program.piece());
    let mut names = Vec::new();
    for number in 0..count % 16 {
        names.extend_from_slice(&packet(0, &[Text(name), Text(&[number; 3])])[1..]);
        names.extend_from_slice(if attributes.is_empty() { &[0; 4] } else { attributes });
    }
    answer(program, 104, &[Number((count % 16).into())], &names);
}

fn sftp_attributes(program: &mut Program<'_>) {
    let (flags, rest) = (program.byte(), program.piece());
    let mut attributes = rest.to_vec();
    attributes.resize(rest.len().max(if flags & 0x80 == 0 { 32 } else { 0 }), 1);
    answer(program, 105, &[Number((flags & 0x7f).into())], &attributes);
}

/// One with a length in front, so many times.
fn publickey_packet(program: &mut Program<'_>) {
    const NAMES: [&[u8]; 4] = [b"version", b"status", b"publickey", b"attribute"];
    let (channel, which, rest) = (program.byte(), program.byte(), program.piece());
    let mut body = packet(0, &[Text(NAMES[usize::from(which % 4)])])[1..].to_vec();
    body.extend_from_slice(rest);
    send(program, channel, &packet(0, &[Text(&body)])[1..].repeat(usize::from(which / 4 % 4) + 1));
}

fn key_exchange(program: &mut Program<'_>) {
    let _too_early = program.wire.server.borrow_mut().begin();
}

/// As much as fills windows.
fn much_data(program: &mut Program<'_>) {
    let (channel, size) = (program.byte(), program.byte());
    send(program, channel, &vec![size; usize::from(size) * 1024]);
}

fn hang_up(program: &mut Program<'_>) {
    program.wire.is_over.set(true);
}

fn cut(program: &mut Program<'_>) {
    let size = usize::from(program.byte());
    program.wire.piece.set(if size == 255 { usize::MAX } else { size });
}

/// Bytes that are no packet.
fn raw(program: &mut Program<'_>) {
    let bytes = program.piece();
    let _too_much = program.wire.server.borrow_mut().tx.send_raw(bytes);
}
