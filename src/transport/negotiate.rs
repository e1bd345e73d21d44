//! Which algorithms there are, which ones the program wants, and which ones both sides agree on: RFC 4253 section 7.1.
#![forbid(unsafe_code)]

use std::ffi::CStr;

use super::cipher::{CipherAlgorithm, MacAlgorithm};
use super::compress::CompressionAlgorithm;
use super::host_key::HostKeyAlgorithm;
use super::kex::{KexAlgorithm, KexMethod};
use super::message;
use crate::crypto::{self, CbcCipher, Curve, HashAlgorithm, Kem, SignatureAlgorithm};
use crate::error::{Code, Error, Result};
use crate::memory;
use crate::trace::{Topic, Trace};
use crate::wire::{Put, Reader, names};

/// Announces that extension information is welcome, RFC 8308 section 2.1.
const EXT_INFO_C: &CStr = c"ext-info-c";
/// Announces strict key exchange, OpenSSH's PROTOCOL section 1.10.
const STRICT_C: &CStr = c"kex-strict-c-v00@openssh.com";
const STRICT_S: &[u8] = b"kex-strict-s-v00@openssh.com";

/// One algorithm: its name on the wire, what it is, and whether it is offered when the program states no preference.
pub struct Method<T: 'static> {
    /// The name on the wire.
    pub name: &'static CStr,
    /// What the name stands for.
    pub algorithm: T,
    /// Whether it is offered although the program did not ask for it.
    offered: bool,
}

const fn method<T>(name: &'static CStr, algorithm: T) -> Method<T> {
    Method { name, algorithm, offered: true }
}

/// What is offered only where the program names it: what is too weak or too little used, for old servers; and what a
/// program has to know how to take.
const fn on_request<T>(name: &'static CStr, algorithm: T) -> Method<T> {
    Method { name, algorithm, offered: false }
}

const fn ecdh(curve: Curve, hash: HashAlgorithm) -> KexAlgorithm {
    KexAlgorithm { method: KexMethod::Ecdh(curve), hash }
}

const fn hybrid(kem: Kem, curve: Curve, hash: HashAlgorithm) -> KexAlgorithm {
    KexAlgorithm { method: KexMethod::Hybrid(kem, curve), hash }
}

const fn modp(bits: usize, hash: HashAlgorithm) -> KexAlgorithm {
    KexAlgorithm { method: KexMethod::Modp(bits), hash }
}

const fn group_exchange(hash: HashAlgorithm) -> KexAlgorithm {
    KexAlgorithm { method: KexMethod::GroupExchange, hash }
}

const fn hmac(hash: HashAlgorithm, encrypt_then_mac: bool) -> MacAlgorithm {
    MacAlgorithm { hash, tag_len: hash.len(), encrypt_then_mac }
}

/// The `-96` form, of which so many bits are sent.
const fn hmac_96(hash: HashAlgorithm) -> MacAlgorithm {
    MacAlgorithm { hash, tag_len: 12, encrypt_then_mac: false }
}

const fn plain(signature: SignatureAlgorithm) -> HostKeyAlgorithm {
    HostKeyAlgorithm { signature, is_certified: false }
}

const fn certified(signature: SignatureAlgorithm) -> HostKeyAlgorithm {
    HostKeyAlgorithm { signature, is_certified: true }
}

const fn cbc(cipher: CbcCipher) -> CipherAlgorithm {
    CipherAlgorithm::Cbc(cipher)
}

