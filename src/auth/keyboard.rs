//! Questions that the server asks the user, RFC 4256 ("keyboard-interactive").
#![forbid(unsafe_code)]

use std::task::{Poll, ready};

use zeroize::Zeroizing;

use super::{Attempt, Reply, bounded, not_yet_in, request, unexpected};
use crate::error::{Code, Error, Result};
use crate::memory::{self, Add};
use crate::op::Op;
use crate::session::Session;
use crate::transport::message;
use crate::wire::{Put, Reader, Short};

/// Most questions in one round.
const MOST_PROMPTS: u32 = 100;

/// One question.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What to show the user.
    pub text: Vec<u8>,
    /// Whether what the user types may be shown.
    pub echo: bool,
}

/// One round of questions, which may have none: then there is only something to show.
#[derive(Debug, PartialEq, Eq)]
pub struct Questions {
    /// A title.
    pub name: Vec<u8>,
    /// What to show before the first question.
    pub instruction: Vec<u8>,
    /// The questions.
    pub prompts: Vec<Prompt>,
}

/// What the server made of the request, or of the answers to its last questions.
pub enum Round {
    /// It lets the program in.
    Accepted,
    /// It has questions.
    Asked(Questions),
}

/// One step of the conversation: ready with the server's next word.
pub struct Keyboard(Attempt);

impl Keyboard {
    /// Queues the request that the server ask its questions.
    pub fn begin(session: &mut Session, user: &[u8]) -> Result<Self> {
        not_yet_in(session)?;
        let mut packet = request(user, b"keyboard-interactive")?;
        // Neither a language (RFC 4256 section 3.1 has it deprecated) nor a choice of devices.
        packet.put_string(b"")?;
        packet.put_string(b"")?;
        Ok(Self(Attempt::begin(session, &packet)?))
    }

    /// Queues the answers, one for each question of the round.
    pub fn answer(session: &mut Session, answers: &[Zeroizing<Vec<u8>>]) -> Result<Self> {
        let length = answers.iter().fold(0_usize, |sum, answer| sum.saturating_add(answer.len()));
        // At once, so that no growing leaves a copy of the answers behind.
        let size = length.saturating_add(answers.len().saturating_mul(4)).saturating_add(5);
        let mut packet = Zeroizing::new(memory::sized(size)?);
        packet.put_u8(message::USERAUTH_INFO_RESPONSE)?;
        packet.put_u32(u32::try_from(answers.len()).map_err(|_| Error::alloc())?)?;
        answers.iter().try_for_each(|answer| packet.put_string(answer))?;
        bounded(&packet, "Answers are too long")?;
        Ok(Self(Attempt::send(session, &packet)?))
    }
}

impl Op for Keyboard {
    type Out = Round;

    fn poll(&mut self, session: &mut Session) -> Poll<Result<Round>> {
        Poll::Ready(match ready!(self.0.poll(session))? {
            Reply::Success => Ok(Round::Accepted),
            Reply::Failure(refusal) => {
                Err(refusal.error(Code::AuthenticationFailed, "Server refused the user; it offers"))
            }
            Reply::Method { number: message::USERAUTH_INFO_REQUEST, body } => read(&body).map(Round::Asked),
            Reply::Method { number, .. } => Err(unexpected(number)),
        })
    }
}

/// Reads `SSH_MSG_USERAUTH_INFO_REQUEST` behind its number, RFC 4256 section 3.2.
fn read(body: &[u8]) -> Result<Questions> {
    let short =
        |short: Short| short.in_packet(Code::BufferTooSmall, "Server's questions are shorter than their fields");
    let mut reader = Reader::new(body);
    let (name, instruction) = (reader.string().map_err(short)?, reader.string().map_err(short)?);
    let _language = reader.string().map_err(short)?;
    let count = reader.u32().map_err(short)?;
    if count > MOST_PROMPTS {
        return Err(Error::new(Code::OutOfBoundary, "Server asks too many questions at once"));
    }
    let mut prompts = Vec::new();
    for _ in 0..count {
        let (text, echo) = (reader.string().map_err(short)?, reader.boolean().map_err(short)?);
        prompts.add(Prompt { text: memory::copy(text)?, echo })?;
    }
    Ok(Questions { name: memory::copy(name)?, instruction: memory::copy(instruction)?, prompts })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second example of RFC 4256 section 3.4, in short.
    const QUESTIONS: &[u8] = b"\0\0\0\x04name\0\0\0\x05do it\0\0\0\0\0\0\0\x02\0\0\0\x05User:\x01\0\0\0\x05Pass:\0";

    #[test]
    fn questions_are_read_whole_or_not_at_all() {
        let read_whole = read(QUESTIONS).unwrap();
        assert_eq!((&read_whole.name[..], &read_whole.instruction[..]), (&b"name"[..], &b"do it"[..]));
        let prompts: Vec<_> = read_whole.prompts.iter().map(|prompt| (&prompt.text[..], prompt.echo)).collect();
        assert_eq!(prompts, [(&b"User:"[..], true), (b"Pass:", false)]);
        for length in 0..QUESTIONS.len() {
            assert_eq!(read(&QUESTIONS[..length]).unwrap_err().code, Code::BufferTooSmall, "{length}");
        }
    }

    #[test]
    fn a_round_may_have_no_questions_but_not_any_number_of_them() {
        let round = |count: u32| [&[0; 12][..], &count.to_be_bytes()].concat();
        assert_eq!(read(&round(0)).unwrap().prompts, []);
        for count in [101, 0x1000_0000, u32::MAX] {
            assert_eq!(read(&round(count)).unwrap_err().code, Code::OutOfBoundary);
        }
        let hundred = [round(100), [0, 0, 0, 0, 1].repeat(100)].concat();
        assert_eq!(read(&hundred).unwrap().prompts.len(), 100);
    }
}
