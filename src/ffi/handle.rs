//! What C's opaque pointers point to.
//!
//! A session is one block of the program's memory. Everything that hangs off a session is a small tagged box: its
//! session, and the id of what it stands for. The ids are stale once that is gone, so a handle kept too long is
//! refused. Boxes of freed handles rest before they are used again, so that freeing twice is noticed too.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::ffi::{CString, c_int};
use std::ptr;
use std::time::Instant;

use crate::channel::{ChannelId, ListenerId};
use crate::crypto::Digest;
use crate::error::Result;
use crate::ffi::alloc::{Abstract, Allocator};
use crate::ffi::callback::Callbacks;
use crate::ffi::last_error::LastError;
use crate::ffi::tracer::Tracer;
use crate::memory::{self, Add};
use crate::op::{reentered, with};
use crate::publickey::PublickeyId;
use crate::session::Session;
use crate::sftp::{FileId, SftpId};

/// Handles that were freed rest for so many others before they are used again.
const REST: usize = 256;

/// Tells what a pointer of C points to; the first field of every kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Tag {
    /// `LIBSSH2_SESSION`
    Session = 0x5332_5353,
    /// [`Child`]
    Child = 0x5332_4348,
    /// `LIBSSH2_KNOWNHOSTS`
    KnownHosts = 0x5332_4b48,
    /// `LIBSSH2_AGENT`
    Agent = 0x5332_4147,
}

/// What `LIBSSH2_SESSION *` points to. Everything in it is behind a cell: C may come back from a callback.
#[repr(C)]
pub struct SessionHandle {
    tag: Cell<u32>,
    /// How many calls of the program are inside, one within another's callback.
    depth: Cell<u32>,
    /// When the innermost of them began, as far as anybody wanted to know.
    began: Cell<Option<Instant>>,
    /// A panic has been caught: nothing in here can be relied on.
    pub poisoned: Cell<bool>,
    /// The program's allocator.
    pub allocator: Allocator,
    /// The program's pointer.
    pub r#abstract: Abstract,
    /// The program's functions.
    pub callbacks: Callbacks,
    /// The connection.
    pub core: RefCell<Session>,
    /// The socket, or -1 before the handshake.
    pub socket: Cell<c_int>,
    /// The socket was in blocking mode before the handshake.
    pub was_blocking: Cell<bool>,
    /// What `libssh2_session_last_error` tells.
    pub last_error: LastError,
    /// Where the trace goes.
    pub tracer: Tracer,
    /// Texts that C has been lent.
    pub lent: LentTexts,
    children: RefCell<Children>,
}

/// Texts and bytes that belong to the session and that C may look at.
#[derive(Default)]
pub struct LentTexts {
    /// The server's identification.
    pub ident: OnceCell<CString>,
    /// The methods of the last `libssh2_userauth_list`.
    pub methods: RefCell<Option<CString>>,
    /// The server's banner.
    pub banner: RefCell<Option<CString>>,
    /// The fingerprints of the host key by MD5, SHA-1 and SHA-256.
    pub fingerprints: [OnceCell<Digest>; 3],
}

impl SessionHandle {
    /// A session that is not connected.
    pub fn new(allocator: Allocator, r#abstract: Abstract, core: Session) -> Self {
        Self {
            tag: Cell::new(Tag::Session as u32),
            depth: Cell::new(0),
            began: Cell::new(None),
            poisoned: Cell::new(false),
            allocator,
            r#abstract,
            callbacks: Callbacks::default(),
            core: RefCell::new(core),
            socket: Cell::new(-1),
            was_blocking: Cell::new(false),
            last_error: LastError::default(),
            tracer: Tracer::default(),
            lent: LentTexts::default(),
            children: RefCell::default(),
        }
    }

    /// The session behind a pointer of C; `None` for NULL and for what is no session.
    ///
    /// # Safety
    /// `pointer` is NULL or points to a handle of this library that is alive during `'a`.
    pub unsafe fn from_pointer<'a>(pointer: *const Self) -> Option<&'a Self> {
        // SAFETY: every handle of this library begins with a tag.
        let tag = unsafe { pointer.cast::<Cell<u32>>().as_ref() }?.get();
        if tag != Tag::Session as u32 {
            return None;
        }
        // SAFETY: the tag says that it is a session, and the caller that it is alive. All of it is shared or in cells.
        unsafe { pointer.as_ref() }
    }

