//! Letting clients in, RFC 4252.

use ssh2::crypto::{PublicKey, SignatureAlgorithm};
use ssh2::transport::message;
use ssh2::wire::{Put, Reader};

use crate::end::Result;
use crate::fault::{Fault, Stage};
use crate::keyboard::{Keyboard, Progress};
use crate::link::Link;
use crate::options::Options;

/// Who the client is to the server.
pub struct Auth<'a> {
    options: &'a Options,
    changes_left: usize,
    keyboard: Keyboard<'a>,
    /// How many of the required methods have succeeded.
    succeeded: usize,
    greeted: bool,
    pub done: bool,
}

/// What to say to a request.
enum Verdict {
    Success,
    Failure,
    WantsChange,
    /// Questions have been asked.
    Asked,
    KeyWouldDo {
        algorithm: Vec<u8>,
        blob: Vec<u8>,
    },
}

impl<'a> Auth<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            changes_left: options.changes,
            keyboard: Keyboard::new(&options.rounds),
            succeeded: 0,
            greeted: false,
            done: false,
        }
    }

    /// Answers SERVICE_REQUEST.
    pub fn on_service(&self, link: &mut Link, packet: &[u8]) -> Result<()> {
        let mut reader = Reader::new(packet);
        reader.u8()?;
        let service = reader.string()?;
        if service != b"ssh-userauth" || link.occasion.strikes(Fault::ServiceRefused) {
            return Err(link.disconnect(7, b"there is no such service here")?);
        }
        let mut accept = vec![message::SERVICE_ACCEPT];
        let other = link.occasion.strikes(Fault::ServiceOther);
        accept.put_string(if other { b"ssh-connection" } else { service })?;
        link.send(Stage::Service, &accept)?;
        if link.occasion.strikes(Fault::AuthUnasked) {
            link.send_now(&[message::USERAUTH_SUCCESS])?;
        }
        Ok(())
    }

    /// Answers USERAUTH_REQUEST; after the login such requests are ignored.
    pub fn on_request(&mut self, link: &mut Link, session_id: &[u8], packet: &[u8]) -> Result<()> {
        if self.done {
            return Ok(());
        }
        self.greet(link)?;
        if self.misbehave(link)? {
            return Ok(());
        }
        self.keyboard.stop();
        let verdict = self.judge(link, session_id, packet)?;
        self.answer(link, verdict)
    }

    /// Answers USERAUTH_INFO_RESPONSE.
    pub fn on_answers(&mut self, link: &mut Link, packet: &[u8]) -> Result<()> {
        let mut reader = Reader::new(packet);
        reader.u8()?;
        let progress = self.keyboard.on_answers(link, reader)?;
        let verdict = self.verdict_on(progress);
        self.answer(link, verdict)
    }

    fn answer(&mut self, link: &mut Link, verdict: Verdict) -> Result<()> {
        let verdict = match verdict {
            Verdict::Success if self.succeeded + 1 < self.options.required.len() => {
                self.succeeded += 1;
                return self.refuse(link, true);
            }
            other => other,
        };
        self.done = matches!(verdict, Verdict::Success);
        let mut answer = Vec::new();
        match verdict {
            Verdict::Success => answer.put_u8(message::USERAUTH_SUCCESS)?,
            Verdict::Asked => return Ok(()),
            Verdict::Failure => {
                let partial = link.occasion.is(Fault::AuthPartial);
                return self.refuse(link, partial);
            }
            Verdict::WantsChange => {
                answer.put_u8(message::USERAUTH_PASSWD_CHANGEREQ)?;
                answer.put_string(b"Your password has expired")?;
                answer.put_string(b"en")?;
            }
            Verdict::KeyWouldDo { algorithm, blob } => {
                answer.put_u8(message::USERAUTH_PK_OK)?;
                answer.put_string(&algorithm)?;
                answer.put_string(&blob)?;
            }
        }
        link.send(Stage::Auth, &answer)
    }

    fn refuse(&self, link: &mut Link, partial: bool) -> Result<()> {
        let mut methods = vec!["publickey", "password"];
        if !self.options.rounds.is_empty() {
            methods.push("keyboard-interactive");
        }
        if self.options.host.is_some() {
            methods.push("hostbased");
        }
        if let Some(next) = self.options.required.get(self.succeeded) {
            methods = vec![next];
        }
        let mut answer = vec![message::USERAUTH_FAILURE];
        answer.put_string(methods.join(",").as_bytes())?;
        answer.put_boolean(partial)?;
        link.send(Stage::Auth, &answer)
    }

    fn judge(&mut self, link: &mut Link, session_id: &[u8], packet: &[u8]) -> Result<Verdict> {
        let mut reader = Reader::new(packet);
        reader.u8()?;
        let user = reader.string()?;
        reader.string()?;
        let method = reader.string()?;
        if self.options.none {
            return Ok(Verdict::Success);
        }
        let is_due = self.options.required.get(self.succeeded).is_none_or(|due| due.as_bytes() == method);
        if user != self.options.user.as_bytes() || !is_due {
            return Ok(Verdict::Failure);
        }
        match method {
            b"password" => self.judge_password(reader),
            b"publickey" if self.options.public_keys => judge_key(reader, session_id, packet),
            b"hostbased" => self.judge_host(reader, session_id, packet),
            b"keyboard-interactive" => {
                let progress = self.keyboard.begin(link)?;
                Ok(self.verdict_on(progress))
            }
            _ => Ok(Verdict::Failure),
        }
    }

    const fn verdict_on(&self, progress: Progress) -> Verdict {
        match progress {
            Progress::Asked => Verdict::Asked,
            Progress::Accepted => Verdict::Success,
            Progress::Refused => Verdict::Failure,
        }
    }

    fn judge_host(&self, mut reader: Reader<'_>, session_id: &[u8], packet: &[u8]) -> Result<Verdict> {
        let (algorithm, blob) = (reader.string()?, reader.string()?);
        let (host, user) = (reader.string()?, reader.string()?);
        let known = self.options.host.as_ref();
        if known.is_none_or(|(known, theirs)| host != known.as_bytes() || user != theirs.as_bytes()) {
            return Ok(Verdict::Failure);
        }
        judge_signature(algorithm, blob, reader, session_id, packet)
    }

    fn judge_password(&mut self, mut reader: Reader<'_>) -> Result<Verdict> {
        let changes = reader.boolean()?;
        let right = self.options.password.as_ref().is_some_and(|known| Ok(known.as_bytes()) == reader.string());
        let new = if changes { Some(reader.string()?) } else { None };
        if !right {
            return Ok(Verdict::Failure);
        }
        if self.changes_left > 0 {
            self.changes_left -= 1;
            return Ok(Verdict::WantsChange);
        }
        let accepted = match (new, &self.options.new_password) {
            (Some(new), Some(wanted)) => new == wanted.as_bytes(),
            (Some(_), None) => true,
            (None, _) => self.options.changes == 0,
        };
        Ok(if accepted { Verdict::Success } else { Verdict::Failure })
    }

    fn greet(&mut self, link: &mut Link) -> Result<()> {
        let text = match &self.options.banner {
            Some(text) if !self.greeted => text.clone().into_bytes(),
            _ if link.occasion.strikes(Fault::AuthBannerLong) => b"\x1b[2Jlong\r\n".repeat(20_000),
            _ => return Ok(()),
        };
        self.greeted = true;
        link.send_now(&banner(&text)?)
    }

    /// Whether the request is answered by something wrong instead.
    fn misbehave(&self, link: &mut Link) -> Result<bool> {
        let faults = [Fault::AuthFailureShort, Fault::AuthWrongNumber, Fault::AuthRequest, Fault::AuthBanners];
        let answer = match link.occasion.strikes_one_of(&faults) {
            Some(Fault::AuthFailureShort) => vec![message::USERAUTH_FAILURE, 0, 0, 1, 0, b'p'],
            Some(Fault::AuthWrongNumber) => vec![message::USERAUTH_METHOD_FIRST + 3, 0, 0, 0, 0],
            Some(Fault::AuthRequest) => vec![message::USERAUTH_REQUEST, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            Some(Fault::AuthBanners) => loop {
                link.send_now(&banner(b"Welcome, and wait a moment, please.\r\n")?)?;
            },
            _ => return Ok(false),
        };
        link.send_now(&answer)?;
        Ok(true)
    }
}