static KEX: [Method<KexAlgorithm>; 17] = [
    method(c"mlkem768x25519-sha256", hybrid(Kem::MlKem768, Curve::X25519, HashAlgorithm::Sha256)),
    method(c"sntrup761x25519-sha512", hybrid(Kem::Sntrup761, Curve::X25519, HashAlgorithm::Sha512)),
    method(c"sntrup761x25519-sha512@openssh.com", hybrid(Kem::Sntrup761, Curve::X25519, HashAlgorithm::Sha512)),
    method(c"mlkem768nistp256-sha256", hybrid(Kem::MlKem768, Curve::P256, HashAlgorithm::Sha256)),
    method(c"mlkem1024nistp384-sha384", hybrid(Kem::MlKem1024, Curve::P384, HashAlgorithm::Sha384)),
    method(c"curve25519-sha256", ecdh(Curve::X25519, HashAlgorithm::Sha256)),
    method(c"curve25519-sha256@libssh.org", ecdh(Curve::X25519, HashAlgorithm::Sha256)),
    method(c"ecdh-sha2-nistp256", ecdh(Curve::P256, HashAlgorithm::Sha256)),
    method(c"ecdh-sha2-nistp384", ecdh(Curve::P384, HashAlgorithm::Sha384)),
    method(c"ecdh-sha2-nistp521", ecdh(Curve::P521, HashAlgorithm::Sha512)),
    method(c"diffie-hellman-group-exchange-sha256", group_exchange(HashAlgorithm::Sha256)),
    method(c"diffie-hellman-group16-sha512", modp(4096, HashAlgorithm::Sha512)),
    method(c"diffie-hellman-group18-sha512", modp(8192, HashAlgorithm::Sha512)),
    method(c"diffie-hellman-group14-sha256", modp(2048, HashAlgorithm::Sha256)),
    on_request(c"diffie-hellman-group14-sha1", modp(2048, HashAlgorithm::Sha1)),
    on_request(c"diffie-hellman-group1-sha1", modp(1024, HashAlgorithm::Sha1)),
    on_request(c"diffie-hellman-group-exchange-sha1", group_exchange(HashAlgorithm::Sha1)),
];

static HOST_KEY: [Method<HostKeyAlgorithm>; 15] = [
    method(c"ssh-ed25519", plain(SignatureAlgorithm::Ed25519)),
    method(c"ecdsa-sha2-nistp256", plain(SignatureAlgorithm::EcdsaP256)),
    method(c"ecdsa-sha2-nistp384", plain(SignatureAlgorithm::EcdsaP384)),
    method(c"ecdsa-sha2-nistp521", plain(SignatureAlgorithm::EcdsaP521)),
    method(c"rsa-sha2-512", plain(SignatureAlgorithm::RsaSha512)),
    method(c"rsa-sha2-256", plain(SignatureAlgorithm::RsaSha256)),
    on_request(c"ssh-ed25519-cert-v01@openssh.com", certified(SignatureAlgorithm::Ed25519)),
    on_request(c"ecdsa-sha2-nistp256-cert-v01@openssh.com", certified(SignatureAlgorithm::EcdsaP256)),
    on_request(c"ecdsa-sha2-nistp384-cert-v01@openssh.com", certified(SignatureAlgorithm::EcdsaP384)),
    on_request(c"ecdsa-sha2-nistp521-cert-v01@openssh.com", certified(SignatureAlgorithm::EcdsaP521)),
    on_request(c"rsa-sha2-512-cert-v01@openssh.com", certified(SignatureAlgorithm::RsaSha512)),
    on_request(c"rsa-sha2-256-cert-v01@openssh.com", certified(SignatureAlgorithm::RsaSha256)),
    on_request(c"ssh-rsa", plain(SignatureAlgorithm::RsaSha1)),
    on_request(c"ssh-rsa-cert-v01@openssh.com", certified(SignatureAlgorithm::RsaSha1)),
    on_request(c"ssh-dss", plain(SignatureAlgorithm::Dsa)),
];

