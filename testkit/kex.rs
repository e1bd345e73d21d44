//! The server's side of key exchanges: RFC 4253 sections 7 and 8, RFC 5656, RFC 8731, and strict key exchange.

use ssh2::crypto::{Digest, EphemeralKey, HashAlgorithm, PrivateKey, SignatureAlgorithm, digest, random};
use ssh2::transport::cipher::{Keys, Opener, Sealer};
use ssh2::transport::kex::{KexAlgorithm, KexMethod};
use ssh2::transport::message;
use ssh2::transport::negotiate::{Agreement, MethodType, Preferences, Suite};
use ssh2::wire::{Put, Reader, names};

use crate::end::{End, Result};
use crate::fault::{Fault, Stage};
use crate::identity::Identity;
use crate::link::{Link, ext_info};
use crate::options::Options;

const IDENT: &[u8] = b"SSH-2.0-testd_1";
const METHODS: &[u8] = b"curve25519-sha256,curve25519-sha256@libssh.org,\
    ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521";
const STRICT_S: &[u8] = b"kex-strict-s-v00@openssh.com";
const STRICT_C: &[u8] = b"kex-strict-c-v00@openssh.com";

/// What lasts from one key exchange to the next.
pub struct Kex<'a> {
    options: &'a Options,
    identity: &'a Identity,
    client_ident: Vec<u8>,
    session_id: Option<Vec<u8>>,
    strict: bool,
}

impl<'a> Kex<'a> {
    /// Identifies both sides and exchanges the first keys.
    pub fn begin(options: &'a Options, identity: &'a Identity, link: &mut Link) -> Result<Self> {
        send_ident(link)?;
        let mut kex = Self { options, identity, client_ident: Vec::new(), session_id: None, strict: false };
        let kexinit = kex.send_kexinit(link)?;
        kex.client_ident = link.receive_line()?;
        let offers_extensions = kex.exchange(link, &kexinit, None)?;
        if offers_extensions && !options.sig_algs.is_empty() {
            send_ext_info(link, &options.sig_algs)?;
        }
        Ok(kex)
    }

    pub fn session_id(&self) -> &[u8] {
        self.session_id.as_deref().unwrap_or_default()
    }

    /// Exchanges keys anew; `client_kexinit` if the client has begun.
    pub fn again(&mut self, link: &mut Link, client_kexinit: Option<Vec<u8>>) -> Result<()> {
        let kexinit = self.send_kexinit(link)?;
        self.exchange(link, &kexinit, client_kexinit)?;
        Ok(())
    }

    fn send_kexinit(&self, link: &mut Link) -> Result<Vec<u8>> {
        let mut cookie = [0; 16];
        random(&mut cookie)?;
        let guess = link.occasion.strikes(Fault::KexWrongGuess);
        let mut lists = self.lists();
        if guess {
            lists[0] = [b"nothing@example.com,", lists[0].as_slice()].concat();
        }
        if link.occasion.strikes(Fault::KexInitNothingInCommon) {
            lists = std::array::from_fn(|_| b"nothing@example.com".to_vec());
        } else if link.occasion.strikes(Fault::KexInitEmpty) {
            lists = std::array::from_fn(|_| Vec::new());
        }
        let mut kexinit = vec![message::KEXINIT];
        kexinit.put(&cookie)?;
        if link.occasion.strikes(Fault::KexInitPastEnd) {
            kexinit.put_string(METHODS)?;
            kexinit.put_u32(0x7fff_ffff)?;
            kexinit.put(b"ssh-ed25519")?;
        } else {
            lists.iter().try_for_each(|list| kexinit.put_string(list))?;
            kexinit.put_boolean(guess)?;
            kexinit.put_u32(0)?;
        }
        link.send(Stage::KexInit, &kexinit)?;
        if link.occasion.strikes(Fault::KexInitTwice) {
            link.send_now(&kexinit)?;
        }
        if guess {
            link.send_now(&[message::KEX_ECDH_INIT, 1, 2, 3])?;
        }
        Ok(kexinit)
    }

    fn lists(&self) -> [Vec<u8>; 10] {
        let known = |kind: MethodType, chosen: &Option<String>| match chosen {
            Some(list) => list.clone().into_bytes(),
            None => kind.offered(false).unwrap_or_default(),
        };
        let mut methods = METHODS.to_vec();
        if self.options.strict {
            methods = [&methods, STRICT_S].join(&b',');
        }
        let algorithms: Vec<&[u8]> = self.identity.key.algorithms().iter().map(|name| name.name().as_bytes()).collect();
        let cipher = known(MethodType::CryptCs, &self.options.cipher);
        let mac = known(MethodType::MacCs, &self.options.mac);
        let none = b"none".to_vec();
        [
            methods,
            algorithms.join(&b','),
            cipher.clone(),
            cipher,
            mac.clone(),
            mac,
            none.clone(),
            none,
            Vec::new(),
            Vec::new(),
        ]
    }

