//! Passwords, RFC 4252 section 8.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use zeroize::Zeroizing;

use super::{Attempt, Reply, bounded, not_yet_in, request, unexpected};
use crate::error::{Code, Result};
use crate::memory::Add;
use crate::op::Op;
use crate::session::Session;
use crate::transport::message;
use crate::wire::{Put, Reader};

/// What the server made of a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It lets the program in.
    Accepted,
    /// It wants a new one, in these words.
    ChangeRequested(Vec<u8>),
}

/// One password, or one change of it: ready with the server's answer.
pub struct Password(Attempt);

impl Password {
    /// Queues the password.
    pub fn begin(session: &mut Session, user: &[u8], password: &[u8]) -> Result<Self> {
        Self::send(session, user, password, None)
    }

    /// Queues the change of the password `old` into `new`.
    pub fn change(session: &mut Session, user: &[u8], old: &[u8], new: &[u8]) -> Result<Self> {
        Self::send(session, user, old, Some(new))
    }

    fn send(session: &mut Session, user: &[u8], password: &[u8], new: Option<&[u8]>) -> Result<Self> {
        not_yet_in(session)?;
        bounded(password, "Password is too long")?;
        bounded(new.unwrap_or_default(), "New password is too long")?;
        let fields = [password.len(), new.unwrap_or_default().len(), 9];
        let mut packet = Zeroizing::new(request(user, b"password")?);
        // At once, so that no growing leaves a copy of the password behind.
        packet.room(fields.iter().fold(0, |sum: usize, field| sum.saturating_add(*field)))?;
        packet.put_boolean(new.is_some())?;
        packet.put_string(password)?;
        if let Some(new) = new {
            packet.put_string(new)?;
        }
        Ok(Self(Attempt::begin(session, &packet)?))
    }
}

impl Op for Password {
    type Out = Answer;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Answer>> {
        Poll::Ready(match ready!(self.0.poll(session))? {
            Reply::Success => Ok(Answer::Accepted),
            Reply::Failure(refusal) => {
                Err(refusal.error(Code::AuthenticationFailed, "Server refused the password; it offers"))
            }
            Reply::Method { number: message::USERAUTH_PASSWD_CHANGEREQ, body } => {
                let prompt = Reader::new(&body).string().unwrap_or_default();
                crate::memory::copy(prompt).map(Answer::ChangeRequested)
            }
            Reply::Method { number, .. } => Err(unexpected(number)),
        })
    }
}
