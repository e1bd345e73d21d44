//! Logins: what a server and an agent may answer.
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::io;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::piece;
use crate::agent::{identities, sign};
use crate::auth::{Answer, Hostbased, Identity, Keyboard, List, Offer, Outcome, Password, Publickey, Round, Signer};
use crate::crypto::PrivateKey;
use crate::error::{Code, Error, Result};
use crate::io::{Readiness, Stream};
use crate::op::{Call, Host, Op, Owner, Transfer, resume};
use crate::session::Session;
use crate::transport::Tx;

/// Most steps of one login.
const STEPS: usize = 20;

/// An agent's answers to a question for its keys, and to one for a signature.
pub fn agent(data: &[u8]) {
    let stream = Canned(Cell::new(data));
    let mut keys = Vec::new();
    let _ = identities(&stream, None, &mut keys);
    for key in &keys {
        assert!(data.windows(key.blob.len().max(1)).any(|window| window == key.blob) || key.blob.is_empty());
        if let Ok(offer) = Offer::from_blob(b"user", &key.blob) {
            let _ = offer.own_names();
        }
    }
    let _ = sign(&stream, None, b"key", b"data", b"rsa-sha2-512");
    let _ = sign(&Canned(Cell::new(data)), None, b"key", b"data", b"ssh-ed25519");
}

struct Canned<'a>(Cell<&'a [u8]>);

impl Stream for Canned<'_> {
    fn send_all(&self, _: &[u8], _: Option<Instant>) -> Result<()> {
        Ok(())
    }

    fn recv_all(&self, space: &mut [u8], _: Option<Instant>) -> Result<()> {
        let (bytes, rest) =
            self.0.get().split_at_checked(space.len()).ok_or_else(|| Error::new(Code::SocketRecv, "over"))?;
        space.copy_from_slice(bytes);
        self.0.set(rest);
        Ok(())
    }
}

/// A server's answers to a login. The first byte says by which method and how the answers are cut in transit; then come
/// packets, each an 8-bit length and its payload. The connection ends behind the last one.
pub fn login(data: &[u8]) {
    let Some((&how, mut data)) = data.split_first() else { return };
    let mut tx = Tx::default();
    while !data.is_empty() {
        if tx.send(&[piece(&mut data)]).is_err() {
            return;
        }
    }
    let line = Line {
        incoming: RefCell::new(tx.queue().filled().to_vec()),
        cut: if how & 0x80 == 0 { usize::MAX } else { 7 },
        now: Cell::new(Instant::now()),
    };
    let session = RefCell::new(Session::connected(line.now.get()).unwrap());
    let succeeded = match how & 7 {
        0 if how & 8 != 0 => hostbased(&session, &line),
        0 => list(&session, &line),
        1 => password(&session, &line),
        2 => keyboard(&session, &line),
        3 => publickey(&session, &line, true),
        4 => publickey(&session, &line, false),
        5 => signer(&session, &line, b"ssh-ed25519"),
        6 => signer(&session, &line, b"ssh-rsa"),
        _ => list(&session, &line).and_then(|()| password(&session, &line)),
    };
    assert!(succeeded.is_err() || session.borrow().auth.is_authenticated() || how & 15 == 0);
}

fn step<O: Op>(
    session: &RefCell<Session>,
    line: &Line,
    begin: impl FnOnce(&mut Session) -> Result<O>,
) -> Result<O::Out> {
    resume(session, line, Owner::Session, Call::UserauthPassword, begin)
}

fn list(session: &RefCell<Session>, line: &Line) -> Result<()> {
    step(session, line, |session| List::begin(session, b"user")).map(drop)
}

fn password(session: &RefCell<Session>, line: &Line) -> Result<()> {
    let mut answer = step(session, line, |session| Password::begin(session, b"user", b"old"))?;
    for _ in 0..STEPS {
        if answer == Answer::Accepted {
            return Ok(());
        }
        answer = step(session, line, |session| Password::change(session, b"user", b"old", b"new"))?;
    }
    Err(endless())
}

fn keyboard(session: &RefCell<Session>, line: &Line) -> Result<()> {
    let mut round = step(session, line, |session| Keyboard::begin(session, b"user"))?;
    for _ in 0..STEPS {
        let Round::Asked(questions) = round else { return Ok(()) };
        assert!(questions.prompts.len() <= 100);
        let answers: Vec<_> = questions.prompts.into_iter().map(|prompt| Zeroizing::new(prompt.text)).collect();
        round = step(session, line, |session| Keyboard::answer(session, &answers))?;
    }
    Err(endless())
}

/// The key pair that RFC 8410 section 10.3 shows.
const KEY: &[u8] = b"-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";

fn identity(is_pair: bool) -> Result<Identity> {
    let key = PrivateKey::parse(KEY, None)?;
    let blob = if is_pair { key.public_blob()? } else { b"\0\0\0\x0bssh-ed25519 of another".to_vec() };
    Ok(Identity { key_type: b"ssh-ed25519".to_vec(), blob, private: Ok(key) })
}

fn publickey(session: &RefCell<Session>, line: &Line, is_pair: bool) -> Result<()> {
    let identity = identity(is_pair)?;
    step(session, line, |session| Publickey::begin(session, b"user", identity))
}

fn hostbased(session: &RefCell<Session>, line: &Line) -> Result<()> {
    let identity = identity(true)?;
    step(session, line, |session| Hostbased::begin(session, b"user", identity, b"host.example.org", b"local"))
}

fn signer(session: &RefCell<Session>, line: &Line, key_type: &[u8]) -> Result<()> {
    let offer = Offer::new(b"user", key_type, b"blob")?;
    let mut outcome = step(session, line, |session| Signer::begin(session, offer))?;
    for round in 0..STEPS {
        let Outcome::Sign(request) = outcome else { return Ok(()) };
        outcome = step(session, line, |session| match round {
            0 => Signer::again(session, request),
            1 if key_type == b"ssh-rsa" => Signer::with_own_algorithm(session, request),
            _ => Signer::signed(session, request, b"signature"),
        })?;
    }
    Err(endless())
}

const fn endless() -> Error {
    Error::new(Code::Timeout, "Server asks for ever")
}

/// A line on which everything has arrived already, and that takes whatever is sent.
struct Line {
    incoming: RefCell<Vec<u8>>,
    cut: usize,
    now: Cell<Instant>,
}

impl Host for Line {
    fn send(&self, bytes: &[u8]) -> Transfer {
        Transfer::Moved(bytes.len())
    }

    fn recv(&self, space: &mut [u8]) -> Transfer {
        let mut incoming = self.incoming.borrow_mut();
        let size = space.len().min(incoming.len()).min(self.cut);
        for (place, byte) in space.iter_mut().zip(incoming.drain(..size)) {
            *place = byte;
        }
        Transfer::Moved(size)
    }

    fn wait(&self, interest: Readiness, _: Option<Duration>) -> io::Result<Readiness> {
        Ok(interest)
    }

    /// Later each time, so that nothing is waited for.
    fn now(&self) -> Instant {
        self.now.set(self.now.get() + Duration::from_secs(1));
        self.now.get()
    }

    fn hides_bytes(&self) -> bool {
        false
    }
}