    /// A call of the program is inside as long as the result lives.
    pub fn inside(&self) -> Inside<'_> {
        self.depth.set(self.depth.get().saturating_add(1));
        Inside { session: self, outer: self.began.take() }
    }

    /// When the call of the program that is inside began, or did something that takes time.
    pub fn began(&self) -> Instant {
        let began = self.began.get().unwrap_or_else(Instant::now);
        self.began.set(Some(began));
        began
    }

    /// Whether a call of the program is inside.
    pub const fn is_in_use(&self) -> bool {
        self.depth.get() > 0
    }

    /// The handle is not a session any more.
    pub fn bury(&self) {
        self.tag.set(0);
    }

    /// Refuses what ends a handle within the program's own send or receive function, where nothing of it can be done.
    pub fn may_move(&self) -> Result<()> {
        with(&self.core, |core| core.may_move())
    }

    /// Sees to it that there is memory for the handle of what is about to begin.
    pub fn expect_handle(&self) -> Result<()> {
        let mut children = self.children.try_borrow_mut().map_err(|_| reentered())?;
        if children.spare.is_none() {
            let rested = if children.resting.len() < REST { None } else { children.resting.pop_front() };
            children.spare = Some(match rested {
                Some(child) => child,
                None => children.make(self)?,
            });
        }
        Ok(())
    }

    /// A new handle for `target`.
    pub fn adopt(&self, target: Target) -> Result<*mut Child> {
        self.expect_handle()?;
        let child = self.children.try_borrow_mut().map_err(|_| reentered())?.spare.take().unwrap_or(ptr::null_mut());
        // SAFETY: the boxes of a session live as long as the session, see `Children`.
        if let Some(child) = unsafe { child.as_ref() } {
            child.target.set(target);
            child.r#abstract.clear();
            with(&self.core, |core| introduce(core, target, Some(child.number)))?;
        }
        Ok(child)
    }

    /// The handle of that number.
    pub fn child(&self, number: usize) -> Option<&Child> {
        let children = self.children.try_borrow().ok()?;
        // SAFETY: the boxes of a session live as long as the session, see `Children`.
        unsafe { children.all.get(number)?.as_ref() }
    }

    /// The handle for that channel, if it has one.
    pub fn handle_of_channel(&self, channel: ChannelId) -> Option<&Child> {
        self.child(with(&self.core, |core| Ok(core.channels.get(channel)?.handle)).ok()??)
    }

    /// The handle for that SFTP conversation, if it has one.
    pub fn handle_of_sftp(&self, sftp: SftpId) -> Option<&Child> {
        self.child(with(&self.core, |core| Ok(core.sftps.get(sftp)?.handle)).ok()??)
    }

    /// The handle is freed: it stands for nothing from now on.
    pub fn release(&self, child: &Child) {
        let target = child.target.replace(Target::Nothing);
        if target == Target::Nothing {
            // A callback has been faster.
            return;
        }
        // Mostly what it stood for is gone already.
        with(&self.core, |core| introduce(core, target, None)).ok();
        if let Ok(mut children) = self.children.try_borrow_mut() {
            // There is room for all of them.
            let _ = children.resting.add(child.pointer());
        }
    }
}

/// Tells a thing by which handle the program knows it.
fn introduce(core: &mut Session, target: Target, handle: Option<usize>) -> Result<()> {
    match target {
        Target::Channel(id) => core.channels.set_handle(id, handle),
        Target::Listener(id) => core.channels.listeners.set_handle(id, handle),
        Target::Sftp(id) => {
            core.sftps.get(id)?.handle = handle;
            Ok(())
        }
        Target::Nothing | Target::File(_) | Target::Publickey(_) => Ok(()),
    }
}

/// A call of the program that is inside a session.
pub struct Inside<'a> {
    session: &'a SessionHandle,
    /// When the call around it began.
    outer: Option<Instant>,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.session.depth.set(self.session.depth.get().saturating_sub(1));
        self.session.began.set(self.outer);
    }
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// It has been freed.
    Nothing,
    /// `LIBSSH2_CHANNEL`
    Channel(ChannelId),
    /// `LIBSSH2_LISTENER`
    Listener(ListenerId),
    /// `LIBSSH2_SFTP`
    Sftp(SftpId),
    /// `LIBSSH2_SFTP_HANDLE`
    File(FileId),
    /// `LIBSSH2_PUBLICKEY`
    Publickey(PublickeyId),
}

/// What every other pointer of C points to.
#[repr(C)]
pub struct Child {
    tag: Cell<u32>,
    session: *const SessionHandle,
    /// Where it stands among those of the session.
    number: usize,
    target: Cell<Target>,
    /// The program's pointer.
    pub r#abstract: Abstract,
}

