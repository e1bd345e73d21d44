//! Asking for the methods that can continue, RFC 4252 section 5.2.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::{Attempt, Reply, not_yet_in, request, unexpected};
use crate::error::Result;
use crate::op::Op;
use crate::session::Session;

/// The `none` method: ready with the server's list, or with nothing if it let the program in.
pub struct List(Attempt);

impl List {
    /// Queues the request.
    pub fn begin(session: &mut Session, user: &[u8]) -> Result<Self> {
        not_yet_in(session)?;
        let packet = request(user, b"none")?;
        Ok(Self(Attempt::begin(session, &packet)?))
    }
}

impl Op for List {
    type Out = Option<Vec<u8>>;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Self::Out>> {
        Poll::Ready(match ready!(self.0.poll(session))? {
            Reply::Success => Ok(None),
            Reply::Failure(refusal) => Ok(Some(refusal.methods)),
            Reply::Method { number, .. } => Err(unexpected(number)),
        })
    }
}
