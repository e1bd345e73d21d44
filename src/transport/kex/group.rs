//! Group exchange, RFC 4419: the server chooses the group.
#![forbid(unsafe_code)]

use super::failed;
use super::pair::Pair;
use super::value::AwaitValue;
use crate::crypto::ModpGroup;
use crate::error::{Code, Result};
use crate::transport::message;
use crate::wire::{Put, Reader, Short};

/// Fewest bits that we take, as RFC 8270 has it.
const LEAST: u32 = 2048;
/// Bits that we would like.
const PREFERRED: u32 = 4096;
/// Most bits that we take; more only cost time.
const MOST: u32 = 8192;

/// Our sizes have been sent.
pub struct AwaitGroup {
    /// The sizes, which are hashed.
    sizes: Vec<u8>,
}

impl AwaitGroup {
    /// Asks for a group: the state, and the packet.
    pub(super) fn begin() -> Result<(Self, Vec<u8>)> {
        let mut sizes = Vec::new();
        [LEAST, PREFERRED, MOST].into_iter().try_for_each(|size| sizes.put_u32(size))?;
        let mut packet = Vec::new();
        packet.put_u8(message::KEX_DH_GEX_REQUEST)?;
        packet.put(&sizes)?;
        Ok((Self { sizes }, packet))
    }

    /// Takes the server's group.
    pub(super) fn handle(self, payload: &[u8]) -> Result<(AwaitValue, Vec<u8>)> {
        if payload.first() != Some(&message::KEX_DH_GEX_GROUP) {
            return Err(failed("Server sent a wrong message in the key exchange"));
        }
        let [prime, generator] = read(payload).map_err(|short| {
            short.in_packet(Code::KeyExchangeFailure, "Group of the server is shorter than its fields")
        })?;
        let group = ModpGroup::new(prime, generator, &(LEAST..=MOST))?;
        let mut fields = self.sizes;
        fields.put_string(prime)?;
        fields.put_string(generator)?;
        AwaitValue::begin(Pair::modp(group)?, message::KEX_DH_GEX_INIT, fields)
    }
}

fn read(payload: &[u8]) -> Result<[&[u8]; 2], Short> {
    let mut reader = Reader::new(payload);
    reader.u8()?;
    Ok([reader.string()?, reader.string()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: u8, prime: &[u8], generator: &[u8]) -> Vec<u8> {
        let mut packet = vec![number];
        packet.put_mpint(prime).unwrap();
        packet.put_mpint(generator).unwrap();
        packet
    }

    #[test]
    fn the_group_is_hashed_behind_the_sizes() {
        let (state, packet) = AwaitGroup::begin().unwrap();
        assert_eq!(packet, [34, 0, 0, 8, 0, 0, 0, 16, 0, 0, 0, 32, 0]);
        let prime = ModpGroup::well_known(2048).unwrap().prime().to_vec();
        let (_, packet) = state.handle(&group(31, &prime, &[2])).unwrap();
        assert_eq!(packet[0], 32);
        assert!(packet.len() > 250);
    }

    #[test]
    fn groups_that_are_too_small_too_large_or_broken_are_refused() {
        let refused = |packet: &[u8]| {
            let error = AwaitGroup::begin().unwrap().0.handle(packet).map(|_| ()).unwrap_err();
            assert_eq!(error.code, Code::KeyExchangeFailure);
        };
        let prime = ModpGroup::well_known(2048).unwrap().prime().to_vec();
        refused(&group(33, &prime, &[2]));
        refused(&group(31, ModpGroup::well_known(1024).unwrap().prime(), &[2]));
        refused(&group(31, &[&prime[..], &prime, &prime, &prime, &prime[255..]].concat(), &[2]));
        refused(&group(31, &prime, &[1]));
        refused(&group(31, &prime, &prime));
        let whole = group(31, &prime, &[2]);
        for length in 0..whole.len() {
            refused(&whole[..length]);
        }
    }
}
