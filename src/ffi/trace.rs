//! Showing what a session does.

use std::ffi::{c_int, c_void};

use crate::ffi::guard::enter;
use crate::ffi::types::{LIBSSH2_SESSION, libssh2_trace_handler_func};
use crate::op::with;

/// Shows what the session does from now on, line by line: on standard error, or to the program's own function, see
/// libssh2_trace_sethandler(). Of a login no more is shown than its user and its method, and never what is transferred.
///
/// bitmask names what to show, LIBSSH2_TRACE_ numbers or-ed together; 0 shows nothing, as it is at first. Each line
/// begins with `[libssh2]`, the seconds since tracing was switched on, and what it is about.
///
/// Returns 0, also when session is NULL.
///
/// Requires: session is NULL or a session that has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_trace(session: *mut LIBSSH2_SESSION, bitmask: c_int) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            with(&session.core, |core| {
                core.transport.tx.trace.set(bitmask.cast_unsigned());
                Ok(())
            })?;
            session.tracer.switch(bitmask != 0);
            Ok(0)
        });
    }
    0
}

/// Has callback called for each line of the trace, instead of writing it to standard error; NULL for that again. See
/// libssh2_trace() for what is traced.
///
/// callback is given the session, context as it is, and the line and its length: neither terminated nor with a line end,
/// and valid during the call only. It may call the functions of the session that do not talk to the server.
///
/// Returns 0, also when session is NULL.
///
/// Requires: session is NULL or a session that has not been freed; callback can be called until it is replaced or the
/// session freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_trace_sethandler(
    session: *mut LIBSSH2_SESSION,
    context: *mut c_void,
    callback: libssh2_trace_handler_func,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            session.tracer.set_handler(callback, context);
            Ok(0)
        });
    }
    0
}