impl Child {
    /// The handle behind a pointer of C and its session; `None` for NULL and for what is no such handle.
    ///
    /// # Safety
    /// `pointer` is NULL or points to a handle of this library whose session is alive during `'a`.
    pub unsafe fn from_pointer<'a>(pointer: *const Self) -> Option<(&'a SessionHandle, &'a Self)> {
        // SAFETY: every handle of this library begins with a tag, and stays memory of its session when it is freed.
        let tag = unsafe { pointer.cast::<Cell<u32>>().as_ref() }?.get();
        if tag != Tag::Child as u32 {
            return None;
        }
        // SAFETY: the tag says that it is such a handle.
        let child = unsafe { pointer.as_ref() }?;
        // SAFETY: the session owns the handle, so it is alive.
        let session = unsafe { SessionHandle::from_pointer(child.session) }?;
        Some((session, child))
    }

    /// The pointer that C has.
    pub fn pointer(&self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }

    /// What it stands for.
    pub fn target(&self) -> Target {
        self.target.get()
    }
}

/// The boxes of a session. They are freed with it and not before.
#[derive(Default)]
struct Children {
    all: Vec<*mut Child>,
    /// The next one to be used.
    spare: Option<*mut Child>,
    resting: VecDeque<*mut Child>,
}

impl Children {
    fn make(&mut self, session: &SessionHandle) -> Result<*mut Child> {
        self.all.room(1)?;
        self.resting.room(self.all.len().saturating_add(1).saturating_sub(self.resting.len()))?;
        let child = Box::into_raw(memory::boxed(Child {
            tag: Cell::new(Tag::Child as u32),
            session,
            number: self.all.len(),
            target: Cell::new(Target::Nothing),
            r#abstract: Abstract::new(ptr::null_mut()),
        })?);
        self.all.add(child)?;
        Ok(child)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in self.all.drain(..) {
            // SAFETY: it came from `Box::into_raw` and is dropped only here.
            drop(unsafe { Box::from_raw(child) });
        }
    }
}

/// What can be the [`Own`] handle of a program.
pub trait Owned {
    /// Its kind.
    const TAG: Tag;
}

/// What a pointer of C points to that a program frees by itself, be it before or after its session.
#[repr(C)]
pub struct Own<T> {
    tag: Cell<u32>,
    /// How many calls are inside: one that runs functions of the program may meet that the handle is freed there.
    uses: Cell<usize>,
    session: *const SessionHandle,
    content: T,
}

/// A use of a handle, which stays where it is meanwhile.
pub struct Use<T>(*mut Own<T>);

impl<T> Drop for Use<T> {
    fn drop(&mut self) {
        // SAFETY: what is used is not freed.
        let own = unsafe { &*self.0 };
        own.uses.set(own.uses.get().saturating_sub(1));
        if own.uses.get() == 0 && own.tag.get() == 0 {
            // SAFETY: it came from `create`; `destroy` has left it to its last use, which this is.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }
}

impl<T: Owned> Own<T> {
    /// A new handle.
    pub fn create(session: &SessionHandle, content: T) -> Result<*mut Self> {
        Ok(Box::into_raw(memory::boxed(Self { tag: Cell::new(T::TAG as u32), uses: Cell::new(0), session, content })?))
    }

    /// The handle behind a pointer of C; `None` for NULL and for what is no such handle.
    ///
    /// # Safety
    /// `pointer` is NULL or points to a handle of this library that is alive during `'a`.
    pub unsafe fn from_pointer<'a>(pointer: *const Self) -> Option<&'a Self> {
        // SAFETY: every handle of this library begins with a tag.
        let tag = unsafe { pointer.cast::<Cell<u32>>().as_ref() }?.get();
        if tag != T::TAG as u32 {
            return None;
        }
        // SAFETY: the tag says that it is such a handle, and the caller that it is alive.
        unsafe { pointer.as_ref() }
    }

    /// The session that it was made for.
    ///
    /// # Safety
    /// That session is alive during `'a`.
    pub unsafe fn session<'a>(&self) -> Option<&'a SessionHandle> {
        // SAFETY: as promised by the caller.
        unsafe { SessionHandle::from_pointer(self.session) }
    }

    /// What it stands for.
    pub const fn content(&self) -> &T {
        &self.content
    }

    /// Keeps a handle where it is until what this returns is dropped.
    ///
    /// # Safety
    /// `pointer` points to a handle of this type that is alive now.
    pub unsafe fn hold(pointer: *mut Self) -> Use<T> {
        // SAFETY: as promised by the caller.
        let uses = unsafe { &(*pointer).uses };
        uses.set(uses.get().saturating_add(1));
        Use(pointer)
    }

    /// Frees a handle, once nobody uses it any more; its session is not looked at.
    ///
    /// # Safety
    /// As for [`Own::from_pointer`].
    pub unsafe fn destroy(pointer: *mut Self) {
        // SAFETY: as promised by the caller.
        if let Some(own) = unsafe { Self::from_pointer(pointer) } {
            own.tag.set(0);
            // SAFETY: it is such a handle, as its tag has said. Its last use frees it, which may be this one.
            drop(unsafe { Self::hold(pointer) });
        }
    }
}
