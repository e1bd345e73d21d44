//! The border to libcrypto, version 3.0 or later: the only place of `crypto` with `unsafe`.
//!
//! Everything here is reached by name through the provider interface (`EVP_*_fetch`), nothing touches libssl, and
//! libcrypto starts itself on first use. What the compiler cannot see is checked here, so that no argument from outside
//! makes a call unsound: lengths of keys, nonces and outputs, and that each pointer libcrypto gives is not NULL.
#![allow(unsafe_code, reason = "this is where libcrypto is called")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use openssl_sys as ffi;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result as CrateResult};

/// libcrypto said no; its own number for the reason, 0 when the refusal is ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused(c_ulong);

type Result<T> = std::result::Result<T, Refused>;

impl Refused {
    /// A size or a state that libcrypto is not even asked about.
    pub(super) const UNFIT: Self = Self(0);

    /// Takes the most recent reason and empties libcrypto's queue, which the program's own TLS code may look at.
    fn take() -> Self {
        // SAFETY: both work on the calling thread's queue and take no pointer.
        unsafe {
            let reason = ffi::ERR_peek_last_error();
            ffi::ERR_clear_error();
            Self(reason)
        }
    }

    /// Whether an algorithm is missing: one that no provider has, or only one that is not loaded.
    const fn is_missing_algorithm(&self) -> bool {
        // `ERR_PACK(ERR_LIB_EVP, 0, ERR_R_UNSUPPORTED)`
        self.0 == 0x0308_010c
    }

    /// As the crate's error, libcrypto's reason behind `text`.
    pub(super) fn into_error(self, code: Code, text: &'static str) -> Error {
        // SAFETY: any number may be asked about.
        let reason = unsafe { ffi::ERR_reason_error_string(self.0) };
        if reason.is_null() {
            return Error::new(code, text);
        }
        // SAFETY: not NULL, so one of the texts in libcrypto's tables: they end with NUL and stay.
        Error::new(code, text).with(unsafe { CStr::from_ptr(reason) }.to_bytes())
    }
}

/// libcrypto's habit: 1 for success, 0 or a negative number for failure.
fn done(returned: c_int) -> Result<()> {
    if returned > 0 { Ok(()) } else { Err(Refused::take()) }
}

fn not_null<T>(pointer: *mut T) -> Result<NonNull<T>> {
    NonNull::new(pointer).ok_or_else(Refused::take)
}

fn int(size: usize) -> Result<c_int> {
    c_int::try_from(size).map_err(|_| Refused::UNFIT)
}

/// A zeroed buffer of `len` bytes that is wiped when dropped.
fn zeroed(len: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(Vec::new());
    buffer.try_reserve_exact(len).map_err(|_| Refused::UNFIT)?;
    buffer.resize(len, 0);
    Ok(buffer)
}

/// An object of libcrypto that we alone hold, and the function that frees it.
macro_rules! owned {
    ($name:ident, $object:ty, $free:path) => {
        struct $name(NonNull<$object>);

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the pointer came from the matching constructor, and nothing uses it after this.
                unsafe {
                    $free(self.0.as_ptr());
                }
            }
        }

        // SAFETY: libcrypto ties none of these objects to a thread, and `&mut` keeps two threads from one of them.
        unsafe impl Send for $name {}
    };
}

owned!(FetchedCipher, ffi::EVP_CIPHER, ffi::EVP_CIPHER_free);
owned!(FetchedMac, ffi::EVP_MAC, ffi::EVP_MAC_free);
owned!(FetchedMd, ffi::EVP_MD, ffi::EVP_MD_free);
owned!(CipherContext, ffi::EVP_CIPHER_CTX, ffi::EVP_CIPHER_CTX_free);
owned!(MacContext, ffi::EVP_MAC_CTX, ffi::EVP_MAC_CTX_free);
owned!(MdContext, ffi::EVP_MD_CTX, ffi::EVP_MD_CTX_free);
owned!(KeyContext, ffi::EVP_PKEY_CTX, ffi::EVP_PKEY_CTX_free);
owned!(KeyObject, ffi::EVP_PKEY, ffi::EVP_PKEY_free);
owned!(Number, ffi::BIGNUM, ffi::BN_clear_free);
owned!(NumberContext, ffi::BN_CTX, ffi::BN_CTX_free);
owned!(Bio, ffi::BIO, ffi::BIO_free_all);
owned!(LibraryContext, ffi::OSSL_LIB_CTX, ffi::OSSL_LIB_CTX_free);

// SAFETY: libcrypto locks what its contexts share.
unsafe impl Sync for LibraryContext {}