/// CBC is offered last, and so used only by servers that have nothing else.
static CIPHER: [Method<CipherAlgorithm>; 15] = [
    method(c"aes256-gcm@openssh.com", CipherAlgorithm::AesGcm(32)),
    method(c"aes128-gcm@openssh.com", CipherAlgorithm::AesGcm(16)),
    method(c"chacha20-poly1305@openssh.com", CipherAlgorithm::ChaCha20Poly1305),
    method(c"aes256-ctr", CipherAlgorithm::AesCtr(32)),
    method(c"aes192-ctr", CipherAlgorithm::AesCtr(24)),
    method(c"aes128-ctr", CipherAlgorithm::AesCtr(16)),
    method(c"aes256-cbc", cbc(CbcCipher::Aes(32))),
    method(c"rijndael-cbc@lysator.liu.se", cbc(CbcCipher::Aes(32))),
    method(c"aes192-cbc", cbc(CbcCipher::Aes(24))),
    method(c"aes128-cbc", cbc(CbcCipher::Aes(16))),
    on_request(c"blowfish-cbc", cbc(CbcCipher::Blowfish)),
    on_request(c"arcfour128", CipherAlgorithm::Arcfour { discard: true }),
    on_request(c"arcfour", CipherAlgorithm::Arcfour { discard: false }),
    on_request(c"cast128-cbc", cbc(CbcCipher::Cast128)),
    on_request(c"3des-cbc", cbc(CbcCipher::TripleDes)),
];

static MAC: [Method<MacAlgorithm>; 11] = [
    method(c"hmac-sha2-256-etm@openssh.com", hmac(HashAlgorithm::Sha256, true)),
    method(c"hmac-sha2-512-etm@openssh.com", hmac(HashAlgorithm::Sha512, true)),
    method(c"hmac-sha2-256", hmac(HashAlgorithm::Sha256, false)),
    method(c"hmac-sha2-512", hmac(HashAlgorithm::Sha512, false)),
    on_request(c"hmac-sha1-etm@openssh.com", hmac(HashAlgorithm::Sha1, true)),
    on_request(c"hmac-sha1", hmac(HashAlgorithm::Sha1, false)),
    on_request(c"hmac-sha1-96", hmac_96(HashAlgorithm::Sha1)),
    on_request(c"hmac-md5", hmac(HashAlgorithm::Md5, false)),
    on_request(c"hmac-md5-96", hmac_96(HashAlgorithm::Md5)),
    on_request(c"hmac-ripemd160", hmac(HashAlgorithm::Ripemd160, false)),
    on_request(c"hmac-ripemd160@openssh.com", hmac(HashAlgorithm::Ripemd160, false)),
];

static COMPRESSION: [Method<CompressionAlgorithm>; 3] = [
    method(c"zlib@openssh.com", CompressionAlgorithm::ZlibAfterLogin),
    method(c"zlib", CompressionAlgorithm::Zlib),
    method(c"none", CompressionAlgorithm::None),
];

/// The lists of a KEXINIT in their order there, numbered as `LIBSSH2_METHOD_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodType {
    /// Key exchange.
    Kex,
    /// Server host key.
    HostKey,
    /// Cipher, client to server.
    CryptCs,
    /// Cipher, server to client.
    CryptSc,
    /// MAC, client to server.
    MacCs,
    /// MAC, server to client.
    MacSc,
    /// Compression, client to server.
    CompCs,
    /// Compression, server to client.
    CompSc,
    /// Language, client to server.
    LangCs,
    /// Language, server to client.
    LangSc,
    /// No list of a KEXINIT: which signature algorithms an RSA key may log in with.
    SignAlgo,
}

