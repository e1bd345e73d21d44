//! Logging in because of the host that the program runs on, RFC 4252 section 9.
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use super::offer::{Offer, bound_to_session};
use super::publickey::{algorithm, await_algorithms, refused, unverified};
use super::{Attempt, Identity, Reply, bounded, not_yet_in, request, unexpected};
use crate::crypto::PrivateKey;
use crate::error::{Code, Result};
use crate::memory::copy;
use crate::op::Op;
use crate::patience::Patience;
use crate::session::Session;
use crate::wire::Put;

/// Logs in with a host's key: ready when the server has let the program in.
pub struct Hostbased {
    user: Vec<u8>,
    offer: Offer,
    private: PrivateKey,
    host: Vec<u8>,
    local_user: Vec<u8>,
    step: Step,
}

enum Step {
    /// The server's signature algorithms are awaited.
    Algorithms { patience: Patience },
    /// Its answer is awaited.
    Signed { attempt: Attempt },
}

impl Hostbased {
    /// Begins a login of `user`, who is `local_user` on `host`, whose key is `identity`.
    pub fn begin(
        session: &mut Session,
        user: &[u8],
        identity: Identity,
        host: &[u8],
        local_user: &[u8],
    ) -> Result<Self> {
        not_yet_in(session)?;
        bounded(host, "Host name is too long")?;
        bounded(local_user, "Local user name is too long")?;
        let Identity { key_type, blob, private } = identity;
        Ok(Self {
            user: copy(user)?,
            offer: Offer::new(user, &key_type, &blob)?,
            private: private.map_err(unverified)?,
            host: copy(host)?,
            local_user: copy(local_user)?,
            step: Step::Algorithms { patience: session.patience() },
        })
    }

    fn request(&self, session: &Session) -> Result<Vec<u8>> {
        let names = self.offer.names(session)?;
        let mut packet = request(&self.user, b"hostbased")?;
        for field in [&names.request[..], self.offer.blob(), &self.host, &self.local_user] {
            packet.put_string(field)?;
        }
        let data = bound_to_session(session, &packet)?;
        let signature = self.private.sign(algorithm(&names)?, &data).map_err(unverified)?;
        packet.put_string(&signature)?;
        Ok(packet)
    }
}

impl Op for Hostbased {
    type Out = ();

    fn poll(&mut self, session: &mut Session) -> Poll<Result<()>> {
        loop {
            self.step = match &mut self.step {
                Step::Algorithms { patience } => {
                    ready!(await_algorithms(session, &self.offer, patience))?;
                    let packet = self.request(session)?;
                    Step::Signed { attempt: Attempt::begin(session, &packet)? }
                }
                Step::Signed { attempt } => {
                    return Poll::Ready(match ready!(attempt.poll(session))? {
                        Reply::Success => Ok(()),
                        Reply::Failure(refusal) => Err(refused(Code::PublickeyUnverified, &refusal)),
                        Reply::Method { number, .. } => Err(unexpected(number)),
                    });
                }
            };
        }
    }
}