/// Where an algorithm is fetched from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// What the program, too, has of libcrypto.
    Default,
    /// The provider of what is obsolete. It is loaded at first use, and into a context of our own: the program's TLS code
    /// must not find more than it asked for.
    Legacy,
}

impl Source {
    fn context(self) -> Result<*mut ffi::OSSL_LIB_CTX> {
        static LEGACY: OnceLock<Option<LibraryContext>> = OnceLock::new();
        match self {
            Self::Default => Ok(ptr::null_mut()),
            Self::Legacy => {
                let context = LEGACY.get_or_init(|| {
                    // SAFETY: takes nothing.
                    let context = LibraryContext(not_null(unsafe { ffi::OSSL_LIB_CTX_new() }).ok()?);
                    // SAFETY: the context is alive, and the name ends with NUL. The context keeps the provider.
                    let provider = unsafe { ffi::OSSL_PROVIDER_load(context.0.as_ptr(), c"legacy".as_ptr()) };
                    not_null(provider).ok().map(|_| context)
                });
                context.as_ref().map(|context| context.0.as_ptr()).ok_or(Refused::UNFIT)
            }
        }
    }
}

/// Fills `out` with random bytes.
pub(super) fn random(out: &mut [u8]) -> Result<()> {
    // SAFETY: `out` is as long as stated.
    done(unsafe { ffi::RAND_bytes(out.as_mut_ptr(), int(out.len())?) })
}

/// Whether both are the same, in a time that does not depend on where they differ.
pub(super) fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    // SAFETY: both are as long as `a`.
    a.len() == b.len() && unsafe { ffi::CRYPTO_memcmp(a.as_ptr().cast(), b.as_ptr().cast(), a.len()) } == 0
}

/// What a [`Cipher`] does with the bytes it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Encrypt = 1,
    Decrypt = 0,
}

/// `EVP_CIPH_GCM_MODE` of openssl/evp.h.
const GCM_MODE: c_ulong = 6;

/// A symmetric cipher under one key, without padding.
pub(super) struct Cipher {
    context: CipherContext,
    iv_len: usize,
    block: usize,
    tagged: bool,
}

impl Cipher {
    /// The cipher libcrypto knows as `name`. Key and initial IV must have just the sizes that it takes.
    pub(super) fn new(name: &CStr, direction: Direction, key: &[u8], iv: &[u8]) -> Result<Self> {
        Self::from_source(Source::Default, name, direction, key, iv)
    }