impl MethodType {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Kex,
        Self::HostKey,
        Self::CryptCs,
        Self::CryptSc,
        Self::MacCs,
        Self::MacSc,
        Self::CompCs,
        Self::CompSc,
        Self::LangCs,
        Self::LangSc,
        Self::SignAlgo,
    ];
    /// How many of them are in a KEXINIT.
    const IN_KEXINIT: usize = 10;

    /// The type with that `LIBSSH2_METHOD_*` number.
    pub fn from_number(number: i32) -> Option<Self> {
        usize::try_from(number).ok().and_then(|index| Self::ALL.get(index).copied())
    }

    const fn index(self) -> usize {
        self as usize
    }

    /// The names known for this list, in the order in which they are offered, and whether each is offered; `None` where
    /// any text goes. Unless the program has asked to `compress`, nothing but "none" is known for compression.
    fn known(self, compress: bool) -> Result<Option<Vec<(&'static CStr, bool)>>> {
        Ok(Some(match self {
            Self::Kex => names_of(&KEX)?,
            Self::HostKey => names_of(&HOST_KEY)?,
            Self::CryptCs | Self::CryptSc => ciphers()?,
            Self::MacCs | Self::MacSc => names_of(&MAC)?,
            Self::CompCs | Self::CompSc => {
                let mut names = names_of(&COMPRESSION)?;
                names.retain(|(name, _)| compress || *name == c"none");
                names
            }
            Self::LangCs | Self::LangSc | Self::SignAlgo => return Ok(None),
        }))
    }

    /// Whether libcrypto has what the list knows by that name. What is offered by default it has.
    fn is_available(self, name: &CStr) -> bool {
        let name = name.to_bytes();
        match self {
            Self::HostKey => find(&HOST_KEY, name).is_ok_and(|host_key| host_key.algorithm.is_available()),
            Self::CryptCs | Self::CryptSc => find(&CIPHER, name).is_ok_and(|cipher| cipher.algorithm.is_available()),
            Self::MacCs | Self::MacSc => find(&MAC, name).is_ok_and(|mac| mac.algorithm.is_available()),
            _ => true,
        }
    }

    /// The names that are offered unless the program says otherwise.
    pub fn offered(self, compress: bool) -> Result<Vec<u8>> {
        let known = self.known(compress)?.unwrap_or_default();
        listed(known.iter().filter(|(_, offered)| *offered).map(|(name, _)| name.to_bytes()))
    }
}

fn names_of<T>(table: &'static [Method<T>]) -> Result<Vec<(&'static CStr, bool)>> {
    memory::collect(table.iter().map(|method| (method.name, method.offered)))
}

/// A `name-list`.
fn listed<'a>(names: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>> {
    let mut list = Vec::new();
    for name in names {
        if !list.is_empty() {
            list.put_u8(b',')?;
        }
        list.put(name)?;
    }
    Ok(list)
}

/// AES-GCM leads where the processor has instructions for it, ChaCha20 where not.
fn ciphers() -> Result<Vec<(&'static CStr, bool)>> {
    let mut names = names_of(&CIPHER)?;
    if !crypto::has_hardware_aes()
        && let Some(chacha) = CIPHER.iter().position(|m| m.algorithm == CipherAlgorithm::ChaCha20Poly1305)
    {
        names.get_mut(..=chacha).unwrap_or_default().rotate_right(1);
    }
    Ok(names)
}

/// What the program wants offered, list by list.
pub struct Preferences {
    lists: [Vec<u8>; 11],
    /// Which of them the program has set.
    chosen: [bool; 11],
    compress: bool,
}

impl Preferences {
    /// All that is safe, best first.
    pub fn new() -> Result<Self> {
        let mut preferences = Self { lists: [const { Vec::new() }; 11], chosen: [false; 11], compress: false };
        for (list, kind) in preferences.lists.iter_mut().zip(MethodType::ALL) {
            *list = kind.offered(false)?;
        }
        Ok(preferences)
    }

    /// The same again.
    pub fn copy(&self) -> Result<Self> {
        let mut copy = Self { lists: [const { Vec::new() }; 11], ..*self };
        for (list, ours) in copy.lists.iter_mut().zip(&self.lists) {
            *list = memory::copy(ours)?;
        }
        Ok(copy)
    }

    /// Whether compression is known, and offered where the program has not said what to offer.
    pub fn set_compress(&mut self, compress: bool) -> Result<()> {
        let offered = (MethodType::CompCs.offered(compress)?, MethodType::CompSc.offered(compress)?);
        self.compress = compress;
        for (kind, offered) in [(MethodType::CompCs, offered.0), (MethodType::CompSc, offered.1)] {
            if self.chosen.get(kind.index()) == Some(&false)
                && let Some(list) = self.lists.get_mut(kind.index())
            {
                *list = offered;
            }
        }
        Ok(())
    }

