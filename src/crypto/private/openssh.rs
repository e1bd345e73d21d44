//! OpenSSH's own format of private keys: its PROTOCOL.key.
#![forbid(unsafe_code)]

use std::ffi::CStr;

use bcrypt_pbkdf::bcrypt_pbkdf_with_memory;
use zeroize::Zeroizing;

use super::rsa::Rsa;
use super::security_key::is_security_key;
use super::{damaged, no_passphrase, public_blob, wrong_passphrase};
use crate::crypto::dsa::Dsa;
use crate::crypto::openssl::{Cipher, Direction, Key, OrRefuse, Param, Refused};
use crate::crypto::public::{ED25519, ED25519_LEN, KeyType, mpint};
use crate::crypto::{AesGcm, Poly1305, SymmetricCipher, constant_time_eq};
use crate::error::{Code, Error, Result};
use crate::wire::{Put, Reader, Short};

const MAGIC: &[u8; 15] = b"openssh-key-v1\0";
/// Most rounds of bcrypt: about half a minute. OpenSSH writes 16 or 24 unless told otherwise.
const MOST_ROUNDS: u32 = if cfg!(fuzzing) { 1 } else { 4096 };

/// How a file is encrypted.
struct FileCipher {
    name: &'static str,
    key_len: usize,
    iv_len: usize,
    /// What the secret part is padded to.
    block: usize,
    tag_len: usize,
    mode: Mode,
}

enum Mode {
    Plain,
    Ctr,
    /// Under libcrypto's name for it.
    Cbc(&'static CStr),
    Gcm,
    ChaCha20Poly1305,
}

const fn plain_text() -> FileCipher {
    FileCipher { name: "none", key_len: 0, iv_len: 0, block: 8, tag_len: 0, mode: Mode::Plain }
}

const fn ctr(name: &'static str, key_len: usize) -> FileCipher {
    FileCipher { name, key_len, iv_len: 16, block: 16, tag_len: 0, mode: Mode::Ctr }
}

const fn cbc(name: &'static str, key_len: usize, block: usize, theirs: &'static CStr) -> FileCipher {
    FileCipher { name, key_len, iv_len: block, block, tag_len: 0, mode: Mode::Cbc(theirs) }
}

const fn gcm(name: &'static str, key_len: usize) -> FileCipher {
    FileCipher { name, key_len, iv_len: 12, block: 16, tag_len: 16, mode: Mode::Gcm }
}

const fn chacha(name: &'static str) -> FileCipher {
    FileCipher { name, key_len: 64, iv_len: 0, block: 8, tag_len: 16, mode: Mode::ChaCha20Poly1305 }
}

static CIPHERS: [FileCipher; 11] = [
    plain_text(),
    ctr("aes256-ctr", 32),
    ctr("aes192-ctr", 24),
    ctr("aes128-ctr", 16),
    cbc("aes256-cbc", 32, 16, c"AES-256-CBC"),
    cbc("aes192-cbc", 24, 16, c"AES-192-CBC"),
    cbc("aes128-cbc", 16, 16, c"AES-128-CBC"),
    cbc("3des-cbc", 24, 8, c"DES-EDE3-CBC"),
    gcm("aes256-gcm@openssh.com", 32),
    gcm("aes128-gcm@openssh.com", 16),
    chacha("chacha20-poly1305@openssh.com"),
];

/// The outer layer of a file.
struct Container<'a> {
    cipher: &'static FileCipher,
    kdf: &'a [u8],
    kdf_options: &'a [u8],
    public: &'a [u8],
    secret: &'a [u8],
    tag: &'a [u8],
}