    /// [`Cipher::new`], from that source.
    pub(super) fn from_source(
        source: Source,
        name: &CStr,
        direction: Direction,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self> {
        let context = source.context()?;
        // SAFETY: `context` is NULL or lives as long as the program, `name` ends with NUL, and the last may be NULL.
        let cipher = unsafe { ffi::EVP_CIPHER_fetch(context, name.as_ptr(), ptr::null()) };
        let cipher = FetchedCipher(not_null(cipher)?);
        // SAFETY: takes nothing.
        let context = CipherContext(not_null(unsafe { ffi::EVP_CIPHER_CTX_new() })?);
        // SAFETY: `cipher` is alive.
        let (key_len, iv_len, block, flags) = unsafe {
            let cipher = cipher.0.as_ptr();
            (
                ffi::EVP_CIPHER_key_length(cipher),
                ffi::EVP_CIPHER_iv_length(cipher),
                ffi::EVP_CIPHER_block_size(cipher),
                ffi::EVP_CIPHER_get_flags(cipher),
            )
        };
        if int(key.len())? != key_len || int(iv.len())? != iv_len {
            return Err(Refused::UNFIT);
        }
        // SAFETY: context and cipher are alive, key and IV were just seen to have the sizes that the cipher reads. The
        // context keeps a reference of its own to the cipher.
        done(unsafe {
            ffi::EVP_CipherInit_ex(
                context.0.as_ptr(),
                cipher.0.as_ptr(),
                ptr::null_mut(),
                key.as_ptr(),
                iv.as_ptr(),
                direction as c_int,
            )
        })?;
        // SAFETY: the context has its cipher.
        done(unsafe { ffi::EVP_CIPHER_CTX_set_padding(context.0.as_ptr(), 0) })?;
        let block = usize::try_from(block).map_err(|_| Refused::UNFIT)?;
        Ok(Self { context, iv_len: iv.len(), block, tagged: flags & ffi::EVP_CIPH_MODE == GCM_MODE })
    }

    /// Starts anew at `iv`, under the same key.
    pub(super) fn restart(&mut self, iv: &[u8]) -> Result<()> {
        if iv.len() != self.iv_len {
            return Err(Refused::UNFIT);
        }
        // SAFETY: the context has cipher and key; `iv` has the size that it reads; -1 keeps the direction.
        done(unsafe {
            let context = self.context.0.as_ptr();
            ffi::EVP_CipherInit_ex(context, ptr::null(), ptr::null_mut(), ptr::null(), iv.as_ptr(), -1)
        })
    }

    /// Takes in `data` that a tagged cipher authenticates only.
    pub(super) fn authenticate(&mut self, data: &[u8]) -> Result<()> {
        if !self.tagged {
            return Err(Refused::UNFIT);
        }
        let (mut written, len) = (0, int(data.len())?);
        // SAFETY: a tagged cipher takes NULL as the place of its output, and writes nothing then.
        done(unsafe {
            ffi::EVP_CipherUpdate(self.context.0.as_ptr(), ptr::null_mut(), &raw mut written, data.as_ptr(), len)
        })
    }

    /// From `input` to `output`, which are equally long.
    pub(super) fn update(&mut self, input: &[u8], output: &mut [u8]) -> Result<()> {
        if input.len() != output.len() {
            return Err(Refused::UNFIT);
        }
        // SAFETY: both places hold `input.len()` bytes and are borrowed until the call returns.
        unsafe { self.run(input.as_ptr(), output.as_mut_ptr(), input.len()) }
    }

    /// Where `data` lies.
    pub(super) fn update_in_place(&mut self, data: &mut [u8]) -> Result<()> {
        let place = data.as_mut_ptr();
        // SAFETY: the place holds `data.len()` bytes and is borrowed until the call returns.
        unsafe { self.run(place, place, data.len()) }
    }

    /// # Safety
    ///
    /// `input` must be good to read and `output` to write for `len` bytes; both are the same place or lie apart.
    unsafe fn run(&mut self, input: *const u8, output: *mut u8, len: usize) -> Result<()> {
        // Whole blocks only: so nothing is ever held back, and each call writes just what it reads.
        if len.checked_rem(self.block) != Some(0) {
            return Err(Refused::UNFIT);
        }
        let mut written = 0;
        // SAFETY: the caller vouches for the places; without padding, whole blocks give as many bytes as they take.
        done(unsafe { ffi::EVP_CipherUpdate(self.context.0.as_ptr(), output, &raw mut written, input, int(len)?) })?;
        if usize::try_from(written) == Ok(len) { Ok(()) } else { Err(Refused::UNFIT) }
    }

    /// Ends a message of a tagged cipher: its tag.
    pub(super) fn tag(&mut self, tag: &mut [u8; 16]) -> Result<()> {
        self.finish()?;
        self.tag_control(ffi::EVP_CTRL_GCM_GET_TAG, tag.as_mut_ptr())
    }

    /// Ends a message of a tagged cipher: refused unless `tag` is its tag.
    pub(super) fn check_tag(&mut self, tag: &[u8; 16]) -> Result<()> {
        let mut tag = *tag;
        self.tag_control(ffi::EVP_CTRL_GCM_SET_TAG, tag.as_mut_ptr())?;
        self.finish()
    }

    fn finish(&mut self) -> Result<()> {
        let (mut rest, mut written) = ([0_u8; 32], 0);
        // SAFETY: `rest` is longer than the block of any cipher, and nothing was held back to write there.
        done(unsafe { ffi::EVP_CipherFinal(self.context.0.as_ptr(), rest.as_mut_ptr(), &raw mut written) })
    }

    fn tag_control(&mut self, command: c_int, tag: *mut u8) -> Result<()> {
        if !self.tagged {
            return Err(Refused::UNFIT);
        }
        // SAFETY: both commands read or write the stated 16 bytes; both callers pass an array of 16.
        done(unsafe { ffi::EVP_CIPHER_CTX_ctrl(self.context.0.as_ptr(), command, 16, tag.cast()) })
    }
}

/// A message authentication code.
pub(super) struct Mac {
    context: MacContext,
    size: usize,
}

impl Mac {
    /// HMAC over the hash libcrypto knows as `digest`.
    pub(super) fn hmac(digest: &CStr, key: &[u8]) -> Result<Self> {
        let mut mac = Self::fetch(c"HMAC")?;
        let params = Params::new(&[Param::Text(c"digest", digest)])?;
        // SAFETY: the context is alive, `key` as long as stated, `params` ends as it must.
        done(unsafe { ffi::EVP_MAC_init(mac.context.0.as_ptr(), key.as_ptr(), key.len(), params.as_ptr()) })?;
        mac.measure();
        Ok(mac)
    }

    /// Poly1305, which wants a key for each message.
    pub(super) fn poly1305() -> Result<Self> {
        Self::fetch(c"POLY1305")
    }

