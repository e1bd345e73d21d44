//! Starting and ending an SFTP subsystem, draft-ietf-secsh-filexfer-02 section 4.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::request::Purpose;
use super::{LONGEST_REQUEST, Limits, SftpId, check, message, put, send};
use crate::channel::{ChannelId, Consumer, Opening, Request};
use crate::error::{Code, Error, Result};
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::wire::{Put, Reader, Short};

/// What the server may send ahead. Replies are taken in as they come, so this is no memory, only freedom for reads
/// ahead.
const WINDOW: u32 = 16 * 1024 * 1024;
const PACKET: u32 = 128 * 1024;
/// Largest READ and WRITE that we make, whatever the server takes: the reply has to pass our own inbox.
const MOST_DATA: u64 = 255 * 1024;
/// What a READ or WRITE, or the reply, has around the data, with a handle of some length.
const AROUND_DATA: u64 = 1024;
/// Whatever a server says, it takes a request of this size, or is of no use.
const LEAST_REQUEST: usize = 2048;
/// This server grants a session no window until its subsystem runs, and then 2 MiB in the same breath. It takes packets
/// in their order, so that a greeting right behind the request always finds that window: a round trip saved.
const OPENSSH: &[u8] = b"SSH-2.0-OpenSSH_";

/// `libssh2_sftp_init`: ready with the subsystem.
pub enum Init {
    /// The channel is being opened.
    Opening(Opening),
    /// The subsystem is being started; INIT has been sent behind the request.
    Starting(SftpId, Request),
    /// The server's VERSION is awaited.
    Version(SftpId, Patience),
}

impl Init {
    /// Asks for the channel.
    pub fn begin(session: &mut Session) -> Result<Self> {
        if !session.auth.is_authenticated() {
            return Err(Error::new(Code::Inval, "SFTP needs a session that is logged in"));
        }
        Ok(Self::Opening(Opening::session(session, Consumer::Nobody, WINDOW, PACKET)?))
    }

    /// Asks for the subsystem, and greets it in the same breath.
    fn start(session: &mut Session, id: ChannelId) -> Result<Self> {
        let mut packet = Vec::new();
        packet.put_u32(5)?;
        packet.put_u8(message::INIT)?;
        packet.put_u32(message::VERSION_SPOKEN)?;
        let request = Request::subsystem(session, id, b"sftp")?;
        let sftp = session.sftps.add(id)?;
        let grants_late = session.transport.server_ident().starts_with(OPENSSH);
        let channel = session.channels.get(id)?;
        channel.consumer = Consumer::Sftp(sftp);
        if grants_late && channel.initial_room() == 0 {
            channel.send_ahead(&packet);
        }
        put(channel, &mut session.transport.tx, &packet, &[])?;
        Ok(Self::Starting(sftp, request))
    }

    fn step(&mut self, session: &mut Session) -> Poll<Result<SftpId>> {
        loop {
            *self = match self {
                Self::Opening(open) => {
                    let channel = ready!(open.poll(session))?;
                    Self::start(session, channel)?
                }
                Self::Starting(sftp, request) => {
                    ready!(request.poll(session)).map_err(Request::not_started(Code::ChannelFailure))?;
                    Self::Version(*sftp, session.patience())
                }
                Self::Version(sftp, patience) => {
                    let sftp = *sftp;
                    session.pump()?;
                    if session.sftps.get(sftp)?.version.is_none() {
                        check(session, sftp)?;
                        return session.await_reply(patience);
                    }
                    // Nobody waits for the answer.
                    if session.sftps.get(sftp)?.announced.limits {
                        send(session, sftp, message::EXTENDED, Purpose::Limits, |packet| {
                            packet.put_string(b"limits@openssh.com")
                        })?;
                    }
                    return Poll::Ready(Ok(sftp));
                }
            }
        }
    }
}

impl Op for Init {
    type Out = SftpId;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<SftpId>> {
        let polled = self.step(session);
        if matches!(polled, Poll::Ready(Err(_))) {
            self.abandon(session);
        }
        polled
    }

    /// The channel is closed without anybody waiting for that, so that the program can simply try again.
    fn abandon(&mut self, session: &mut Session) {
        match self {
            Self::Opening(opening) => opening.abandon(session),
            Self::Starting(sftp, _) | Self::Version(sftp, _) => {
                if let Ok(failed) = session.sftps.get(*sftp) {
                    let channel = failed.channel;
                    session.sftps.remove(*sftp);
                    let _closing = session.channels.abandon(channel, &mut session.transport.tx);
                }
            }
        }
    }
}

impl Limits {
    /// Takes over what the server tells, as far as it makes sense: 0 is "no limit".
    pub(super) fn learn(&mut self, body: &[u8]) {
        let read = |mut reader: Reader<'_>| -> Result<[u64; 4], Short> {
            Ok([reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?])
        };
        let Ok([packet, read, write, handles]) = read(Reader::new(body)) else { return };
        let bound = |limit: u64| {
            let packet = if packet == 0 { MOST_DATA } else { packet.saturating_sub(AROUND_DATA) };
            let limit = if limit == 0 { MOST_DATA } else { limit };
            usize::try_from(limit.min(packet).clamp(1024, MOST_DATA)).unwrap_or(Self::SURE.write)
        };
        let no_limit = |limit: u64| usize::try_from(limit).ok().filter(|limit| *limit > 0);
        *self = Self {
            request: no_limit(packet).unwrap_or(LONGEST_REQUEST).clamp(LEAST_REQUEST, LONGEST_REQUEST),
            read: bound(read),
            write: bound(write),
            handles: no_limit(handles).unwrap_or(usize::MAX),
        };
    }
}
