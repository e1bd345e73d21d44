//! Compression, RFC 4253 section 6.2: one stream per direction and key exchange, flushed behind each packet.
#![forbid(unsafe_code)]

use std::panic::{UnwindSafe, catch_unwind};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::memory::{self, Add};

/// Longest payload that a packet may inflate to: as long as one without compression.
const LONGEST: usize = 256 * 1024;
/// More than the state of a stream takes.
const LARGEST_DEFLATER: usize = 512 * 1024;
const LARGEST_INFLATER: usize = 128 * 1024;
/// Room that is made at a time.
const CHUNK: usize = 16 * 1024;

/// When a direction is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionAlgorithm {
    /// Never.
    None,
    /// From the first new keys on.
    Zlib,
    /// Once the user is logged in: whoever is not cannot attack the decompressor. OpenSSH's PROTOCOL section 1.2.
    ZlibAfterLogin,
}

impl CompressionAlgorithm {
    /// Whether it is at work under new keys.
    const fn works(self, logged_in: bool) -> bool {
        match self {
            Self::None => false,
            Self::Zlib => true,
            Self::ZlibAfterLogin => logged_in,
        }
    }

    /// What compresses under new keys, if anything.
    pub fn deflater(self, logged_in: bool) -> Result<Option<Deflater>> {
        if !self.works(logged_in) {
            return Ok(None);
        }
        let stream = stream(LARGEST_DEFLATER, || Compress::new(Compression::default(), true))?;
        Ok(Some(Deflater { stream, out: Zeroizing::default() }))
    }

    /// What decompresses under new keys, if anything.
    pub fn inflater(self, logged_in: bool) -> Result<Option<Inflater>> {
        if !self.works(logged_in) {
            return Ok(None);
        }
        Ok(Some(Inflater { stream: stream(LARGEST_INFLATER, || Decompress::new(true))?, out: Vec::new() }))
    }
}

/// Begins a stream that takes so much memory. The crate that does it panics where there is not so much: so that is looked
/// at before, and its panic ends here if the memory has gone meanwhile.
fn stream<T>(size: usize, begin: impl FnOnce() -> T + UnwindSafe) -> Result<T> {
    drop(memory::sized(size)?);
    catch_unwind(begin).map_err(|_| Error::alloc())
}

/// Compresses the payloads of the outgoing direction.
pub struct Deflater {
    stream: Compress,
    /// The packet compressed last, which may be a password.
    out: Zeroizing<Vec<u8>>,
}

impl Deflater {
    /// Compresses the payload that is `parts` one after the other.
    pub fn deflate(&mut self, parts: &[&[u8]]) -> Result<&[u8]> {
        self.out.clear();
        for part in parts {
            self.put(part, FlushCompress::None)?;
        }
        self.put(&[], FlushCompress::Partial)?;
        Ok(&self.out)
    }

    fn put(&mut self, mut input: &[u8], flush: FlushCompress) -> Result<()> {
        loop {
            make_room(&mut self.out)?;
            let before = self.stream.total_in();
            self.stream.compress_vec(input, &mut self.out, flush).map_err(|_| failed())?;
            input = rest(input, before, self.stream.total_in());
            // Room that is left means that all there was to write has been written.
            if input.is_empty() && self.out.len() < self.out.capacity() {
                return Ok(());
            }
        }
    }
}

/// Decompresses the payloads of the incoming direction.
pub struct Inflater {
    stream: Decompress,
    out: Vec<u8>,
}

impl Inflater {
    /// Decompresses a payload: how many bytes there are in [`Inflater::payload`].
    pub fn inflate(&mut self, mut input: &[u8]) -> Result<usize> {
        self.out.clear();
        loop {
            make_room(&mut self.out)?;
            let before = self.stream.total_in();
            let status = self.stream.decompress_vec(input, &mut self.out, FlushDecompress::Sync);
            input = rest(input, before, self.stream.total_in());
            if self.out.len() > LONGEST {
                return Err(Error::new(Code::Zlib, "Packet of the server inflates to more than any packet may be"));
            }
            match status {
                Ok(Status::Ok | Status::BufError) if self.out.len() < self.out.capacity() => break,
                Ok(Status::Ok | Status::BufError) => {}
                Ok(Status::StreamEnd) | Err(_) => return Err(damaged()),
            }
        }
        if input.is_empty() { Ok(self.out.len()) } else { Err(damaged()) }
    }

    /// The payload decompressed last.
    pub fn payload(&self) -> &[u8] {
        &self.out
    }
}

/// Room behind what is in `out`, so that progress can be told from its end. A packet of file data needs it once.
fn make_room(out: &mut Vec<u8>) -> Result<()> {
    if out.capacity() == out.len() {
        out.room(CHUNK.max(out.len()))?;
    }
    Ok(())
}

/// What of `input` has not been taken, by the totals before and after.
fn rest(input: &[u8], before: u64, after: u64) -> &[u8] {
    let taken = usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX);
    input.get(taken..).unwrap_or_default()
}

const fn failed() -> Error {
    Error::new(Code::Compress, "Compression failed")
}

const fn damaged() -> Error {
    Error::new(Code::Zlib, "Compressed packet of the server is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Deflater, Inflater) {
        let zlib = CompressionAlgorithm::Zlib;
        (zlib.deflater(false).unwrap().unwrap(), zlib.inflater(false).unwrap().unwrap())
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(len)
        .collect()
    }

    #[test]
    fn packet_after_packet_comes_out_as_it_went_in() {
        let (mut deflater, mut inflater) = pair();
        for len in [0, 1, 5, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 100, LONGEST] {
            for payload in [vec![7; len], noise(len)] {
                let (first, second) = payload.split_at(len / 3);
                let packet = deflater.deflate(&[first, &[], second]).unwrap().to_vec();
                assert_eq!(inflater.inflate(&packet).unwrap(), len);
                assert!(inflater.payload() == payload, "{len}");
            }
        }
        let packet = deflater.deflate(&[&[7; 30_000]]).unwrap();
        assert!(packet.len() < 100, "{} bytes", packet.len());
    }

    #[test]
    fn a_packet_that_inflates_without_end_is_refused() {
        let (mut deflater, mut inflater) = pair();
        let packet = deflater.deflate(&[&vec![0; LONGEST + 1]]).unwrap();
        assert!(packet.len() < 1000);
        assert_eq!(inflater.inflate(packet).unwrap_err().code, Code::Zlib);
        assert!(inflater.out.capacity() <= 4 * LONGEST);
    }

    #[test]
    fn damage_is_noticed() {
        let (_, mut inflater) = pair();
        assert_eq!(inflater.inflate(b"no zlib stream").unwrap_err().code, Code::Zlib);
        // The end of the stream, and bytes behind it.
        let mut whole = Vec::with_capacity(100);
        Compress::new(Compression::default(), true).compress_vec(b"x", &mut whole, FlushCompress::Finish).unwrap();
        let (_, mut inflater) = pair();
        assert_eq!(inflater.inflate(&whole).unwrap_err().code, Code::Zlib);
    }

    #[test]
    fn it_begins_when_its_name_says() {
        assert!(CompressionAlgorithm::None.deflater(true).unwrap().is_none());
        assert!(CompressionAlgorithm::Zlib.deflater(false).unwrap().is_some());
        assert!(CompressionAlgorithm::ZlibAfterLogin.deflater(false).unwrap().is_none());
        assert!(CompressionAlgorithm::ZlibAfterLogin.inflater(true).unwrap().is_some());
    }
}