    fn fetch(name: &CStr) -> Result<Self> {
        // SAFETY: `name` ends with NUL; the other two may be NULL.
        let mac = FetchedMac(not_null(unsafe { ffi::EVP_MAC_fetch(ptr::null_mut(), name.as_ptr(), ptr::null()) })?);
        // SAFETY: `mac` is alive; the context keeps a reference of its own to it.
        let context = MacContext(not_null(unsafe { ffi::EVP_MAC_CTX_new(mac.0.as_ptr()) })?);
        let mut mac = Self { context, size: 0 };
        mac.measure();
        Ok(mac)
    }

    fn measure(&mut self) {
        // SAFETY: the context is alive.
        self.size = unsafe { ffi::EVP_MAC_CTX_get_mac_size(self.context.0.as_ptr()) };
    }

    /// Bytes of a code.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Writes the code over `parts`, one after the other, to the front of `out`; under `key`, or the key so far.
    pub(super) fn compute(&mut self, key: Option<&[u8]>, parts: &[&[u8]], out: &mut [u8]) -> Result<()> {
        let context = self.context.0.as_ptr();
        let (key, key_len) = key.map_or((ptr::null(), 0), |key| (key.as_ptr(), key.len()));
        // Some versions of libcrypto do not look at the room there is.
        if self.size == 0 || out.len() < self.size {
            return Err(Refused::UNFIT);
        }
        // SAFETY: the context is alive, and `key` as long as stated, or NULL for the key so far.
        done(unsafe { ffi::EVP_MAC_init(context, key, key_len, ptr::null()) })?;
        for part in parts {
            // SAFETY: `part` is as long as stated.
            done(unsafe { ffi::EVP_MAC_update(context, part.as_ptr(), part.len()) })?;
        }
        let mut written = 0;
        // SAFETY: `out` has room for a code, as was just seen.
        done(unsafe { ffi::EVP_MAC_final(context, out.as_mut_ptr(), &raw mut written, out.len()) })
    }
}

fn fetch_digest(name: &CStr) -> Result<FetchedMd> {
    // SAFETY: `name` ends with NUL; the other two may be NULL.
    not_null(unsafe { ffi::EVP_MD_fetch(ptr::null_mut(), name.as_ptr(), ptr::null()) }).map(FetchedMd)
}

fn digest_context() -> Result<MdContext> {
    // SAFETY: takes nothing.
    not_null(unsafe { ffi::EVP_MD_CTX_new() }).map(MdContext)
}

/// Longest output of any hash, `EVP_MAX_MD_SIZE`.
pub(super) const LONGEST_DIGEST: usize = 64;

/// A hash under way.
pub(super) struct Hash(MdContext);

impl Hash {
    /// The hash libcrypto knows as `name`.
    pub(super) fn new(name: &CStr) -> Result<Self> {
        let (context, digest) = (digest_context()?, fetch_digest(name)?);
        // SAFETY: both are alive; the context keeps a reference of its own to the digest.
        done(unsafe { ffi::EVP_DigestInit_ex(context.0.as_ptr(), digest.0.as_ptr(), ptr::null_mut()) })?;
        Ok(Self(context))
    }

    /// Takes in `data`.
    pub(super) fn update(&mut self, data: &[u8]) -> Result<()> {
        // SAFETY: `data` is as long as stated.
        done(unsafe { ffi::EVP_DigestUpdate(self.0.0.as_ptr(), data.as_ptr().cast(), data.len()) })
    }

    /// Writes the hash to the front of `out`.
    pub(super) fn finish(self, out: &mut [u8; LONGEST_DIGEST]) -> Result<()> {
        // SAFETY: `out` has room for the longest hash, and the place of the length may be NULL.
        done(unsafe { ffi::EVP_DigestFinal_ex(self.0.0.as_ptr(), out.as_mut_ptr(), ptr::null_mut()) })
    }
}

/// One named value that libcrypto is given.
#[derive(Clone, Copy)]
pub(super) enum Param<'a> {
    Text(&'a CStr, &'a CStr),
    Octets(&'a CStr, &'a [u8]),
    /// A number of at least one byte, big-endian.
    Number(&'a CStr, &'a [u8]),
}

/// Values in the form in which libcrypto takes them.
struct Params<'a> {
    array: Vec<ffi::OSSL_PARAM>,
    /// The numbers in the machine's byte order; `array` points into them.
    _numbers: Vec<Zeroizing<Vec<u8>>>,
    _values: std::marker::PhantomData<&'a [u8]>,
}

impl<'a> Params<'a> {
    // `OSSL_PARAM_*` of openssl/core.h.
    const UNSIGNED_INTEGER: c_uint = 2;
    const UTF8_STRING: c_uint = 4;
    const OCTET_STRING: c_uint = 5;