    /// What `libssh2_session_supported_algs` reports: the known names, and the pseudo methods of the key exchange list.
    pub fn supported(&self, kind: MethodType) -> Result<Option<Vec<&'static CStr>>> {
        let Some(known) = kind.known(self.compress)? else { return Ok(None) };
        let available = |(name, offered): (_, bool)| (offered || kind.is_available(name)).then_some(name);
        let pseudo: &[&CStr] = if kind == MethodType::Kex { &[EXT_INFO_C, STRICT_C] } else { &[] };
        memory::collect(known.into_iter().filter_map(available).chain(pseudo.iter().copied())).map(Some)
    }

    /// Offers the known names of the comma-separated `wanted`, in its order.
    pub fn set(&mut self, kind: MethodType, wanted: &[u8]) -> Result<()> {
        let known = kind.known(self.compress)?;
        let is_known = |name: &[u8]| {
            let found = known.as_ref().map(|known| known.iter().find(|(known, _)| known.to_bytes() == name));
            found.is_none_or(|found| found.is_some_and(|(name, offered)| *offered || kind.is_available(name)))
        };
        let chosen = listed(names(wanted).filter(|name| is_known(name)))?;
        if chosen.is_empty() {
            return Err(Error::new(Code::MethodNotSupported, "None of the preferred methods is supported").with(wanted));
        }
        if let (Some(list), Some(is_chosen)) = (self.lists.get_mut(kind.index()), self.chosen.get_mut(kind.index())) {
            (*list, *is_chosen) = (chosen, true);
        }
        Ok(())
    }

    /// The comma-separated names of one list; empty where none was set and none is the default.
    pub fn get(&self, kind: MethodType) -> &[u8] {
        self.lists.get(kind.index()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The payload of our KEXINIT. The pseudo methods only count in the first one of a connection.
    ///
    /// No packet follows it on a guess, RFC 4253 section 7.1: paramiko and AsyncSSH take a wrong guess for the key
    /// exchange itself.
    pub fn kexinit(&self, cookie: &[u8; 16], first: bool) -> Result<Vec<u8>> {
        let mut payload = Vec::new();
        payload.put_u8(message::KEXINIT)?;
        payload.put(cookie)?;
        let mut kex = memory::copy(self.get(MethodType::Kex))?;
        if first {
            for pseudo in [EXT_INFO_C, STRICT_C] {
                kex.put_u8(b',')?;
                kex.put(pseudo.to_bytes())?;
            }
        }
        payload.put_string(&kex)?;
        for list in self.lists.iter().take(MethodType::IN_KEXINIT).skip(1) {
            payload.put_string(list)?;
        }
        payload.put_boolean(false)?;
        payload.put_u32(0)?;
        Ok(payload)
    }

    /// Agrees with the peer's KEXINIT.
    pub fn agree(&self, kexinit: &[u8]) -> Result<Agreement> {
        let peer = PeerLists::read(kexinit)?;
        let choose = |kind| choose(self.get(kind), peer.list(kind), kind);
        let cipher_cs = find(&CIPHER, choose(MethodType::CryptCs)?)?;
        let cipher_sc = find(&CIPHER, choose(MethodType::CryptSc)?)?;
        let mac = |kind, cipher: &Method<CipherAlgorithm>| match choose(kind) {
            Ok(name) => find(&MAC, name),
            // An AEAD needs no MAC, so it is no failure to have none in common.
            Err(_) if cipher.algorithm.is_aead() => MAC.first().ok_or_else(|| no_common(kind)),
            Err(error) => Err(error),
        };
        let kex = find(&KEX, choose(MethodType::Kex)?)?;
        let host_key = find(&HOST_KEY, choose(MethodType::HostKey)?)?;
        let same_first = |kind| names(self.get(kind)).next() == names(peer.list(kind)).next();
        Ok(Agreement {
            kex,
            host_key,
            cs: Suite {
                cipher: cipher_cs,
                mac: mac(MethodType::MacCs, cipher_cs)?,
                compression: find(&COMPRESSION, choose(MethodType::CompCs)?)?,
            },
            sc: Suite {
                cipher: cipher_sc,
                mac: mac(MethodType::MacSc, cipher_sc)?,
                compression: find(&COMPRESSION, choose(MethodType::CompSc)?)?,
            },
            guessed_wrong: peer.guesses && !(same_first(MethodType::Kex) && same_first(MethodType::HostKey)),
            strict: names(peer.list(MethodType::Kex)).any(|name| name == STRICT_S),
        })
    }
}

/// The algorithms of one direction.
#[derive(Clone, Copy)]
pub struct Suite {
    /// Cipher.
    pub cipher: &'static Method<CipherAlgorithm>,
    /// MAC; unused under an AEAD.
    pub mac: &'static Method<MacAlgorithm>,
    /// Compression.
    pub compression: &'static Method<CompressionAlgorithm>,
}

/// What both sides will use.
#[derive(Clone, Copy)]
pub struct Agreement {
    /// Key exchange.
    pub kex: &'static Method<KexAlgorithm>,
    /// Host key signature.
    pub host_key: &'static Method<HostKeyAlgorithm>,
    /// Client to server.
    pub cs: Suite,
    /// Server to client.
    pub sc: Suite,
    /// The peer has sent a packet on a guess, which does not count as both do not prefer the same.
    pub guessed_wrong: bool,
    /// The peer announced strict key exchange.
    pub strict: bool,
}

impl Agreement {
    /// Traces all that was agreed upon.
    pub(super) fn show(&self, trace: &mut Trace) {
        for kind in MethodType::ALL.into_iter().take(MethodType::IN_KEXINIT) {
            if let Some(name) = self.name(kind).filter(|name| !name.is_empty()) {
                trace.say(Topic::Kex, format_args!("agreed on {kind:?} {}", name.to_bytes().escape_ascii()));
            }
        }
    }

    /// What `libssh2_session_methods` reports for that list.
    pub fn name(&self, kind: MethodType) -> Option<&'static CStr> {
        let mac = |suite: &Suite| match suite.cipher.algorithm {
            CipherAlgorithm::AesGcm(_) => c"INTEGRATED-AES-GCM",
            _ => suite.mac.name,
        };
        Some(match kind {
            MethodType::Kex => self.kex.name,
            MethodType::HostKey => self.host_key.name,
            MethodType::CryptCs => self.cs.cipher.name,
            MethodType::CryptSc => self.sc.cipher.name,
            MethodType::MacCs => mac(&self.cs),
            MethodType::MacSc => mac(&self.sc),
            MethodType::CompCs => self.cs.compression.name,
            MethodType::CompSc => self.sc.compression.name,
            MethodType::LangCs | MethodType::LangSc => c"",
            MethodType::SignAlgo => return None,
        })
    }
}

