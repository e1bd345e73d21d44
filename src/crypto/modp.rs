//! Diffie-Hellman over the integers modulo a prime: RFC 4253 section 8, RFC 4419, RFC 8268.
#![forbid(unsafe_code)]

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::der::trim;
use super::openssl::{self, OrRefuse};
use super::random::random;
use crate::error::{Code, Error, Result};
use crate::memory;

/// Bytes of a secret exponent: twice what the longest key that is derived deserves, RFC 4419 section 6.2.
const EXPONENT: usize = 64;
/// Fewest bits set in a public value, as in OpenSSH: fewer are no accident.
const LEAST_BITS_SET: u32 = 4;

/// A group to agree on a secret over.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug, PartialEq, Eq)]
pub struct ModpGroup {
    /// The prime, big-endian, without leading zeros.
    prime: Vec<u8>,
    /// The generator, likewise.
    generator: Vec<u8>,
}

impl ModpGroup {
    /// The group with 2 as its generator and the well-known prime of so many bits: RFC 2409 section 6.2 (1024), RFC
    /// 3526 (2048, 4096 and 8192).
    pub fn well_known(bits: usize) -> Result<Self> {
        let prime = openssl::well_known_prime(bits).or_refuse(Code::KeyExchangeFailure, "No such group is known")?;
        Ok(Self { prime: memory::copy(&prime)?, generator: memory::copy(&[2])? })
    }

    /// A group of the server's choice, whose prime must have a number of bits in `sizes`. That it is a prime cannot be
    /// checked in reasonable time, and a server that lies about that harms nobody but itself.
    pub fn new(prime: &[u8], generator: &[u8], sizes: &RangeInclusive<u32>) -> Result<Self> {
        let group = Self { prime: memory::copy(trim(prime))?, generator: memory::copy(trim(generator))? };
        let odd = group.prime.last().is_some_and(|last| last & 1 == 1);
        if odd && sizes.contains(&bits(&group.prime)) && group.is_inside(&group.generator) {
            Ok(group)
        } else {
            Err(Error::new(Code::KeyExchangeFailure, "Group of the server is not fit for use"))
        }
    }

    /// The prime.
    pub fn prime(&self) -> &[u8] {
        &self.prime
    }

    /// The generator.
    pub fn generator(&self) -> &[u8] {
        &self.generator
    }

    /// Whether 1 < `number` < p - 1, for numbers without leading zeros.
    fn is_inside(&self, number: &[u8]) -> bool {
        let order = |a: &[u8], b: &[u8]| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
        // The prime is odd, so its predecessor differs in the last bit.
        let is_last = match (number.split_last(), self.prime.split_last()) {
            (Some((a, front)), Some((b, prime))) => front == prime && a | 1 == *b,
            _ => true,
        };
        order(number, &[1]).is_gt() && order(number, &self.prime).is_lt() && !is_last
    }
}