    fn new(params: &[Param<'a>]) -> Result<Self> {
        let entry = |key: *const c_char, data_type, data: *const c_void, data_size| ffi::OSSL_PARAM {
            key,
            data_type,
            data: data.cast_mut(),
            data_size,
            return_size: 0,
        };
        let (mut array, mut numbers) = (Vec::new(), Vec::new());
        for param in params {
            array.push(match *param {
                Param::Text(key, text) => {
                    entry(key.as_ptr(), Self::UTF8_STRING, text.as_ptr().cast(), text.count_bytes())
                }
                Param::Octets(key, octets) => {
                    entry(key.as_ptr(), Self::OCTET_STRING, octets.as_ptr().cast(), octets.len())
                }
                Param::Number(key, digits) => {
                    let mut number = zeroed(digits.len())?;
                    number.copy_from_slice(digits);
                    if cfg!(target_endian = "little") {
                        number.reverse();
                    }
                    let entry = entry(key.as_ptr(), Self::UNSIGNED_INTEGER, number.as_ptr().cast(), number.len());
                    numbers.push(number);
                    entry
                }
            });
        }
        array.push(entry(ptr::null(), 0, ptr::null(), 0));
        Ok(Self { array, _numbers: numbers, _values: std::marker::PhantomData })
    }

    const fn as_ptr(&self) -> *const ffi::OSSL_PARAM {
        self.array.as_slice().as_ptr()
    }
}

/// Why a key file was not read.
pub(super) enum PemRefused {
    /// It is encrypted, and not with this passphrase.
    Passphrase,
    /// It holds no key that libcrypto can read.
    Content(Refused),
}

/// A public key, or a pair.
pub(super) struct Key(KeyObject);

impl Key {
    /// A fresh pair of the type libcrypto knows as `kind`; `group` is its curve where the type does not say.
    pub(super) fn generate(kind: &CStr, group: Option<&CStr>) -> Result<Self> {
        let (context, nothing) = (ptr::null_mut(), ptr::null());
        // SAFETY: the names end with NUL, and "EC" is the only type asked for whose variable argument is read.
        let key = unsafe {
            match group {
                Some(group) => ffi::EVP_PKEY_Q_keygen(context, nothing, kind.as_ptr(), group.as_ptr()),
                None => ffi::EVP_PKEY_Q_keygen(context, nothing, kind.as_ptr()),
            }
        };
        not_null(key).map(KeyObject).map(Self)
    }

