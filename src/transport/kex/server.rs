//! The server's side of a key exchange: curve25519-sha256 and an Ed25519 host key, honest unless it is told otherwise.
#![forbid(unsafe_code)]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "it is a part of tests")]

use super::*;
use crate::crypto::{EphemeralKey, PrivateKey, SignatureAlgorithm};
use crate::transport::negotiate::{MethodType, Preferences};
use crate::transport::packet::Rx;
use crate::transport::{DEFAULT_IDENT, Tx};
use crate::wire::Reader;

/// Two host keys; the first one is the server's.
pub const HOST_KEYS: [&str; 2] = [
    "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACCooeyt/14+v1i8rRfMn7gV6ciRVpHeXlqr3vAX9O6uZAAAAJAV36pAFd+q
QAAAAAtzc2gtZWQyNTUxOQAAACCooeyt/14+v1i8rRfMn7gV6ciRVpHeXlqr3vAX9O6uZA
AAAEC9JKQvySIo1/44yi83iHyZZmJ8Mk56krjrAan27AD1MKih7K3/Xj6/WLytF8yfuBXp
yJFWkd5eWqve8Bf07q5kAAAACnRlc3RzIG9ubHkBAgM=
-----END OPENSSH PRIVATE KEY-----
",
    "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACAS4v+HrOMSkvsni3xp4Z4+H9vQsB7Hh84ZdxLSAslD9gAAAJDv0bfU79G3
1AAAAAtzc2gtZWQyNTUxOQAAACAS4v+HrOMSkvsni3xp4Z4+H9vQsB7Hh84ZdxLSAslD9g
AAAEC2hmEMyq88JzM/3OvYcsQBaDqQVZNPhtWBVrpbeGkO9RLi/4es4xKS+yeLfGnhnj4f
29CwHseHzhl3EtICyUP2AAAACnRlc3RzIG9ubHkBAgM=
-----END OPENSSH PRIVATE KEY-----
",
];
const IDENT: &[u8] = b"SSH-2.0-peer";

/// Where the server's side of an exchange stands.
enum Stage {
    Idle,
    /// Its KEXINIT has left.
    AwaitInit(Vec<u8>),
    AwaitFirst {
        agreement: Agreement,
        client_kexinit: Vec<u8>,
        server_kexinit: Vec<u8>,
    },
    AwaitNewKeys(Box<Opener>),
}

/// The server. What it says against the client is an error, after which it is of no use.
pub struct Server {
    /// What it sends.
    pub tx: Tx,
    rx: Rx,
    server_ident: &'static [u8],
    client_ident: Vec<u8>,
    stage: Stage,
    /// What it agrees to.
    pub lists: Preferences,
    /// What it signs with.
    pub host_key: PrivateKey,
    /// What is shown for the bare key.
    pub certificate: Option<Vec<u8>>,
    session_id: Option<Digest>,
    strict: bool,
    /// Payloads of the client that are not the transport's.
    pub heard: Vec<Vec<u8>>,
    /// How many key exchanges are over.
    pub exchanges: usize,
}

impl Server {
    /// One that has sent its identification.
    pub fn new(strict: bool) -> Result<Self> {
        let mut tx = Tx::default();
        tx.send_raw(IDENT)?;
        tx.send_raw(b"\r\n")?;
        let mut lists = Preferences::new()?;
        lists.set(MethodType::Kex, b"curve25519-sha256")?;
        Ok(Self {
            tx,
            rx: Rx::default(),
            server_ident: IDENT,
            client_ident: Vec::new(),
            stage: Stage::Idle,
            lists,
            host_key: PrivateKey::parse(HOST_KEYS[0].as_bytes(), None)?,
            certificate: None,
            session_id: None,
            strict,
            heard: Vec::new(),
            exchanges: 0,
        })
    }

    /// The other end of [`crate::transport::Transport::connected`].
    pub fn connected() -> Result<Self> {
        let client_ident = DEFAULT_IDENT.to_bytes().to_vec();
        Ok(Self { tx: Tx::default(), server_ident: b"", client_ident, ..Self::new(false)? })
    }

