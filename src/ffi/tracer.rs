//! The trace on its way to the program.

use std::cell::Cell;
use std::ffi::c_void;
use std::io::Write;
use std::time::Instant;

use crate::error::{Code, Error, Result};
use crate::ffi::handle::SessionHandle;
use crate::ffi::types::libssh2_trace_handler_func;
use crate::op::with;
use crate::trace::{Line, Topic};
use crate::wire::Put;

/// Where the lines of the trace go.
pub struct Tracer {
    /// When tracing was switched on first; `None` while it is off.
    since: Cell<Option<Instant>>,
    handler: Cell<libssh2_trace_handler_func>,
    context: Cell<*mut c_void>,
    /// The program is being told: what it does meanwhile it is told later.
    telling: Cell<bool>,
}

impl Default for Tracer {
    fn default() -> Self {
        Self {
            since: Cell::new(None),
            handler: Cell::new(None),
            context: Cell::new(std::ptr::null_mut()),
            telling: Cell::new(false),
        }
    }
}

impl Tracer {
    /// Whether there is something to tell.
    pub fn switch(&self, on: bool) {
        let since = self.since.get().unwrap_or_else(Instant::now);
        self.since.set(on.then_some(since));
    }

    /// Whom to tell.
    pub fn set_handler(&self, handler: libssh2_trace_handler_func, context: *mut c_void) {
        self.handler.set(handler);
        self.context.set(context);
    }
}

impl SessionHandle {
    /// Tells the program what has been traced, and the failure of a call that is over. One that would block has not
    /// failed. The program's function is not told of what it calls itself, which would go on for ever.
    pub fn tell_trace(&self, failure: Option<&Error>) {
        let Some(since) = self.tracer.since.get() else { return };
        if self.tracer.telling.replace(true) {
            return;
        }
        let lines = with(&self.core, |core| {
            let trace = &mut core.transport.tx.trace;
            if let Some(error) = failure.filter(|error| error.code != Code::Eagain) {
                trace.say(Topic::Error, format_args!("{}, {error}", error.code.number()));
            }
            Ok(trace.take())
        });
        for line in &lines.unwrap_or_default() {
            // A line for which there is no memory is not shown.
            let _no_memory = self.show(since, line);
        }
        self.tracer.telling.set(false);
    }

    fn show(&self, since: Instant, line: &Line) -> Result<()> {
        let mut text = Vec::new();
        let (time, topic) = (since.elapsed(), line.topic.name());
        text.put_text(format_args!("[libssh2] {}.{:06} {topic}: ", time.as_secs(), time.subsec_micros()))?;
        text.put(&line.text)?;
        match self.tracer.handler.get() {
            // SAFETY: the program has set the function for this; session and text are alive, and nothing of the session
            // is borrowed.
            Some(handler) => unsafe {
                let session = std::ptr::from_ref(self).cast_mut().cast();
                handler(session, self.tracer.context.get(), text.as_ptr().cast(), text.len());
            },
            None => {
                text.put(b"\n")?;
                // Nobody looks at standard error.
                let _closed = std::io::stderr().write_all(&text);
            }
        }
        Ok(())
    }
}
