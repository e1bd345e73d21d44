//! File attributes, draft-ietf-secsh-filexfer-02 section 5.
#![forbid(unsafe_code)]

use crate::error::Result;
use crate::wire::{Put, Reader, Short};

/// `SSH_FILEXFER_ATTR_SIZE`
pub const SIZE: u32 = 0x0000_0001;
/// `SSH_FILEXFER_ATTR_UIDGID`
pub const UIDGID: u32 = 0x0000_0002;
/// `SSH_FILEXFER_ATTR_PERMISSIONS`
pub const PERMISSIONS: u32 = 0x0000_0004;
/// `SSH_FILEXFER_ATTR_ACMODTIME`
pub const ACMODTIME: u32 = 0x0000_0008;
/// `SSH_FILEXFER_ATTR_EXTENDED`
pub const EXTENDED: u32 = 0x8000_0000;

/// The attributes of a file; those that `flags` does not name are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Which fields are there.
    pub flags: u32,
    /// Size in bytes.
    pub size: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Type and permission bits as in `st_mode`.
    pub permissions: u32,
    /// Seconds since 1970 of the last access.
    pub atime: u32,
    /// Seconds since 1970 of the last change.
    pub mtime: u32,
}

impl Attributes {
    /// The same with these permissions.
    #[must_use]
    pub const fn with_permissions(self, permissions: u32) -> Self {
        Self { flags: self.flags | PERMISSIONS, permissions, ..self }
    }

    /// Reads attributes; extended pairs are passed over.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Short> {
        let mut attributes = Self { flags: reader.u32()?, ..Self::default() };
        if attributes.flags & SIZE != 0 {
            attributes.size = reader.u64()?;
        }
        if attributes.flags & UIDGID != 0 {
            attributes.uid = reader.u32()?;
            attributes.gid = reader.u32()?;
        }
        if attributes.flags & PERMISSIONS != 0 {
            attributes.permissions = reader.u32()?;
        }
        if attributes.flags & ACMODTIME != 0 {
            attributes.atime = reader.u32()?;
            attributes.mtime = reader.u32()?;
        }
        if attributes.flags & EXTENDED != 0 {
            for _ in 0..reader.u32()? {
                reader.string()?;
                reader.string()?;
            }
        }
        Ok(attributes)
    }

    /// Writes the attributes named by the flags; extended ones are not sent.
    pub fn write(&self, to: &mut impl Put) -> Result<()> {
        to.put_u32(self.flags & (SIZE | UIDGID | PERMISSIONS | ACMODTIME))?;
        if self.flags & SIZE != 0 {
            to.put_u64(self.size)?;
        }
        if self.flags & UIDGID != 0 {
            to.put_u32(self.uid)?;
            to.put_u32(self.gid)?;
        }
        if self.flags & PERMISSIONS != 0 {
            to.put_u32(self.permissions)?;
        }
        if self.flags & ACMODTIME != 0 {
            to.put_u32(self.atime)?;
            to.put_u32(self.mtime)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_flags_survives_the_wire() {
        for flags in 0..16 {
            let full = Attributes { flags, size: u64::MAX, uid: 1, gid: 2, permissions: 3, atime: 4, mtime: u32::MAX };
            let mut bytes = Vec::new();
            full.write(&mut bytes).unwrap();
            let back = Attributes::read(&mut Reader::new(&bytes)).unwrap();
            let mut again = Vec::new();
            back.write(&mut again).unwrap();
            assert_eq!((back.flags, &again), (flags, &bytes));
            for length in 0..bytes.len() {
                assert_eq!(Attributes::read(&mut Reader::new(&bytes[..length])), Err(Short));
            }
        }
    }

    #[test]
    fn extended_pairs_are_passed_over_and_a_bogus_count_ends() {
        let mut bytes = Vec::new();
        bytes.put_u32(EXTENDED).unwrap();
        bytes.put_u32(1).unwrap();
        bytes.put_string(b"name").unwrap();
        bytes.put_string(b"value").unwrap();
        bytes.put_u8(9).unwrap();
        let mut reader = Reader::new(&bytes);
        assert_eq!(Attributes::read(&mut reader).unwrap().flags, EXTENDED);
        assert_eq!(reader.rest(), [9]);
        bytes[4..8].fill(255);
        assert_eq!(Attributes::read(&mut Reader::new(&bytes)), Err(Short));
    }
}