    /// Whether no key exchange is under way.
    pub const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Begins a key exchange.
    pub fn begin(&mut self) -> Result<()> {
        let mut kexinit = self.lists.kexinit(&[7; 16], false)?;
        if self.strict && self.session_id.is_none() {
            // The list of methods comes first; the pseudo method goes behind it.
            let mut reader = Reader::new(&kexinit);
            let head = reader.bytes(17)?.to_vec();
            let list = [reader.string()?, b",kex-strict-s-v00@openssh.com"].concat();
            let rest = reader.rest().to_vec();
            kexinit = head;
            kexinit.put_string(&list)?;
            kexinit.put(&rest)?;
        }
        self.tx.send_now(&[&kexinit])?;
        self.tx.hold();
        self.stage = Stage::AwaitInit(kexinit);
        Ok(())
    }

    /// Takes in what the client has sent.
    pub fn take_in(&mut self, bytes: &[u8]) -> Result<()> {
        self.rx.queue().put(bytes)?;
        if self.client_ident.is_empty() {
            let queue = self.rx.queue();
            let Some(end) = queue.filled().iter().position(|&byte| byte == b'\n') else { return Ok(()) };
            self.client_ident = queue.filled()[..end].trim_ascii_end().to_vec();
            queue.consume(end + 1);
        }
        while let Some(range) = self.rx.packet()? {
            let packet = self.rx.payload(range).to_vec();
            self.handle(packet)?;
        }
        Ok(())
    }

    fn handle(&mut self, packet: Vec<u8>) -> Result<()> {
        let number = packet[0];
        if number == message::KEXINIT && matches!(self.stage, Stage::Idle) {
            self.begin()?;
        }
        self.stage = match (std::mem::replace(&mut self.stage, Stage::Idle), number) {
            (Stage::AwaitInit(server_kexinit), message::KEXINIT) => {
                let agreement = self.lists.agree(&packet)?;
                Stage::AwaitFirst { agreement, client_kexinit: packet, server_kexinit }
            }
            (Stage::AwaitFirst { agreement, client_kexinit, server_kexinit }, message::KEX_ECDH_INIT) => {
                let transcript = Transcript {
                    client_ident: self.client_ident.clone(),
                    server_ident: self.server_ident.to_vec(),
                    client_kexinit,
                    server_kexinit,
                };
                Stage::AwaitNewKeys(Box::new(self.answer(agreement, &transcript, &packet)?))
            }
            (Stage::AwaitNewKeys(opener), message::NEWKEYS) => {
                self.rx.rekey(*opener, self.strict);
                self.exchanges += 1;
                Stage::Idle
            }
            (Stage::AwaitFirst { .. } | Stage::AwaitNewKeys(_), _)
            | (Stage::AwaitInit(_), message::NEWKEYS..=message::KEX_LAST) => {
                return Err(failed("Client sent a message that is out of order").with(format!("{number}")));
            }
            (stage, message::KEXINIT..=message::KEX_LAST) => stage,
            (stage, _) => {
                self.heard.push(packet);
                stage
            }
        };
        Ok(())
    }

    /// The reply and the new keys; what was held back follows.
    fn answer(&mut self, agreement: Agreement, transcript: &Transcript, packet: &[u8]) -> Result<Opener> {
        let theirs = Reader::new(&packet[1..]).string()?;
        let key = EphemeralKey::generate(Curve::X25519)?;
        let ours = key.public_key().to_vec();
        let blob = self.certificate.clone().map_or_else(|| self.host_key.public_blob(), Ok)?;
        let mut fields = Vec::new();
        fields.put_string(theirs)?;
        fields.put_string(&ours)?;
        let mut secret = Zeroizing::new(Vec::new());
        secret.put_mpint(&key.agree(theirs)?)?;
        let reply = Reply { host_key: &blob, signature: &[], fields, secret };
        let hash = transcript.hash(agreement.kex.algorithm.hash, &reply)?;
        let signature = self.host_key.sign(SignatureAlgorithm::Ed25519, hash.as_ref())?;
        let exchanged = Exchanged { host_key: Vec::new(), hash, secret: reply.secret, agreement };
        let id = self.session_id.as_ref().unwrap_or(&exchanged.hash).as_ref();
        let sealer = exchanged.with_keys(&agreement.sc, *b"BDF", id, Sealer::new)?;
        let opener = exchanged.with_keys(&agreement.cs, *b"ACE", id, Opener::new)?;
        self.session_id.get_or_insert(exchanged.hash);
        let mut packet = vec![message::KEX_ECDH_REPLY];
        for field in [&blob, &ours, &signature] {
            packet.put_string(field)?;
        }
        self.tx.send_now(&[&packet])?;
        self.tx.send_now(&[&[message::NEWKEYS]])?;
        self.tx.rekey(sealer, self.strict);
        self.tx.release()?;
        Ok(opener)
    }
}