    /// The public key with these values.
    pub(super) fn public(kind: &CStr, params: &[Param<'_>]) -> Result<Self> {
        Self::from_params(kind, ffi::EVP_PKEY_PUBLIC_KEY, params)
    }

    /// The pair with these values.
    pub(super) fn pair(kind: &CStr, params: &[Param<'_>]) -> Result<Self> {
        Self::from_params(kind, ffi::EVP_PKEY_KEYPAIR, params)
    }

    fn from_params(kind: &CStr, selection: c_int, params: &[Param<'_>]) -> Result<Self> {
        // SAFETY: `kind` ends with NUL; the other two may be NULL.
        let context = unsafe { ffi::EVP_PKEY_CTX_new_from_name(ptr::null_mut(), kind.as_ptr(), ptr::null()) };
        let context = KeyContext(not_null(context)?);
        let params = Params::new(params)?;
        let mut key = ptr::null_mut();
        // SAFETY: the context is alive. libcrypto copies out of `params` and writes nothing there, whatever its type
        // says.
        unsafe {
            done(ffi::EVP_PKEY_fromdata_init(context.0.as_ptr()))?;
            done(ffi::EVP_PKEY_fromdata(context.0.as_ptr(), &raw mut key, selection, params.as_ptr().cast_mut()))?;
        }
        not_null(key).map(KeyObject).map(Self)
    }

    /// Reads the first private key of a PEM text: PKCS#1, SEC1 or PKCS#8, plain or encrypted. Never asks the terminal.
    pub(super) fn from_pem(text: &[u8], passphrase: &[u8]) -> std::result::Result<Self, PemRefused> {
        let mut prompt = Prompt { passphrase, asked: false };
        let mut read = || {
            // SAFETY: the BIO reads `text`, which outlives it, and no further than stated.
            let bio = Bio(not_null(unsafe { ffi::BIO_new_mem_buf(text.as_ptr().cast(), int(text.len())?) })?);
            // SAFETY: the BIO is alive, and `answer` is given what it expects, alive until the call returns.
            not_null(unsafe {
                let prompt = (&raw mut prompt).cast();
                ffi::PEM_read_bio_PrivateKey(bio.0.as_ptr(), ptr::null_mut(), Some(answer), prompt)
            })
        };
        let key = read();
        // A reader that tried several decoders may leave the failures of some behind.
        Refused::take();
        match key {
            Ok(key) => Ok(Self(KeyObject(key))),
            Err(refused) if prompt.asked && !refused.is_missing_algorithm() => Err(PemRefused::Passphrase),
            Err(refused) => Err(PemRefused::Content(refused)),
        }
    }

    /// Whether this key is of the type libcrypto knows as `kind`.
    pub(super) fn is_a(&self, kind: &CStr) -> bool {
        // SAFETY: the key is alive, and `kind` ends with NUL.
        unsafe { ffi::EVP_PKEY_is_a(self.0.0.as_ptr(), kind.as_ptr()) == 1 }
    }

    /// The value `name`, which is text.
    pub(super) fn text(&self, name: &CStr) -> Result<Vec<u8>> {
        let (mut text, mut len) = ([0_u8; 64], 0);
        // SAFETY: the key is alive, `name` ends with NUL, and `text` is as long as stated.
        done(unsafe {
            let place = text.as_mut_ptr().cast();
            ffi::EVP_PKEY_get_utf8_string_param(self.0.0.as_ptr(), name.as_ptr(), place, text.len(), &raw mut len)
        })?;
        text.get(..len).map(<[u8]>::to_vec).ok_or(Refused::UNFIT)
    }

    /// The value `name`, which is octets, at most 256 of them.
    pub(super) fn octets(&self, name: &CStr) -> Result<Vec<u8>> {
        let (mut octets, mut len) = ([0_u8; 256], 0);
        // SAFETY: the key is alive, `name` ends with NUL, and `octets` is as long as stated.
        done(unsafe {
            let place = octets.as_mut_ptr();
            ffi::EVP_PKEY_get_octet_string_param(self.0.0.as_ptr(), name.as_ptr(), place, octets.len(), &raw mut len)
        })?;
        octets.get(..len).map(<[u8]>::to_vec).ok_or(Refused::UNFIT)
    }

    /// The value `name`, which is a number of the public half, big-endian and without leading zeros.
    pub(super) fn number(&self, name: &CStr) -> Result<Vec<u8>> {
        let mut number = ptr::null_mut();
        // SAFETY: the key is alive, and `name` ends with NUL; a number is made for us.
        done(unsafe { ffi::EVP_PKEY_get_bn_param(self.0.0.as_ptr(), name.as_ptr(), &raw mut number) })?;
        Number(not_null(number)?).digits().map(|digits| digits.to_vec())
    }

    /// Bytes of the longest signature.
    pub(super) fn size(&self) -> Result<usize> {
        // SAFETY: the key is alive.
        usize::try_from(unsafe { ffi::EVP_PKEY_get_size(self.0.0.as_ptr()) }).map_err(|_| Refused::UNFIT)
    }

    /// The secret shared by this pair and the public key `peer`.
    pub(super) fn agree(&self, peer: &Self) -> Result<Zeroizing<Vec<u8>>> {
        // SAFETY: this key is alive; the last may be NULL.
        let context = KeyContext(not_null(unsafe { ffi::EVP_PKEY_CTX_new(self.0.0.as_ptr(), ptr::null_mut()) })?);
        let context = context.0.as_ptr();
        let mut len = 0;
        // SAFETY: context and peer are alive; NULL asks for the length.
        unsafe {
            done(ffi::EVP_PKEY_derive_init(context))?;
            done(ffi::EVP_PKEY_derive_set_peer_ex(context, peer.0.0.as_ptr(), 1))?;
            done(ffi::EVP_PKEY_derive(context, ptr::null_mut(), &raw mut len))?;
        }
        let mut secret = zeroed(len)?;
        // SAFETY: `secret` is as long as stated.
        done(unsafe { ffi::EVP_PKEY_derive(context, secret.as_mut_ptr(), &raw mut len) })?;
        secret.truncate(len);
        Ok(secret)
    }

    /// Signs `data`, hashed by `digest` unless the algorithm does that itself.
    pub(super) fn sign(&self, digest: Option<&CStr>, data: &[u8]) -> Result<Vec<u8>> {
        let context = self.signature_context(digest, ffi::EVP_DigestSignInit)?;
        let mut len = self.size()?;
        let mut signature = zeroed(len)?;
        // SAFETY: `signature` has room for the longest one, and `data` is as long as stated.
        done(unsafe {
            let place = signature.as_mut_ptr();
            ffi::EVP_DigestSign(context.0.as_ptr(), place, &raw mut len, data.as_ptr(), data.len())
        })?;
        signature.get(..len).map(<[u8]>::to_vec).ok_or(Refused::UNFIT)
    }

    /// Refused unless `signature` is this key's over `data`, hashed by `digest` unless the algorithm does that itself.
    pub(super) fn verify(&self, digest: Option<&CStr>, data: &[u8], signature: &[u8]) -> Result<()> {
        let context = self.signature_context(digest, ffi::EVP_DigestVerifyInit)?;
        // SAFETY: both are as long as stated.
        done(unsafe {
            let (place, len) = (signature.as_ptr(), signature.len());
            ffi::EVP_DigestVerify(context.0.as_ptr(), place, len, data.as_ptr(), data.len())
        })
    }

    fn signature_context(&self, digest: Option<&CStr>, init: InitSignature) -> Result<MdContext> {
        let (context, digest) = (digest_context()?, digest.map(fetch_digest).transpose()?);
        let digest = digest.as_ref().map_or(ptr::null(), |digest| digest.0.as_ptr().cast_const());
        // SAFETY: context and key are alive, and the digest, if any, lives until the call returns; the context keeps
        // references of its own to both.
        done(unsafe { init(context.0.as_ptr(), ptr::null_mut(), digest, ptr::null_mut(), self.0.0.as_ptr()) })?;
        Ok(context)
    }
}

/// `EVP_DigestSignInit` or `EVP_DigestVerifyInit`.
type InitSignature = unsafe extern "C" fn(
    *mut ffi::EVP_MD_CTX,
    *mut *mut ffi::EVP_PKEY_CTX,
    *const ffi::EVP_MD,
    *mut ffi::ENGINE,
    *mut ffi::EVP_PKEY,
) -> c_int;

/// What [`answer`] works with.
struct Prompt<'a> {
    passphrase: &'a [u8],
    asked: bool,
}

/// Stands where libcrypto would otherwise ask the terminal for a passphrase.
extern "C" fn answer(place: *mut c_char, room: c_int, _for_writing: c_int, prompt: *mut c_void) -> c_int {
    // SAFETY: `from_pem` passes a `Prompt` that it does not touch during the call.
    let prompt = unsafe { &mut *prompt.cast::<Prompt<'_>>() };
    prompt.asked = true;
    let (Ok(room), Ok(len)) = (usize::try_from(room), c_int::try_from(prompt.passphrase.len())) else { return -1 };
    if prompt.passphrase.len() > room {
        return -1;
    }
    // SAFETY: libcrypto has `room` bytes there, which is enough, as was just seen.
    unsafe { ptr::copy_nonoverlapping(prompt.passphrase.as_ptr(), place.cast(), prompt.passphrase.len()) };
    len
}

impl Number {
    fn new(digits: &[u8]) -> Result<Self> {
        // SAFETY: `digits` is as long as stated; NULL has a number made.
        let number = not_null(unsafe { ffi::BN_bin2bn(digits.as_ptr(), int(digits.len())?, ptr::null_mut()) })?;
        // SAFETY: the number is alive.
        unsafe { ffi::BN_set_flags(number.as_ptr(), ffi::BN_FLG_CONSTTIME) };
        Ok(Self(number))
    }

    fn digits(&self) -> Result<Zeroizing<Vec<u8>>> {
        // SAFETY: the number is alive.
        let bits = usize::try_from(unsafe { ffi::BN_num_bits(self.0.as_ptr()) }).map_err(|_| Refused::UNFIT)?;
        let mut digits = zeroed(bits.div_ceil(8))?;
        // SAFETY: `digits` is as long as the number's bytes.
        let written = unsafe { ffi::BN_bn2bin(self.0.as_ptr(), digits.as_mut_ptr()) };
        if int(digits.len())? == written { Ok(digits) } else { Err(Refused::UNFIT) }
    }
}

/// `number` modulo `modulus` - 1, in a time that does not depend on the digits; all big-endian.
pub(super) fn modulo_predecessor(number: &[u8], modulus: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (number, modulus, remainder) = (Number::new(number)?, Number::new(modulus)?, Number::new(&[])?);
    // SAFETY: takes nothing.
    let context = NumberContext(not_null(unsafe { ffi::BN_CTX_new() })?);
    // SAFETY: all are alive; the place of the quotient may be NULL.
    unsafe {
        done(ffi::BN_sub_word(modulus.0.as_ptr(), 1))?;
        done(ffi::BN_div(
            ptr::null_mut(),
            remainder.0.as_ptr(),
            number.0.as_ptr(),
            modulus.0.as_ptr(),
            context.0.as_ptr(),
        ))?;
    }
    remainder.digits()
}

/// `base` to the power of `exponent`, modulo the odd `modulus`, in a time that does not depend on the digits of the
/// exponent; all big-endian, and the result without leading zeros.
pub(super) fn power_modulo(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (base, exponent, modulus) = (Number::new(base)?, Number::new(exponent)?, Number::new(modulus)?);
    let power = Number::new(&[])?;
    // SAFETY: takes nothing.
    let context = NumberContext(not_null(unsafe { ffi::BN_CTX_new() })?);
    // SAFETY: all are alive.
    done(unsafe {
        ffi::BN_mod_exp(power.0.as_ptr(), base.0.as_ptr(), exponent.0.as_ptr(), modulus.0.as_ptr(), context.0.as_ptr())
    })?;
    power.digits()
}

/// The prime of so many bits in RFC 2409 (1024) or RFC 3526 (the others), big-endian.
pub(super) fn well_known_prime(bits: usize) -> Result<Zeroizing<Vec<u8>>> {
    let made: unsafe extern "C" fn(*mut ffi::BIGNUM) -> *mut ffi::BIGNUM = match bits {
        1024 => ffi::BN_get_rfc2409_prime_1024,
        2048 => ffi::BN_get_rfc3526_prime_2048,
        4096 => ffi::BN_get_rfc3526_prime_4096,
        8192 => ffi::BN_get_rfc3526_prime_8192,
        _ => return Err(Refused::UNFIT),
    };
    // SAFETY: NULL has a number made.
    Number(not_null(unsafe { made(ptr::null_mut()) })?).digits()
}

/// For callers that have one code and text for all failures.
pub(super) trait OrRefuse<T> {
    /// Turns libcrypto's refusal into the crate's error.
    fn or_refuse(self, code: Code, text: &'static str) -> CrateResult<T>;
}

impl<T> OrRefuse<T> for Result<T> {
    fn or_refuse(self, code: Code, text: &'static str) -> CrateResult<T> {
        self.map_err(|refused| refused.into_error(code, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The program's TLS code takes what lies in the queue for its own failure.
    fn nothing_is_left_behind() {
        // SAFETY: takes nothing.
        assert_eq!(unsafe { ffi::ERR_peek_last_error() }, 0);
    }

    #[test]
    fn a_refusal_says_why_and_leaves_nothing_in_the_queue() {
        let refused = Cipher::new(c"no such cipher", Direction::Encrypt, &[], &[]).err().unwrap();
        let error = refused.into_error(Code::Encrypt, "Cipher is not to be had");
        assert!(error.to_string().starts_with("Cipher is not to be had: "), "{error}");
        nothing_is_left_behind();
        assert!(Hash::new(c"no such hash").is_err() && Key::generate(c"EC", Some(c"no such curve")).is_err());
        nothing_is_left_behind();
        assert!(Key::from_pem(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"").is_err());
        nothing_is_left_behind();
    }

    #[test]
    fn our_own_refusals_have_no_reason() {
        let error = Refused::UNFIT.into_error(Code::Encrypt, "Sizes do not fit");
        assert_eq!(error.to_string(), "Sizes do not fit");
    }

    #[test]
    fn a_block_cipher_takes_whole_blocks_and_no_tag() {
        let mut cipher = Cipher::new(c"AES-128-CBC", Direction::Encrypt, &[0; 16], &[0; 16]).unwrap();
        for len in [1, 15, 17, 31] {
            assert!(cipher.update_in_place(&mut vec![0; len]).is_err());
        }
        let mut data = [0; 32];
        cipher.update_in_place(&mut data).unwrap();
        cipher.restart(&[0; 16]).unwrap();
        let mut again = [0; 32];
        cipher.update(&[0; 32], &mut again).unwrap();
        assert_eq!(data, again);
        assert!(cipher.authenticate(b"front").is_err() && cipher.tag(&mut [0; 16]).is_err());
        assert!(cipher.restart(&[0; 12]).is_err());
    }

    #[test]
    fn an_output_that_is_too_short_is_refused() {
        let mut mac = Mac::hmac(c"SHA256", b"key").unwrap();
        assert!(mac.compute(None, &[b"data"], &mut [0; 31]).is_err());
        assert!(mac.compute(None, &[b"data"], &mut [0; 32]).is_ok());
        let mut mac = Mac::poly1305().unwrap();
        assert!(mac.compute(Some(&[0; 32]), &[b"data"], &mut [0; 15]).is_err());
        assert!(mac.compute(Some(&[0; 31]), &[b"data"], &mut [0; 16]).is_err());
        assert!(mac.compute(Some(&[0; 32]), &[b"data"], &mut [0; 16]).is_ok());
        nothing_is_left_behind();
    }

    #[test]
    fn remainders() {
        assert_eq!(modulo_predecessor(&[100], &[8]).unwrap()[..], [2]);
        assert_eq!(modulo_predecessor(&[1, 0], &[0xff]).unwrap()[..], [2]);
        assert!(modulo_predecessor(&[14], &[8]).unwrap().is_empty());
        assert!(modulo_predecessor(&[14], &[1]).is_err());
        nothing_is_left_behind();
    }
}