/// The name-lists of the peer's KEXINIT.
struct PeerLists<'a> {
    lists: [&'a [u8]; MethodType::IN_KEXINIT],
    guesses: bool,
}

impl<'a> PeerLists<'a> {
    fn read(kexinit: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(kexinit);
        let mut read = || {
            reader.bytes(17)?;
            let mut lists = [&[][..]; MethodType::IN_KEXINIT];
            for list in &mut lists {
                *list = reader.string()?;
            }
            Ok(Self { lists, guesses: reader.boolean()? })
        };
        read().map_err(|short: crate::wire::Short| {
            short.in_packet(Code::KexFailure, "KEXINIT of the server is shorter than its lists")
        })
    }

    fn list(&self, kind: MethodType) -> &'a [u8] {
        self.lists.get(kind.index()).copied().unwrap_or_default()
    }
}

/// RFC 4253 section 7.1: the first of the client's names that is also on the server's list.
fn choose<'a>(ours: &'a [u8], theirs: &[u8], kind: MethodType) -> Result<&'a [u8]> {
    names(ours)
        .find(|name| names(theirs).any(|other| other == *name))
        .ok_or_else(|| no_common(kind).with_parts(&[b"the server offers ", theirs]))
}

const fn no_common(kind: MethodType) -> Error {
    Error::new(
        Code::KexFailure,
        match kind {
            MethodType::Kex => "No key exchange method in common with the server",
            MethodType::HostKey => "No host key algorithm in common with the server",
            MethodType::CryptCs | MethodType::CryptSc => "No cipher in common with the server",
            MethodType::MacCs | MethodType::MacSc => "No MAC in common with the server",
            _ => "No compression method in common with the server",
        },
    )
}

