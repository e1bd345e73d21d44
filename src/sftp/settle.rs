//! Waiting until the server has answered every write, for the calls that tell of those that failed.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::file::close;
use super::request::Ask;
use super::{FileId, SftpId, check, tail};
use crate::channel::Discard;
use crate::error::{Code, Result};
use crate::op::{Op, is_over};
use crate::patience::Patience;
use crate::session::Session;

/// A request behind the writes of a file: ready with its answer when those are answered too. Fails for a write that
/// failed without the program knowing.
pub struct Settle<T> {
    file: FileId,
    ask: Option<Ask<T>>,
    answer: Option<Result<T>>,
    /// For the answers to the writes; `None` where they are not waited for.
    patience: Option<Patience>,
    /// How many of them were to come when that was last looked at.
    awaited: usize,
}

impl Settle<()> {
    /// `libssh2_sftp_close_handle`: queues `SSH_FXP_CLOSE` behind whatever is under way. The file is still there
    /// afterwards.
    pub fn close(session: &mut Session, file: FileId) -> Result<Self> {
        let ask = close(session, file)?;
        Self::new(session, file, Some(ask), true)
    }

    /// Waits for the answers alone.
    pub fn flush(session: &mut Session, file: FileId) -> Result<Self> {
        session.sftps.file(file)?;
        tail::send(session)?;
        Self::new(session, file, None, true).map(|flush| Self { answer: Some(Ok(())), ..flush })
    }
}

impl<T> Settle<T> {
    /// Waits for `ask`, and where the file is written behind for its writes as well.
    pub fn after(session: &mut Session, file: FileId, ask: Result<Ask<T>>) -> Result<Self> {
        let is_behind = session.sftps.file(file)?.writes.may_have_lied();
        Self::new(session, file, Some(ask?), is_behind)
    }

    fn new(session: &mut Session, file: FileId, ask: Option<Ask<T>>, answers_for_writes: bool) -> Result<Self> {
        let patience = answers_for_writes.then(|| session.patience());
        Ok(Self { file, ask, answer: None, patience, awaited: session.sftps.file(file)?.writes.awaited() })
    }

    /// A server that answers one write after the other is not silent.
    fn notice_answers(&mut self, session: &mut Session) -> Result<()> {
        let awaited = session.sftps.file(self.file)?.writes.awaited();
        if awaited < self.awaited {
            let fresh = session.patience();
            self.patience.iter_mut().chain(self.ask.as_mut().map(Ask::patience)).for_each(|patience| *patience = fresh);
        }
        self.awaited = awaited;
        Ok(())
    }
}

impl<T: 'static> Op for Settle<T> {
    type Out = T;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<T>> {
        self.notice_answers(session)?;
        if let Some(ask) = &mut self.ask {
            let answer = ready!(ask.poll(session));
            self.ask = None;
            // A refusal may come of a write that was refused before: that one is told.
            if matches!(&answer, Err(error) if error.code != Code::SftpProtocol) {
                return Poll::Ready(answer);
            }
            self.answer = Some(answer);
        }
        if let Some(patience) = &mut self.patience {
            session.pump()?;
            let file = session.sftps.file(self.file)?;
            if file.writes.is_waiting() {
                check(session, self.file.sftp)?;
                return session.await_reply(patience);
            }
            tell_failure(session, self.file)?;
        }
        Poll::Ready(self.answer.take().unwrap_or_else(|| Err(is_over())))
    }

    fn abandon(&mut self, session: &mut Session) {
        if let Some(ask) = &mut self.ask {
            ask.abandon(session);
        }
    }
}

/// Fails if a write has failed without the program knowing. Every write has been answered.
fn tell_failure(session: &mut Session, id: FileId) -> Result<()> {
    let file = session.sftps.file(id)?;
    let Some(status) = file.writes.take_failure() else { return Ok(()) };
    file.fall_back();
    Err(session.sftps.get(id.sftp)?.refused(&status))
}

/// `libssh2_sftp_shutdown`: ready when the channel is closed. The files that are still open are forgotten, but not
/// before the writes that the program takes for done are answered.
pub struct Shutdown {
    sftp: SftpId,
    patience: Patience,
    close: Option<Discard>,
    settled: Result<()>,
}

impl Shutdown {
    /// Queues the end of the channel, unless writes are under way.
    pub fn begin(session: &mut Session, sftp: SftpId) -> Result<Self> {
        session.sftps.get(sftp)?;
        let settled = tail::send(session);
        Ok(Self { sftp, patience: session.patience(), close: None, settled })
    }

    /// Ready when no file has writes under way that the program takes for done, with the first of those that failed.
    fn settle(&mut self, session: &mut Session) -> Poll<Result<()>> {
        session.pump()?;
        loop {
            let files = &session.sftps.get(self.sftp)?.files;
            let Some((key, _)) = files.iter().find(|(_, file)| file.writes.may_have_lied()) else {
                return Poll::Ready(std::mem::replace(&mut self.settled, Ok(())));
            };
            let id = FileId { sftp: self.sftp, key };
            if session.sftps.file(id)?.writes.is_waiting() {
                check(session, self.sftp)?;
                return session.await_reply(&mut self.patience);
            }
            let told = tell_failure(session, id);
            self.settled = std::mem::replace(&mut self.settled, Ok(())).and(told);
            let writes = &mut session.sftps.file(id)?.writes;
            writes.behind = 0;
            writes.abandon();
        }
    }
}

impl Op for Shutdown {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        loop {
            if let Some(close) = &mut self.close {
                let closed = ready!(close.poll(session));
                session.sftps.remove(self.sftp);
                return Poll::Ready(std::mem::replace(&mut self.settled, Ok(())).and(closed));
            }
            self.settled = ready!(self.settle(session));
            let channel = session.sftps.get(self.sftp)?.channel;
            self.close = Some(Discard::begin(session, channel)?);
            if matches!(&self.settled, Err(error) if error.code == Code::Timeout) {
                // The patience of the call is at its end.
                session.channels.get(channel)?.presume_closed();
            }
        }
    }
}
