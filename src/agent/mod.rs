//! The agent, which holds private keys and signs with them: draft-ietf-sshm-ssh-agent.
#![forbid(unsafe_code)]

use std::time::Instant;

use crate::crypto::signature_name;
use crate::error::{Code, Error, Result};
use crate::io::Stream;
use crate::memory::{self, Add, copy};
use crate::wire::{Put, Reader, Short};

// Section 6.1 of the draft.
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

// Section 6.3 of the draft: what the key of type `ssh-rsa` is to sign by.
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;

/// Longest message; OpenSSH's agent has the same bound.
const LONGEST_MESSAGE: usize = 256 * 1024;
/// Most keys that an agent may hold.
const MOST_KEYS: u32 = 1024;
/// Longest comment on a key.
const LONGEST_COMMENT: usize = 64 * 1024;

/// A key that the agent holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The public key, or its certificate, in the form of the wire.
    pub blob: Vec<u8>,
    /// What its user calls it.
    pub comment: Vec<u8>,
}

/// Asks for the keys that the agent holds: they are put into `keys`, also those in front of what cannot be understood.
///
/// # Errors
///
/// [`Code::AgentProtocol`] if the answer makes no sense, [`Code::OutOfBoundary`] if there are too many or too long ones.
pub fn identities(stream: &impl Stream, deadline: Option<Instant>, keys: &mut Vec<Key>) -> Result<()> {
    let answer = ask(stream, &[REQUEST_IDENTITIES], deadline)?;
    let mut reader = answer_of(&answer, IDENTITIES_ANSWER)?;
    let count = reader.u32().map_err(malformed)?;
    if count > MOST_KEYS {
        return Err(Error::new(Code::OutOfBoundary, "Agent holds too many keys"));
    }
    for _ in 0..count {
        let blob = string(&mut reader, LONGEST_MESSAGE)?;
        let comment = string(&mut reader, LONGEST_COMMENT)?;
        keys.add(Key { blob: copy(blob)?, comment: copy(comment)? })?;
    }
    Ok(())
}

/// Has the agent sign `data` with the key `blob` by `algorithm`: the signature, with the name of the algorithm that the
/// agent has used in front.
///
/// # Errors
///
/// [`Code::AgentProtocol`] if it refuses, or if its answer makes no sense.
pub fn sign(
    stream: &impl Stream,
    deadline: Option<Instant>,
    blob: &[u8],
    data: &[u8],
    algorithm: &[u8],
) -> Result<Vec<u8>> {
    let mut request = Vec::new();
    request.put_u8(SIGN_REQUEST)?;
    request.put_string(blob)?;
    request.put_string(data)?;
    request.put_u32(match signature_name(algorithm) {
        [b"rsa-sha2-256", _] => RSA_SHA2_256,
        [b"rsa-sha2-512", _] => RSA_SHA2_512,
        _ => 0,
    })?;
    let answer = ask(stream, &request, deadline)?;
    let mut reader = answer_of(&answer, SIGN_RESPONSE)?;
    reader.string().map_err(malformed).and_then(copy)
}

fn ask(stream: &impl Stream, request: &[u8], deadline: Option<Instant>) -> Result<Vec<u8>> {
    if request.len() > LONGEST_MESSAGE {
        return Err(Error::new(Code::OutOfBoundary, "Agent cannot be sent that much"));
    }
    let mut framed = Vec::new();
    framed.put_string(request)?;
    stream.send_all(&framed, deadline)?;
    let mut length = [0; 4];
    stream.recv_all(&mut length, deadline)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST_MESSAGE {
        return Err(Error::new(Code::AgentProtocol, "Agent's answer is too long"));
    }
    let mut answer = memory::filled(length, 0)?;
    stream.recv_all(&mut answer, deadline)?;
    Ok(answer)
}

fn answer_of(answer: &[u8], wanted: u8) -> Result<Reader<'_>> {
    let mut reader = Reader::new(answer);
    match reader.u8() {
        Ok(number) if number == wanted => Ok(reader),
        Ok(number) => {
            Err(Error::new(Code::AgentProtocol, "Agent refuses").with_text(format_args!("message number {number}")))
        }
        Err(short) => Err(malformed(short)),
    }
}

/// A string of at most `longest` bytes.
fn string<'a>(reader: &mut Reader<'a>, longest: usize) -> Result<&'a [u8]> {
    let length = Reader::new(reader.rest()).u32().map_err(malformed)?;
    if usize::try_from(length).unwrap_or(usize::MAX) > longest {
        return Err(Error::new(Code::OutOfBoundary, "Agent has too long a key, or too long a comment on it"));
    }
    reader.string().map_err(malformed)
}

