//! The file system as it is, for russh-sftp's server, which speaks SFTP but leaves all that a request means to its user.

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use russh_sftp::protocol::{Attrs, Data, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode};
use russh_sftp::server::{Handler, StatusReply};

const ENTRIES_AT_A_TIME: usize = 64;

enum Open {
    File(File),
    /// What has not been told of it yet.
    Directory(Vec<DirEntry>),
}

/// One client's.
#[derive(Default)]
pub struct Files {
    open: HashMap<String, Open>,
    opened: u64,
}

fn failure(error: io::Error) -> StatusReply {
    let code = match error.kind() {
        ErrorKind::NotFound => StatusCode::NoSuchFile,
        ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    };
    code.with_message(error.to_string())
}

fn done(id: u32) -> Status {
    let (error_message, language_tag) = ("Ok".to_string(), "en".to_string());
    Status { id, status_code: StatusCode::Ok, error_message, language_tag }
}

fn name(path: impl AsRef<Path>, attributes: FileAttributes) -> russh_sftp::protocol::File {
    russh_sftp::protocol::File::new(path.as_ref().to_string_lossy(), attributes)
}

/// russh-sftp's own conversion shows links and special files as regular ones.
fn attributes(found: &fs::Metadata) -> FileAttributes {
    FileAttributes { permissions: Some(found.permissions().mode()), ..found.into() }
}

/// Sets what is named. `open` opens what it is for, which changing a mode needs no right to.
fn set(
    attributes: &FileAttributes,
    open: impl Fn() -> io::Result<File>,
    set_mode: impl Fn(fs::Permissions) -> io::Result<()>,
) -> io::Result<()> {
    if let Some(size) = attributes.size {
        open()?.set_len(size)?;
    }
    if let Some(mode) = attributes.permissions {
        set_mode(PermissionsExt::from_mode(mode & 0o7777))?;
    }
    if let (Some(accessed), Some(modified)) = (attributes.atime, attributes.mtime) {
        let at = |seconds: u32| UNIX_EPOCH + Duration::from_secs(seconds.into());
        open()?.set_times(fs::FileTimes::new().set_accessed(at(accessed)).set_modified(at(modified)))?;
    }
    Ok(())
}

impl Files {
    fn add(&mut self, id: u32, open: Open) -> Handle {
        self.opened += 1;
        let handle = self.opened.to_string();
        self.open.insert(handle.clone(), open);
        Handle { id, handle }
    }

    fn file(&self, handle: &str) -> Result<&File, StatusReply> {
        match self.open.get(handle) {
            Some(Open::File(file)) => Ok(file),
            _ => Err(StatusCode::Failure.with_message("no such handle")),
        }
    }
}

impl Handler for Files {
    type Error = StatusReply;

    fn unimplemented(&self) -> StatusReply {
        StatusCode::OpUnsupported.into()
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        attrs: FileAttributes,
    ) -> Result<Handle, StatusReply> {
        let mut options = OpenOptions::from(pflags);
        options.mode(attrs.permissions.unwrap_or(0o666) & 0o7777);
        let file = options.open(filename).map_err(failure)?;
        Ok(self.add(id, Open::File(file)))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusReply> {
        match self.open.remove(&handle) {
            Some(_) => Ok(done(id)),
            None => Err(StatusCode::Failure.with_message("no such handle")),
        }
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, StatusReply> {
        let mut data = vec![0; len.min(256 << 10) as usize];
        let size = self.file(&handle)?.read_at(&mut data, offset).map_err(failure)?;
        if size == 0 {
            return Err(StatusCode::Eof.into());
        }
        data.truncate(size);
        Ok(Data { id, data })
    }

    async fn write(&mut self, id: u32, handle: String, offset: u64, data: Vec<u8>) -> Result<Status, StatusReply> {
        self.file(&handle)?.write_all_at(&data, offset).map(|()| done(id)).map_err(failure)
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusReply> {
        let found = fs::symlink_metadata(path).map_err(failure)?;
        Ok(Attrs { id, attrs: attributes(&found) })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusReply> {
        let found = fs::metadata(path).map_err(failure)?;
        Ok(Attrs { id, attrs: attributes(&found) })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusReply> {
        let found = self.file(&handle)?.metadata().map_err(failure)?;
        Ok(Attrs { id, attrs: attributes(&found) })
    }

    async fn setstat(&mut self, id: u32, path: String, attrs: FileAttributes) -> Result<Status, StatusReply> {
        let open = || OpenOptions::new().read(true).write(attrs.size.is_some()).open(&path);
        let set_mode = |mode| fs::set_permissions(&path, mode);
        set(&attrs, open, set_mode).map(|()| done(id)).map_err(failure)
    }

    async fn fsetstat(&mut self, id: u32, handle: String, attrs: FileAttributes) -> Result<Status, StatusReply> {
        let file = self.file(&handle)?;
        set(&attrs, || file.try_clone(), |mode| file.set_permissions(mode)).map(|()| done(id)).map_err(failure)
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusReply> {
        let entries = fs::read_dir(path).and_then(|entries| entries.collect()).map_err(failure)?;
        Ok(self.add(id, Open::Directory(entries)))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusReply> {
        let Some(Open::Directory(left)) = self.open.get_mut(&handle) else {
            return Err(StatusCode::Failure.with_message("no such handle"));
        };
        let told = left.split_off(left.len().saturating_sub(ENTRIES_AT_A_TIME));
        if told.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        let describe = |entry: DirEntry| Some(name(entry.file_name(), attributes(&entry.metadata().ok()?)));
        Ok(Name { id, files: told.into_iter().filter_map(describe).collect() })
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, StatusReply> {
        fs::remove_file(filename).map(|()| done(id)).map_err(failure)
    }

    async fn mkdir(&mut self, id: u32, path: String, attrs: FileAttributes) -> Result<Status, StatusReply> {
        let mode = attrs.permissions.unwrap_or(0o777) & 0o7777;
        fs::DirBuilder::new().mode(mode).create(path).map(|()| done(id)).map_err(failure)
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Result<Status, StatusReply> {
        fs::remove_dir(path).map(|()| done(id)).map_err(failure)
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusReply> {
        let path = fs::canonicalize(path).map_err(failure)?;
        Ok(Name { id, files: vec![name(path, FileAttributes::dummy())] })
    }

    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Result<Status, StatusReply> {
        if fs::symlink_metadata(&newpath).is_ok() {
            return Err(StatusCode::Failure.with_message("there is one of that name"));
        }
        fs::rename(oldpath, newpath).map(|()| done(id)).map_err(failure)
    }

    async fn readlink(&mut self, id: u32, path: String) -> Result<Name, StatusReply> {
        let target = fs::read_link(path).map_err(failure)?;
        Ok(Name { id, files: vec![name(target, FileAttributes::dummy())] })
    }

    async fn symlink(&mut self, id: u32, linkpath: String, targetpath: String) -> Result<Status, StatusReply> {
        std::os::unix::fs::symlink(targetpath, linkpath).map(|()| done(id)).map_err(failure)
    }
}