    /// Goes through the exchange behind our KEXINIT; whether the client wants to hear of extensions.
    fn exchange(&mut self, link: &mut Link, kexinit: &[u8], client_kexinit: Option<Vec<u8>>) -> Result<bool> {
        let client_kexinit = match client_kexinit {
            Some(kexinit) => kexinit,
            None => self.await_kexinit(link)?,
        };
        let offer = Offer::read(&client_kexinit)?;
        let agreement = offer.agree(kexinit)?;
        if self.session_id.is_none() {
            self.strict = self.options.strict && offer.has(STRICT_C);
        }
        let init = link.receive()?;
        let mut reader = Reader::new(&init);
        if reader.u8()? != message::KEX_ECDH_INIT {
            return Err(End::new("the client sent a wrong message in the key exchange"));
        }
        let client_value = reader.string()?;

        let KexAlgorithm { method: KexMethod::Ecdh(curve), hash } = agreement.kex.algorithm else {
            return Err(End::new("agreed on a method that was not offered"));
        };
        let key = EphemeralKey::generate(curve)?;
        let mut value = key.public_key().to_vec();
        let mut shared = key.agree(client_value)?.to_vec();
        if link.occasion.strikes(Fault::KexZeroValue) {
            value.fill(0);
            shared.fill(0);
        } else if link.occasion.strikes(Fault::KexShortValue) {
            value.pop();
        }

        let (host_key, algorithm) = self.host_key(link, &agreement);
        let blob = if link.occasion.strikes(Fault::HostKeyGarbage) {
            b"\0\0\0\x0bssh-ed25519garbage".to_vec()
        } else {
            host_key.public_blob()?
        };
        let mut transcript = Vec::new();
        for part in [&self.client_ident, IDENT, &client_kexinit, kexinit, &blob, client_value, &value] {
            transcript.put_string(part)?;
        }
        transcript.put_mpint(&shared)?;
        let exchange_hash = digest(hash, &[&transcript])?;
        let signature = sign(link, host_key, algorithm, exchange_hash.as_ref())?;

        let number =
            if link.occasion.strikes(Fault::KexReplyNumber) { message::KEX_LAST } else { message::KEX_ECDH_REPLY };
        let mut reply = vec![number];
        for part in [&blob, &value, &signature] {
            reply.put_string(part)?;
        }
        link.send(Stage::KexReply, &reply)?;

        link.send(Stage::NewKeys, &[message::NEWKEYS])?;
        let session_id = self.session_id.get_or_insert_with(|| exchange_hash.as_ref().to_vec()).clone();
        let secret = Secret { hash, shared, exchange_hash, session_id };
        link.seal_with(secret.keys(&agreement.sc, *b"BDF", Sealer::new)?, self.strict);
        if link.receive()?.as_slice() != [message::NEWKEYS] {
            return Err(End::new("the client sent something else than its NEWKEYS"));
        }
        link.open_with(secret.keys(&agreement.cs, *b"ACE", Opener::new)?, self.strict);
        link.moved = 0;
        Ok(offer.has(b"ext-info-c"))
    }

    /// What comes before the client's KEXINIT waits until the exchange is over.
    fn await_kexinit(&self, link: &mut Link) -> Result<Vec<u8>> {
        loop {
            let packet = link.receive()?;
            if packet.first() == Some(&message::KEXINIT) {
                return Ok(packet);
            }
            if self.session_id.is_none() {
                return Err(End::new("the client sent something else than its KEXINIT"));
            }
            link.pending.push_back(packet);
        }
    }

    fn host_key(&self, link: &mut Link, agreement: &Agreement) -> (&'a PrivateKey, SignatureAlgorithm) {
        if link.occasion.strikes(Fault::HostKeyType) {
            let key = &self.identity.other;
            return (key, key.algorithms()[0]);
        }
        let changes = self.session_id.is_some() && link.occasion.strikes(Fault::HostKeyChanges);
        let key = if changes { &self.identity.other } else { &self.identity.key };
        (key, agreement.host_key.algorithm.signature)
    }
}