const fn malformed(short: Short) -> Error {
    short.in_packet(Code::AgentProtocol, "Agent's answer is shorter than its fields")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Takes down what it is sent, and answers with bytes that are there already.
    struct Canned {
        sent: RefCell<Vec<u8>>,
        answer: RefCell<Vec<u8>>,
    }

    impl Canned {
        fn new(payload: &[u8]) -> Self {
            let mut answer = Vec::new();
            answer.put_string(payload).unwrap();
            Self::raw(answer)
        }

        fn raw(answer: Vec<u8>) -> Self {
            Self { sent: RefCell::default(), answer: RefCell::new(answer) }
        }
    }

    impl Stream for Canned {
        fn send_all(&self, bytes: &[u8], _: Option<Instant>) -> Result<()> {
            self.sent.borrow_mut().put(bytes)
        }

        fn recv_all(&self, space: &mut [u8], _: Option<Instant>) -> Result<()> {
            let mut answer = self.answer.borrow_mut();
            if answer.len() < space.len() {
                return Err(Error::new(Code::SocketRecv, "over"));
            }
            space.copy_from_slice(&answer[..space.len()]);
            answer.drain(..space.len());
            Ok(())
        }
    }

    fn two_keys() -> Vec<u8> {
        let mut payload = vec![IDENTITIES_ANSWER, 0, 0, 0, 2];
        for field in ["one", "comment on one", "two", ""] {
            payload.put_string(field.as_bytes()).unwrap();
        }
        payload
    }

    #[test]
    fn keys_are_listed() {
        let (agent, mut keys) = (Canned::new(&two_keys()), Vec::new());
        identities(&agent, None, &mut keys).unwrap();
        assert_eq!(agent.sent.borrow()[..], [0, 0, 0, 1, 11]);
        let found: Vec<_> = keys.iter().map(|key| (&key.blob[..], &key.comment[..])).collect();
        assert_eq!(found, [(&b"one"[..], &b"comment on one"[..]), (b"two", b"")]);
    }

    #[test]
    fn an_answer_that_is_cut_short_gives_the_keys_before_the_cut() {
        let whole = two_keys();
        for length in 0..whole.len() {
            let mut keys = Vec::new();
            let error = identities(&Canned::new(&whole[..length]), None, &mut keys).unwrap_err();
            assert_eq!(error.code, Code::AgentProtocol);
            assert_eq!(keys.len(), usize::from(length >= 30));
        }
    }

    #[test]
    fn an_agent_that_lies_is_not_believed() {
        let code = |answer: Vec<u8>| identities(&Canned::raw(answer), None, &mut Vec::new()).unwrap_err().code;
        assert_eq!(code(vec![]), Code::SocketRecv);
        assert_eq!(code(vec![0, 0, 0, 0]), Code::AgentProtocol);
        assert_eq!(code(vec![0, 0, 0, 1, 5]), Code::AgentProtocol);
        assert_eq!(code(vec![0xff; 8]), Code::AgentProtocol);
        assert_eq!(code(vec![0, 0, 0, 9, 12]), Code::SocketRecv);
        assert_eq!(code(vec![0, 0, 0, 5, 12, 0xff, 0xff, 0xff, 0xff]), Code::OutOfBoundary);
        let mut payload = vec![IDENTITIES_ANSWER, 0, 0, 0, 1];
        payload.put_string(b"key").unwrap();
        payload.put_string(&[b'x'; LONGEST_COMMENT + 1]).unwrap();
        let error = identities(&Canned::new(&payload), None, &mut Vec::new()).unwrap_err();
        assert_eq!(error.code, Code::OutOfBoundary);
    }

    #[test]
    fn flags_name_the_hash_of_rsa_signatures() {
        for (algorithm, flags) in [("rsa-sha2-256", 2), ("rsa-sha2-512", 4), ("ssh-rsa", 0), ("ssh-ed25519", 0)] {
            let agent = Canned::new(b"\x0e\0\0\0\x03sig");
            assert_eq!(sign(&agent, None, b"key", b"data", algorithm.as_bytes()).unwrap(), b"sig");
            let sent = agent.sent.borrow();
            assert_eq!(sent[..], [&b"\0\0\0\x14\x0d\0\0\0\x03key\0\0\0\x04data\0\0\0"[..], &[flags]].concat());
        }
        let refused = sign(&Canned::new(&[5]), None, b"key", b"data", b"ssh-rsa").unwrap_err();
        assert_eq!(refused.code, Code::AgentProtocol);
    }
}
