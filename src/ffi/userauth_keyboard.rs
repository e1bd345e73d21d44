//! Logging in by answering questions.

use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

use zeroize::Zeroizing;

use crate::auth::{Keyboard, Questions, Round};
use crate::error::Result;
use crate::ffi::guard::size;
use crate::ffi::guard::{enter, field, null};
use crate::ffi::handle::SessionHandle;
use crate::ffi::types::{
    LIBSSH2_SESSION, LIBSSH2_USERAUTH_KBDINT_PROMPT, LIBSSH2_USERAUTH_KBDINT_RESPONSE,
    LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC,
};
use crate::ffi::userauth::{connected, take_secret};
use crate::memory::Add;
use crate::op::{Call, Owner, resume};

/// Logs in by answering what the server asks (RFC 4256, "keyboard-interactive").
///
/// username is username_len bytes, at most 34744. response_callback is called once for each round of questions, also
/// for a round without any; in non-blocking mode within the call in which the questions arrive. It is given the texts
/// that come before the questions, the questions, and as many answers, which are all empty: for each it stores a text
/// allocated with the session's allocator, which the library frees, and its length. A text that is empty is NULL; the
/// others are terminated as well. All of them live until the function returns. abstract is the session's.
///
/// Returns 0; LIBSSH2_ERROR_EAGAIN when it would have to wait in non-blocking mode, to be called again;
/// LIBSSH2_ERROR_AUTHENTICATION_FAILED when the server refuses; LIBSSH2_ERROR_BAD_USE without a response_callback;
/// LIBSSH2_ERROR_OUT_OF_BOUNDARY when the server asks more than 100 questions at once, or when user name or answers are
/// too long; LIBSSH2_ERROR_BUFFER_TOO_SMALL when its questions are malformed; LIBSSH2_ERROR_PROTO,
/// LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_TIMEOUT,
/// LIBSSH2_ERROR_ALLOC.
///
/// Requires: session is NULL or a session that has not been freed; username can be read; response_callback stores only
/// what the library may free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libssh2_userauth_keyboard_interactive_ex(
    session: *mut LIBSSH2_SESSION,
    username: *const c_char,
    username_len: c_uint,
    response_callback: LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC,
) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe {
        enter(session, |session| {
            let user = field(username, size(username_len))?;
            response_callback.ok_or_else(null)?;
            connected(session)?;
            let mut answers: Option<Vec<Zeroizing<Vec<u8>>>> = None;
            loop {
                let round =
                    resume(&session.core, session, Owner::Session, Call::UserauthKeyboard, |core| match &answers {
                        None => Keyboard::begin(core, user),
                        Some(answers) => Keyboard::answer(core, answers),
                    })?;
                match round {
                    Round::Accepted => return Ok(0),
                    Round::Asked(questions) => answers = Some(ask(session, response_callback, questions)?),
                }
            }
        })
    }
}

/// Has the program's function answer; nothing of the session is borrowed meanwhile.
///
/// # Safety
/// `respond` is a function of the program's of that type, which stores only what its allocator gave.
unsafe fn ask(
    session: &SessionHandle,
    respond: LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC,
    mut questions: Questions,
) -> Result<Vec<Zeroizing<Vec<u8>>>> {
    let respond = respond.ok_or_else(null)?;
    let (name_len, instruction_len) = (int(questions.name.len()), int(questions.instruction.len()));
    let (name, instruction) = (terminated(&mut questions.name)?, terminated(&mut questions.instruction)?);
    let (mut prompts, mut responses) = (Vec::new(), Vec::new());
    for prompt in &mut questions.prompts {
        let length = prompt.text.len();
        prompts.add(LIBSSH2_USERAUTH_KBDINT_PROMPT {
            text: terminated(&mut prompt.text)?,
            length,
            echo: u8::from(prompt.echo),
        })?;
        responses.add(LIBSSH2_USERAUTH_KBDINT_RESPONSE { text: ptr::null_mut(), length: 0 })?;
    }
    let mut answers = Vec::new();
    answers.room(responses.len())?;
    let (questions_at, answers_at) = match prompts.len() {
        0 => (ptr::null(), ptr::null_mut()),
        _ => (prompts.as_ptr(), responses.as_mut_ptr()),
    };
    // SAFETY: as promised by the caller. All texts are terminated and live longer than the call, and there are as many
    // questions and answers as stated.
    unsafe {
        respond(
            name.cast(),
            name_len,
            instruction.cast(),
            instruction_len,
            int(prompts.len()),
            questions_at,
            answers_at,
            session.r#abstract.address(),
        );
    }
    // All of them are taken, so that all are freed.
    let mut failed = None;
    for response in &responses {
        // SAFETY: the function has stored these, as promised by the caller.
        match unsafe { take_secret(session, response.text, size(response.length)) }
            .and_then(|answer| answers.add(answer))
        {
            Ok(()) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(answers), Err)
}

/// Puts a NUL behind a text, for programs that look for one: where it lies, NULL if it is empty.
fn terminated(text: &mut Vec<u8>) -> Result<*mut u8> {
    if text.is_empty() {
        return Ok(ptr::null_mut());
    }
    text.add(0)?;
    Ok(text.as_mut_ptr())
}

fn int(length: usize) -> c_int {
    c_int::try_from(length).unwrap_or(c_int::MAX)
}