fn find<T>(table: &'static [Method<T>], name: &[u8]) -> Result<&'static Method<T>> {
    table
        .iter()
        .find(|method| method.name.to_bytes() == name)
        .ok_or_else(|| Error::new(Code::KexFailure, "Negotiated a method that is not known").with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(lists: [&str; 10], guesses: bool) -> Vec<u8> {
        let mut payload = vec![message::KEXINIT; 17];
        for list in lists {
            payload.put_string(list.as_bytes()).unwrap();
        }
        payload.put_boolean(guesses).unwrap();
        payload.put_u32(0).unwrap();
        payload
    }

    const USUAL: [&str; 10] = [
        "nonsense@example.com,ecdh-sha2-nistp256,curve25519-sha256,kex-strict-s-v00@openssh.com",
        "rsa-sha2-512,ssh-ed25519",
        "aes128-ctr,aes256-gcm@openssh.com",
        "aes128-ctr",
        "hmac-sha2-256",
        "umac-64@openssh.com,hmac-sha2-512",
        "none,zlib@openssh.com",
        "none",
        "",
        "",
    ];

    #[test]
    fn the_clients_order_decides() {
        let agreed = Preferences::new().unwrap().agree(&server(USUAL, false)).unwrap();
        assert_eq!(agreed.name(MethodType::Kex), Some(c"curve25519-sha256"));
        assert_eq!(agreed.name(MethodType::HostKey), Some(c"ssh-ed25519"));
        assert_eq!(agreed.name(MethodType::CryptCs), Some(c"aes256-gcm@openssh.com"));
        assert_eq!(agreed.name(MethodType::MacCs), Some(c"INTEGRATED-AES-GCM"));
        assert_eq!(agreed.name(MethodType::CryptSc), Some(c"aes128-ctr"));
        assert_eq!(agreed.name(MethodType::MacSc), Some(c"hmac-sha2-512"));
        assert_eq!(agreed.name(MethodType::LangCs), Some(c""));
        assert!(agreed.strict && !agreed.guessed_wrong);
    }

    #[test]
    fn a_guess_is_right_where_both_prefer_the_same() {
        let mut preferences = Preferences::new().unwrap();
        let mut lists = USUAL;
        lists[0] = "curve25519-sha256,ecdh-sha2-nistp256";
        lists[1] = "ssh-ed25519";
        let guessed_wrong = |preferences: &Preferences, lists| {
            let is_wrong = |guesses| preferences.agree(&server(lists, guesses)).unwrap().guessed_wrong;
            assert!(!is_wrong(false), "nothing was guessed");
            is_wrong(true)
        };
        assert!(guessed_wrong(&preferences, lists), "the first choices differ although they would be agreed upon");
        preferences.set(MethodType::Kex, b"curve25519-sha256").unwrap();
        assert!(!guessed_wrong(&preferences, lists));
        lists[1] = "rsa-sha2-512,ssh-ed25519";
        assert!(guessed_wrong(&preferences, lists));
    }

    #[test]
    fn nothing_is_sent_on_a_guess() {
        let mut preferences = Preferences::new().unwrap();
        preferences.set(MethodType::Kex, b"ecdh-sha2-nistp256").unwrap();
        preferences.set(MethodType::HostKey, b"ssh-ed25519").unwrap();
        let kexinit = preferences.kexinit(&[0; 16], true).unwrap();
        assert!(!PeerLists::read(&kexinit).unwrap().guesses);
    }

    #[test]
    fn unknown_preferences_are_dropped_and_nothing_left_is_refused() {
        let mut preferences = Preferences::new().unwrap();
        preferences.set(MethodType::CryptCs, b"3des-nonsense,aes128-ctr,,aes256-ctr").unwrap();
        assert_eq!(preferences.get(MethodType::CryptCs), b"aes128-ctr,aes256-ctr");
        let error = preferences.set(MethodType::CryptCs, b"nonsense,aes128").unwrap_err();
        assert_eq!(error.code, Code::MethodNotSupported);
        assert_eq!(preferences.get(MethodType::CryptCs), b"aes128-ctr,aes256-ctr");
    }

    #[test]
    fn what_is_weak_is_offered_only_on_request() {
        let mut preferences = Preferences::new().unwrap();
        let weak = [
            (
                MethodType::Kex,
                "diffie-hellman-group14-sha1,diffie-hellman-group1-sha1,diffie-hellman-group-exchange-sha1",
            ),
            (MethodType::HostKey, "ssh-rsa,ssh-dss"),
            (MethodType::HostKey, "ssh-ed25519-cert-v01@openssh.com,ssh-rsa-cert-v01@openssh.com"),
            (MethodType::CryptCs, "blowfish-cbc,arcfour128,arcfour,cast128-cbc,3des-cbc"),
            (MethodType::CryptSc, "blowfish-cbc,arcfour128,arcfour,cast128-cbc,3des-cbc"),
            (MethodType::MacCs, "hmac-sha1-etm@openssh.com,hmac-sha1,hmac-sha1-96,hmac-md5,hmac-md5-96"),
            (MethodType::MacSc, "hmac-ripemd160,hmac-ripemd160@openssh.com"),
        ];
        for (kind, list) in weak {
            for name in names(list.as_bytes()) {
                assert!(names(preferences.get(kind)).all(|offered| offered != name), "{kind:?}");
                assert!(
                    preferences.supported(kind).unwrap().unwrap().iter().any(|known| known.to_bytes() == name),
                    "{kind:?}"
                );
            }
            preferences.set(kind, list.as_bytes()).unwrap();
            assert_eq!(preferences.get(kind), list.as_bytes());
        }
    }

    #[test]
    fn compression_is_known_only_when_it_is_wanted() {
        let mut preferences = Preferences::new().unwrap();
        for kind in [MethodType::CompCs, MethodType::CompSc] {
            assert_eq!(preferences.get(kind), b"none");
            assert_eq!(preferences.supported(kind).unwrap().unwrap(), [c"none"]);
            assert_eq!(preferences.set(kind, b"zlib").unwrap_err().code, Code::MethodNotSupported);
        }
        preferences.set_compress(true).unwrap();
        for kind in [MethodType::CompCs, MethodType::CompSc] {
            assert_eq!(preferences.get(kind), b"zlib@openssh.com,zlib,none");
        }
        // What the program has said stays.
        preferences.set(MethodType::CompCs, b"none").unwrap();
        preferences.set(MethodType::CompSc, b"zlib").unwrap();
        preferences.set_compress(true).unwrap();
        assert_eq!(
            (preferences.get(MethodType::CompCs), preferences.get(MethodType::CompSc)),
            (&b"none"[..], &b"zlib"[..])
        );
        let mut preferences = Preferences::new().unwrap();
        preferences.set(MethodType::CompSc, b"none").unwrap();
        preferences.set_compress(true).unwrap();
        assert_eq!(preferences.get(MethodType::CompSc), b"none");
        preferences.set_compress(false).unwrap();
        assert_eq!(preferences.get(MethodType::CompCs), b"none");
    }

    #[test]
    fn a_name_that_is_the_beginning_of_another_is_not_that_other() {
        let mut lists = USUAL;
        lists[2] = "aes128-ct,aes128-ctrx";
        let error = Preferences::new().unwrap().agree(&server(lists, false)).map(|_| ()).unwrap_err();
        assert_eq!(error.code, Code::KexFailure);
        assert!(error.to_string().contains("aes128-ctrx"), "{error}");
    }

    #[test]
    fn a_kexinit_cut_anywhere_is_refused() {
        let whole = server(USUAL, false);
        for length in 0..whole.len() - 4 {
            assert!(Preferences::new().unwrap().agree(&whole[..length]).is_err(), "{length}");
        }
    }
}