fn judge_key(mut reader: Reader<'_>, session_id: &[u8], packet: &[u8]) -> Result<Verdict> {
    let signed = reader.boolean()?;
    let (algorithm, blob) = (reader.string()?, reader.string()?);
    if !signed {
        return Ok(Verdict::KeyWouldDo { algorithm: algorithm.to_vec(), blob: blob.to_vec() });
    }
    judge_signature(algorithm, blob, reader, session_id, packet)
}

/// Checks the signature that comes next in `reader`, over all of `packet` before it.
fn judge_signature(
    algorithm: &[u8],
    blob: &[u8],
    mut reader: Reader<'_>,
    session_id: &[u8],
    packet: &[u8],
) -> Result<Verdict> {
    let Some(algorithm) = SignatureAlgorithm::from_name(algorithm) else { return Ok(Verdict::Failure) };
    let mut data = Vec::new();
    data.put_string(session_id)?;
    data.put(&packet[..packet.len() - reader.rest().len()])?;
    let genuine = PublicKey::from_blob(blob).and_then(|key| key.verify(algorithm, &data, reader.string()?));
    Ok(if genuine.is_ok() { Verdict::Success } else { Verdict::Failure })
}

fn banner(text: &[u8]) -> Result<Vec<u8>> {
    let mut packet = vec![message::USERAUTH_BANNER];
    packet.put_string(text)?;
    packet.put_string(b"en")?;
    Ok(packet)
}
