//! The server's half of key exchanges, for servers in memory.
#![forbid(unsafe_code)]

use super::*;
use crate::crypto::{EphemeralKey, PrivateKey, SignatureAlgorithm};
use crate::transport::negotiate::{MethodType, Preferences};
use crate::transport::{Rx, Tx};
use crate::wire::Reader;

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

/// The key exchanges of one connection, as its server sees them.
pub struct Exchanges {
    server_ident: Vec<u8>,
    pub client_ident: Vec<u8>,
    stage: Stage,
    pub lists: Preferences,
    pub host_key: PrivateKey,
    /// What is shown for the bare key.
    pub certificate: Option<Vec<u8>>,
    session_id: Option<Digest>,
    strict: bool,
    /// How many are over.
    pub count: usize,
}

impl Exchanges {
    pub fn new(server_ident: &[u8], client_ident: &[u8], strict: bool) -> Self {
        let mut lists = Preferences::default();
        lists.set(MethodType::Kex, b"curve25519-sha256").unwrap();
        Self {
            server_ident: server_ident.to_vec(),
            client_ident: client_ident.to_vec(),
            stage: Stage::Idle,
            lists,
            host_key: PrivateKey::parse(HOST_KEYS[0].as_bytes(), None).unwrap(),
            certificate: None,
            session_id: None,
            strict,
            count: 0,
        }
    }

    /// Whether none is under way.
    pub const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    pub fn begin(&mut self, tx: &mut Tx) {
        let mut kexinit = self.lists.kexinit(&[7; 16], false, false).unwrap();
        if self.strict && self.session_id.is_none() {
            // The list of methods comes first; the pseudo method goes behind it.
            let mut reader = Reader::new(&kexinit);
            let head = reader.bytes(17).unwrap().to_vec();
            let list = [reader.string().unwrap(), b",kex-strict-s-v00@openssh.com"].concat();
            let rest = reader.rest().to_vec();
            kexinit = head;
            kexinit.put_string(&list).unwrap();
            kexinit.put(&rest).unwrap();
        }
        tx.send_now(&[&kexinit]).unwrap();
        tx.hold();
        self.stage = Stage::AwaitInit(kexinit);
    }

    /// Takes a packet of the client: itself, if it is no part of an exchange.
    pub fn handle(&mut self, packet: Vec<u8>, tx: &mut Tx, rx: &mut Rx) -> Option<Vec<u8>> {
        if packet[0] == message::KEXINIT && self.is_idle() {
            self.begin(tx);
        }
        let (stage, other) = match (std::mem::replace(&mut self.stage, Stage::Idle), packet[0]) {
            (Stage::AwaitInit(server_kexinit), message::KEXINIT) => {
                let agreement = self.lists.agree(&packet).unwrap();
                (Stage::AwaitFirst { agreement, client_kexinit: packet, server_kexinit }, None)
            }
            (Stage::AwaitFirst { agreement, client_kexinit, server_kexinit }, message::KEX_ECDH_INIT) => {
                let transcript = Transcript {
                    client_ident: self.client_ident.clone(),
                    server_ident: self.server_ident.clone(),
                    client_kexinit,
                    server_kexinit,
                };
                (Stage::AwaitNewKeys(Box::new(self.answer(agreement, &transcript, &packet, tx))), None)
            }
            (Stage::AwaitNewKeys(opener), message::NEWKEYS) => {
                rx.rekey(*opener, self.strict);
                self.count += 1;
                (Stage::Idle, None)
            }
            (stage, message::KEXINIT..=message::KEX_LAST) => {
                assert!(matches!(stage, Stage::Idle), "message {} out of order", packet[0]);
                (stage, None)
            }
            (stage, _) => {
                assert!(!matches!(stage, Stage::AwaitFirst { .. } | Stage::AwaitNewKeys(_)), "data in an exchange");
                (stage, Some(packet))
            }
        };
        self.stage = stage;
        other
    }

    /// The reply and the new keys; what was held back follows.
    fn answer(&mut self, agreement: Agreement, transcript: &Transcript, packet: &[u8], tx: &mut Tx) -> Opener {
        let theirs = Reader::new(&packet[1..]).string().unwrap();
        let key = EphemeralKey::generate(Curve::X25519).unwrap();
        let ours = key.public_key().to_vec();
        let blob = self.certificate.clone().unwrap_or_else(|| self.host_key.public_blob().unwrap());
        let mut fields = Vec::new();
        fields.put_string(theirs).unwrap();
        fields.put_string(&ours).unwrap();
        let mut secret = Zeroizing::new(Vec::new());
        secret.put_mpint(&key.agree(theirs).unwrap()).unwrap();
        let reply = Reply { host_key: &blob, signature: &[], fields, secret };
        let hash = transcript.hash(agreement.kex.algorithm.hash, &reply).unwrap();
        let signature = self.host_key.sign(SignatureAlgorithm::Ed25519, hash.as_ref()).unwrap();
        let exchanged = Exchanged { host_key: Vec::new(), hash, secret: reply.secret, agreement };
        let session_id = *self.session_id.get_or_insert(hash);
        let id = session_id.as_ref();
        let sealer = exchanged.with_keys(&agreement.sc, *b"BDF", id, Sealer::new).unwrap();
        let opener = exchanged.with_keys(&agreement.cs, *b"ACE", id, Opener::new).unwrap();
        let mut packet = vec![message::KEX_ECDH_REPLY];
        for field in [&blob, &ours, &signature] {
            packet.put_string(field).unwrap();
        }
        tx.send_now(&[&packet]).unwrap();
        tx.send_now(&[&[message::NEWKEYS]]).unwrap();
        tx.rekey(sealer, self.strict);
        tx.release().unwrap();
        opener
    }
}