fn send_ident(link: &mut Link) -> Result<()> {
    const LONG: usize = 10_000;
    let faults = [Fault::BannerBinary, Fault::BannerNul, Fault::BannerLong, Fault::BannerEndless, Fault::BannerOld];
    let bytes = match link.occasion.strikes_one_of(&faults) {
        Some(Fault::BannerBinary) => {
            link.send_raw(Stage::Ident, b"\x16\x03\x01\x02\0\xff\xfe\n\x80\x81\xff\n\xde\xad\xbe\xef\n")?;
            return Err(link.hang_up());
        }
        Some(Fault::BannerNul) => b"SSH-2.0-test\0d_1\r\n".to_vec(),
        Some(Fault::BannerLong) => [b"SSH-2.0-".as_slice(), &[b'x'; LONG], b"\r\n"].concat(),
        Some(Fault::BannerEndless) => loop {
            link.send_raw(Stage::Other, b"Welcome, and wait a moment, please.\r\n")?;
        },
        Some(Fault::BannerOld) => b"SSH-1.5-testd_1\r\n".to_vec(),
        _ => [IDENT, b"\r\n"].concat(),
    };
    link.send_raw(Stage::Ident, &bytes)
}

fn send_ext_info(link: &mut Link, sig_algs: &str) -> Result<()> {
    let count = if link.occasion.strikes(Fault::ExtInfoEndless) { u32::MAX } else { 1 };
    link.send(Stage::ExtInfo, &ext_info(count, sig_algs.as_bytes())?)
}

fn sign(link: &mut Link, key: &PrivateKey, algorithm: SignatureAlgorithm, data: &[u8]) -> Result<Vec<u8>> {
    let signed = if link.occasion.strikes(Fault::SignatureOther) { b"something else" } else { data };
    let mut signature = key.sign(algorithm, signed)?;
    if link.occasion.strikes(Fault::SignatureFlip) {
        let place = signature.len() - 10;
        signature[place] ^= 1;
    } else if link.occasion.strikes(Fault::SignatureName) {
        let mut reader = Reader::new(&signature);
        reader.string()?;
        let mut renamed = Vec::new();
        renamed.put_string(b"ssh-rsa")?;
        renamed.put(reader.rest())?;
        signature = renamed;
    } else if link.occasion.strikes(Fault::SignatureEmpty) {
        signature.clear();
    }
    Ok(signature)
}

/// The client's KEXINIT.
struct Offer<'a> {
    lists: [&'a [u8]; 10],
}

impl<'a> Offer<'a> {
    fn read(kexinit: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(kexinit);
        reader.bytes(17)?;
        let mut lists = [&[][..]; 10];
        for list in &mut lists {
            *list = reader.string()?;
        }
        Ok(Self { lists })
    }

    fn has(&self, pseudo_method: &[u8]) -> bool {
        names(self.lists[0]).any(|name| name == pseudo_method)
    }

    /// What the client will agree on when it sees our KEXINIT.
    fn agree(&self, kexinit: &[u8]) -> Result<Agreement> {
        let mut client = Preferences::new().unwrap();
        for (kind, list) in MethodType::ALL.into_iter().zip(self.lists).filter(|(_, list)| !list.is_empty()) {
            client.set(kind, list)?;
        }
        Ok(client.agree(kexinit)?)
    }
}

/// What keys are made from, RFC 4253 section 7.2.
struct Secret {
    hash: HashAlgorithm,
    shared: Vec<u8>,
    exchange_hash: Digest,
    session_id: Vec<u8>,
}

impl Secret {
    /// `letters` are those of IV, encryption key and integrity key.
    fn keys<T>(&self, suite: &Suite, letters: [u8; 3], make: fn(&Keys<'_>) -> ssh2::error::Result<T>) -> Result<T> {
        let (cipher, mac) = (suite.cipher.algorithm, suite.mac.algorithm);
        let lengths = [cipher.iv_len(), cipher.key_len(), mac.key_len()];
        let mut made = Vec::new();
        for (letter, length) in letters.into_iter().zip(lengths) {
            made.push(self.derive(letter, length)?);
        }
        Ok(make(&Keys { cipher, mac, iv: &made[0], key: &made[1], mac_key: &made[2] })?)
    }

    fn derive(&self, letter: u8, length: usize) -> Result<Vec<u8>> {
        let mut secret = Vec::new();
        secret.put_mpint(&self.shared)?;
        let hash = self.exchange_hash.as_ref();
        let mut key = digest(self.hash, &[&secret, hash, &[letter], &self.session_id])?.as_ref().to_vec();
        while key.len() < length {
            let more = digest(self.hash, &[&secret, hash, &key])?;
            key.put(more.as_ref())?;
        }
        key.truncate(length);
        Ok(key)
    }
}