impl<'a> Container<'a> {
    fn read(file: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(file.strip_prefix(MAGIC).ok_or_else(damaged)?);
        let mut string = || reader.string().map_err(|_| damaged());
        let (cipher, kdf, kdf_options) = (string()?, string()?, string()?);
        let cipher = CIPHERS.iter().find(|known| known.name.as_bytes() == cipher).ok_or_else(|| {
            Error::new(Code::File, "Private key file is encrypted by a cipher that is not known").with(cipher)
        })?;
        if reader.u32() != Ok(1) {
            return Err(Error::new(Code::File, "Private key file does not hold just one key"));
        }
        let mut string = || reader.string().map_err(|_| damaged());
        let (public, secret) = (string()?, string()?);
        let tag = reader.rest();
        if tag.len() != cipher.tag_len || secret.len().checked_rem(cipher.block) != Some(0) {
            return Err(damaged());
        }
        Ok(Self { cipher, kdf, kdf_options, public, secret, tag })
    }

    /// The secret part in the clear, as far as can be told.
    fn open(&self, passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut secret = Zeroizing::new(Vec::new());
        secret.put(self.secret)?;
        match self.cipher.mode {
            Mode::Plain if self.kdf == b"none" => return Ok(secret),
            Mode::Plain => return Err(damaged()),
            _ if self.kdf != b"bcrypt" => {
                return Err(Error::new(Code::File, "Private key file's key derivation is not known").with(self.kdf));
            }
            // Nothing is encrypted with it, and bcrypt refuses it.
            _ if passphrase.is_empty() => return Err(no_passphrase()),
            _ => {}
        }
        let derived = self.derive(passphrase)?;
        let (key, iv) = derived.split_at_checked(self.cipher.key_len).ok_or_else(damaged)?;
        let iv = iv.get(..self.cipher.iv_len).ok_or_else(damaged)?;
        self.decrypt(key, iv, &mut secret)?;
        Ok(secret)
    }

    /// Key and IV, and what bcrypt has made beyond them.
    fn derive(&self, passphrase: &[u8]) -> Result<Zeroizing<[u8; 64]>> {
        let options = |mut reader: Reader<'a>| -> Result<_, Short> { Ok((reader.string()?, reader.u32()?)) };
        let (salt, rounds) = options(Reader::new(self.kdf_options)).map_err(|_| damaged())?;
        if rounds > MOST_ROUNDS {
            return Err(Error::new(Code::File, "Private key file wants too many rounds of key derivation"));
        }
        let len = self.cipher.key_len.saturating_add(self.cipher.iv_len);
        let (mut derived, mut memory) = (Zeroizing::new([0; 64]), Zeroizing::new([0; 64]));
        let place = derived.get_mut(..len).ok_or_else(damaged)?;
        bcrypt_pbkdf_with_memory(passphrase, salt, rounds, place, &mut *memory).map_err(|_| damaged())?;
        Ok(derived)
    }

    fn decrypt(&self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<()> {
        match self.cipher.mode {
            Mode::Plain => Ok(()),
            Mode::Ctr => SymmetricCipher::aes_ctr(key, iv)?.update_in_place(data),
            Mode::Cbc(name) => Cipher::new(name, Direction::Decrypt, key, iv)
                .and_then(|mut cipher| cipher.update_in_place(data))
                .or_refuse(Code::Decrypt, "Private key file cannot be decrypted"),
            Mode::Gcm => {
                let mut cipher = AesGcm::opening(key)?;
                cipher.begin(iv.try_into().map_err(|_| damaged())?, &[])?;
                cipher.update_in_place(data)?;
                cipher.open_tag(self.tag.try_into().map_err(|_| damaged())?).map_err(|_| wrong_passphrase())
            }
            Mode::ChaCha20Poly1305 => {
                // As a packet numbered 0 without a length field; that field's key is not used.
                let mut cipher = SymmetricCipher::chacha20(key.get(..32).ok_or_else(damaged)?)?;
                let mut block = Zeroizing::new([0; 64]);
                cipher.update_in_place(&mut *block)?;
                let mut tag = [0; 16];
                Poly1305::new()?.compute(block.first_chunk().ok_or_else(damaged)?, &[data], &mut tag)?;
                if !constant_time_eq(&tag, self.tag) {
                    return Err(wrong_passphrase());
                }
                cipher.update_in_place(data)
            }
        }
    }
}

/// A file of which the secret part is open.
pub(super) struct Opened<'a> {
    container: Container<'a>,
    secret: Zeroizing<Vec<u8>>,
}

