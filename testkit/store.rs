//! The files that SFTP shows: those below one directory.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use crate::end::Result;

const FXF_READ: u32 = 1;
const FXF_WRITE: u32 = 2;
const FXF_CREAT: u32 = 8;
const FXF_TRUNC: u32 = 16;
const FXF_EXCL: u32 = 32;
/// Names in one answer to READDIR.
const NAMES_AT_ONCE: usize = 10;

/// Why a request is refused: the status and its text.
pub struct Refusal {
    pub code: u32,
    pub text: String,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::NotFound => 2,
            ErrorKind::PermissionDenied => 3,
            _ => 4,
        };
        Self { code, text: error.to_string() }
    }
}

#[derive(Clone, Copy)]
pub struct Attributes {
    pub size: u64,
    pub permissions: u32,
}

impl From<Metadata> for Attributes {
    fn from(data: Metadata) -> Self {
        Self { size: data.size(), permissions: data.mode() }
    }
}

type Names = Vec<(Vec<u8>, Attributes)>;

enum Opened {
    File(File),
    Directory(Names),
}

pub struct Store {
    root: Option<PathBuf>,
    opened: BTreeMap<Vec<u8>, Opened>,
    count: u32,
}

impl Store {
    pub const fn new(root: Option<PathBuf>) -> Self {
        Self { root, opened: BTreeMap::new(), count: 0 }
    }

    pub fn open(&mut self, path: &[u8], flags: u32) -> Result<Vec<u8>, Refusal> {
        let has = |flag| flags & flag != 0;
        let file = File::options()
            .read(has(FXF_READ))
            .write(has(FXF_WRITE))
            .create(has(FXF_CREAT))
            .create_new(has(FXF_CREAT) && has(FXF_EXCL))
            .truncate(has(FXF_TRUNC))
            .open(self.place(path)?)?;
        Ok(self.keep(Opened::File(file)))
    }

    pub fn open_dir(&mut self, path: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut names = Names::new();
        for entry in fs::read_dir(self.place(path)?)? {
            let entry = entry?;
            names.push((entry.file_name().into_vec(), entry.metadata()?.into()));
        }
        names.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(self.keep(Opened::Directory(names)))
    }

    /// The next names in order; none at the end.
    pub fn read_dir(&mut self, handle: &[u8]) -> Result<Names, Refusal> {
        match self.opened.get_mut(handle) {
            Some(Opened::Directory(names)) => {
                let left = names.len().saturating_sub(NAMES_AT_ONCE);
                let mut batch = names.split_off(left);
                batch.reverse();
                Ok(batch)
            }
            _ => Err(no_handle()),
        }
    }

    pub fn close(&mut self, handle: &[u8]) -> Result<(), Refusal> {
        self.opened.remove(handle).map(|_| ()).ok_or_else(no_handle)
    }

    /// At most `length` bytes; none at the end.
    pub fn read(&self, handle: &[u8], offset: u64, length: usize) -> Result<Vec<u8>, Refusal> {
        let mut data = vec![0; length];
        let count = self.file(handle)?.read_at(&mut data, offset)?;
        data.truncate(count);
        Ok(data)
    }

    pub fn write(&self, handle: &[u8], offset: u64, data: &[u8]) -> Result<(), Refusal> {
        Ok(self.file(handle)?.write_all_at(data, offset)?)
    }

    pub fn attributes_of(&self, handle: &[u8]) -> Result<Attributes, Refusal> {
        Ok(self.file(handle)?.metadata()?.into())
    }

    pub fn attributes(&self, path: &[u8]) -> Result<Attributes, Refusal> {
        Ok(fs::symlink_metadata(self.place(path)?)?.into())
    }

    pub fn remove(&self, path: &[u8]) -> Result<(), Refusal> {
        Ok(fs::remove_file(self.place(path)?)?)
    }

    pub fn make_dir(&self, path: &[u8]) -> Result<(), Refusal> {
        Ok(fs::create_dir(self.place(path)?)?)
    }

    pub fn remove_dir(&self, path: &[u8]) -> Result<(), Refusal> {
        Ok(fs::remove_dir(self.place(path)?)?)
    }

    pub fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Refusal> {
        Ok(fs::rename(self.place(from)?, self.place(to)?)?)
    }

    /// `path` as seen from the top, without attributes.
    pub fn real_path(path: &[u8]) -> (Vec<u8>, Attributes) {
        let path = path.strip_prefix(b".").unwrap_or(path);
        let path = path.strip_prefix(b"/").unwrap_or(path);
        ([b"/", path].concat(), Attributes { size: 0, permissions: 0o40755 })
    }

    fn file(&self, handle: &[u8]) -> Result<&File, Refusal> {
        match self.opened.get(handle) {
            Some(Opened::File(file)) => Ok(file),
            _ => Err(no_handle()),
        }
    }

    fn keep(&mut self, opened: Opened) -> Vec<u8> {
        self.count += 1;
        let handle = format!("handle {}", self.count).into_bytes();
        self.opened.insert(handle.clone(), opened);
        handle
    }

    /// Where `path` is; nothing is outside of the root.
    fn place(&self, path: &[u8]) -> Result<PathBuf, Refusal> {
        let root = self.root.as_ref().ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let inside = path.components().filter(|part| matches!(part, Component::Normal(_)));
        Ok(root.join(inside.collect::<PathBuf>()))
    }
}

fn no_handle() -> Refusal {
    Refusal { code: 4, text: "no such handle".into() }
}