fn bits(number: &[u8]) -> u32 {
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    u32::try_from(number.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(unused)
}

/// A key pair for one agreement.
pub struct ModpKey {
    group: ModpGroup,
    secret: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl ModpKey {
    /// A fresh pair.
    pub fn generate(group: ModpGroup) -> Result<Self> {
        let mut secret = Zeroizing::new(memory::filled(EXPONENT, 0)?);
        random(&mut secret)?;
        // Of full length, and so more than 1.
        if let Some(first) = secret.first_mut() {
            *first |= 0x80;
        }
        Self::from_secret(group, secret)
    }

    fn from_secret(group: ModpGroup, secret: Zeroizing<Vec<u8>>) -> Result<Self> {
        let public = openssl::power_modulo(&group.generator, &secret, &group.prime)
            .or_refuse(Code::KeyExchangeFailure, "Making a key for the exchange failed")?;
        Ok(Self { public: memory::copy(&public)?, secret, group })
    }

    /// The public value, big-endian.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The secret shared with the holder of the pair whose public value is `peer`. A `peer` that would make the secret
    /// a known one is refused.
    pub fn agree(self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        const UNFIT: Error = Error::new(Code::KeyExchangeFailure, "Public value of the peer is not valid");
        let peer = trim(peer);
        let set = peer.iter().fold(0_u32, |set, byte| set.saturating_add(byte.count_ones()));
        if !self.group.is_inside(peer) || set < LEAST_BITS_SET {
            return Err(UNFIT);
        }
        let secret = openssl::power_modulo(peer, &self.secret, &self.group.prime)
            .or_refuse(Code::KeyExchangeFailure, "Computing the secret failed")?;
        if self.group.is_inside(&secret) { Ok(secret) } else { Err(UNFIT) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    #[test]
    fn both_sides_come_to_the_same_secret_in_each_group() {
        for bits in [1024, 2048, 4096, 8192] {
            let group = ModpGroup::well_known(bits).unwrap();
            assert_eq!(group.prime().len() * 8, bits);
            let ours = ModpKey::generate(group.clone()).unwrap();
            let theirs = ModpKey::generate(group).unwrap();
            assert_ne!(ours.public_key(), theirs.public_key());
            let (public, peer) = (ours.public_key().to_vec(), theirs.public_key().to_vec());
            assert_eq!(ours.agree(&peer).unwrap(), theirs.agree(&public).unwrap());
        }
        assert!(ModpGroup::well_known(2047).is_err());
    }

    /// All begin with the same digits of pi, and differ at their ends.
    #[test]
    fn the_primes_are_those_of_the_rfcs() {
        let ends = [
            (1024, "FFFFFFFF FFFFFFFF C90FDAA2 2168C234", "49286651 ECE65381 FFFFFFFF FFFFFFFF"),
            (2048, "FFFFFFFF FFFFFFFF C90FDAA2 2168C234", "15728E5A 8AACAA68 FFFFFFFF FFFFFFFF"),
            (4096, "FFFFFFFF FFFFFFFF C90FDAA2 2168C234", "4DF435C9 34063199 FFFFFFFF FFFFFFFF"),
            (8192, "FFFFFFFF FFFFFFFF C90FDAA2 2168C234", "60C980DD 98EDD3DF FFFFFFFF FFFFFFFF"),
        ];
        for (bits, first, last) in ends {
            let group = ModpGroup::well_known(bits).unwrap();
            assert!(group.prime().starts_with(&hex(first)) && group.prime().ends_with(&hex(last)), "{bits}");
            assert_eq!(group.generator(), [2]);
        }
    }

    #[test]
    fn small_numbers() {
        // 5 generates the numbers modulo 23: 5^6 = 8, 5^15 = 19, and the secret of both is 2.
        let group = ModpGroup::new(&[23], &[5], &(5..=5)).unwrap();
        let ours = ModpKey::from_secret(group, Zeroizing::new(vec![6])).unwrap();
        assert_eq!(ours.public_key(), [8]);
        assert!(ours.agree(&[19]).is_err(), "too few bits are set");
        assert_eq!(openssl::power_modulo(&[19], &[6], &[23]).unwrap()[..], [2]);
    }

    #[test]
    fn values_that_give_the_secret_away_are_refused() {
        let group = ModpGroup::well_known(2048).unwrap();
        let p = group.prime().to_vec();
        let predecessor = [&p[..255], &[0xfe]].concat();
        for value in [&[][..], &[0], &[1], &[0, 1], &[2], &[7], &p, &predecessor, &[&[0][..], &predecessor].concat()] {
            assert!(ModpKey::generate(group.clone()).unwrap().agree(value).is_err(), "{value:?}");
        }
        let larger = [&p[..], &[0]].concat();
        assert!(ModpKey::generate(group.clone()).unwrap().agree(&larger).is_err());
        let before = [&p[..255], &[0xfd]].concat();
        assert!(ModpKey::generate(group).unwrap().agree(&before).is_ok());
    }

    #[test]
    fn cve_2016_0787_exponents_of_far_fewer_bits_than_meant() {
        let secrets = [2048, 8192].map(|bits| ModpKey::generate(ModpGroup::well_known(bits).unwrap()).unwrap().secret);
        for secret in &secrets {
            // Twice the bits of the strongest cipher, and the first one set.
            assert!(bits(secret) == 512, "{} bits", bits(secret));
        }
        assert_ne!(secrets[0], secrets[1]);
    }

    #[test]
    fn groups_of_the_server_are_checked() {
        let known = ModpGroup::well_known(2048).unwrap();
        let p = known.prime();
        let sizes = 2048..=8192;
        assert_eq!(ModpGroup::new(&[&[0][..], p].concat(), &[0, 2], &sizes).unwrap(), known);
        let even = [&p[..255], &[0xfe]].concat();
        assert!(ModpGroup::new(&even, &[2], &sizes).is_err());
        assert!(ModpGroup::new(&p[..255], &[2], &sizes).is_err());
        assert!(ModpGroup::new(p, &[2], &(2049..=8192)).is_err());
        for generator in [&[][..], &[0], &[1], p, &even] {
            assert!(ModpGroup::new(p, generator, &sizes).is_err());
        }
    }
}