impl<'a> Opened<'a> {
    /// Opens `file`, which is the content of the armor.
    pub(super) fn open(file: &'a [u8], passphrase: &[u8]) -> Result<Self> {
        let container = Container::read(file)?;
        let secret = container.open(passphrase)?;
        // Two equal numbers show that the passphrase was the right one.
        let checks = |mut reader: Reader<'_>| -> Result<bool, Short> { Ok(reader.u32()? == reader.u32()?) };
        if checks(Reader::new(&secret)) != Ok(true) {
            return Err(if matches!(container.cipher.mode, Mode::Plain) { damaged() } else { wrong_passphrase() });
        }
        Ok(Self { container, secret })
    }

    /// The public half, which stands in front of the secret part.
    pub(super) const fn public(&self) -> &'a [u8] {
        self.container.public
    }

    /// Has `read` read the fields of the key, behind the name of its type, and checks what follows them.
    pub(super) fn read<T>(&self, read: impl FnOnce(&[u8], &mut Reader<'_>) -> Result<T>) -> Result<T> {
        let mut reader = Reader::new(self.secret.get(8..).unwrap_or_default());
        let name = reader.string().map_err(|_| damaged())?;
        let key = read(name, &mut reader)?;
        let _comment = reader.string().map_err(|_| damaged())?;
        let padded = reader.rest().iter().zip(1..).all(|(&byte, expected)| byte == expected);
        if padded && reader.rest().len() < self.container.cipher.block { Ok(key) } else { Err(damaged()) }
    }
}

/// Reads the key of `file`, which is the content of the armor.
pub(super) fn read(file: &[u8], passphrase: &[u8]) -> Result<Key> {
    let opened = Opened::open(file, passphrase)?;
    opened.read(|name, reader| {
        let kind = KeyType::from_name(name).ok_or_else(|| {
            Error::new(
                Code::File,
                if is_security_key(name) {
                    "Private key is in a security key, which has to be asked for each signature"
                } else {
                    "Private key is of a type that is not known"
                },
            )
            .with(name)
        })?;
        let key = read_key(reader, kind)
            .unwrap_or(Err(Refused::UNFIT))
            .or_refuse(Code::File, "Private key in the file is not valid")?;
        if public_blob(&key, kind)? == opened.public() { Ok(key) } else { Err(damaged()) }
    })
}

/// The fields of a key, behind the name of its type.
fn read_key(reader: &mut Reader<'_>, kind: KeyType) -> Result<Result<Key, Refused>, Short> {
    Ok(match kind.nist() {
        Some(curve) => {
            let (name, point, secret) = (reader.string()?, reader.string()?, mpint(reader)?);
            if name == curve.name.as_bytes() { curve.pair(secret, point) } else { Err(Refused::UNFIT) }
        }
        None if kind == KeyType::Rsa => {
            let mut next = || mpint(reader);
            Rsa { n: next()?, e: next()?, d: next()?, iqmp: next()?, p: next()?, q: next()? }.pair()
        }
        None if kind == KeyType::Dsa => Dsa::read(reader)?.pair(mpint(reader)?),
        None => {
            // Public half; secret seed and public half again. libcrypto computes the public half from the seed: signing
            // under another than the true one would give the secret away.
            let (public, both) = (reader.string()?, reader.string()?);
            match both.split_at_checked(ED25519_LEN) {
                Some((seed, again)) if again == public => Key::pair(ED25519, &[Param::Octets(c"priv", seed)])
                    .and_then(|key| if key.octets(c"pub")? == public { Ok(key) } else { Err(Refused::UNFIT) }),
                _ => Err(Refused::UNFIT),
            }
        }
    })
}
