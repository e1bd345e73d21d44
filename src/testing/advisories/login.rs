//! Logins.

use zeroize::Zeroizing;

use super::{Client, code, packet, strings};
use crate::auth::{Answer, Keyboard, Password};
use crate::error::Code;
use crate::transport::message;

#[test]
fn cve_2019_3856_more_prompts_than_memory() {
    for count in [101, 0x0aaa_aaab, 0x1000_0001, u32::MAX] {
        let mut client = Client::new();
        let mut keyboard = Keyboard::begin(&mut client.session, b"user").unwrap();
        assert!(client.waits(&mut keyboard));
        client.hear(&[&packet(message::USERAUTH_INFO_REQUEST, &[0, 0, 0, count])[..], &[0; 500]].concat()).unwrap();
        assert_eq!(code(client.finish(&mut keyboard)), Some(Code::OutOfBoundary));
        // Another login can be tried.
        assert!(Password::begin(&mut client.session, b"user", b"password").is_ok());
    }
}

#[test]
fn cve_2019_3863_answers_whose_lengths_add_up_to_too_much() {
    let mut client = Client::new();
    for (count, length) in [(1, 40_000), (100, 34_000), (2, 17_400)] {
        let answers = vec![Zeroizing::new(vec![b'x'; length]); count];
        assert_eq!(code(Keyboard::answer(&mut client.session, &answers)), Some(Code::OutOfBoundary));
    }
    assert!(Keyboard::answer(&mut client.session, &vec![Zeroizing::new(vec![b'x'; 300]); 100]).is_ok());
}

#[test]
fn cve_2026_7598_names_and_passwords_whose_lengths_add_up_to_too_much() {
    let long = vec![b'x'; 34_745];
    let longest = &long[..34_744];
    let begin = |user: &[u8], password: &[u8]| code(Password::begin(&mut Client::new().session, user, password));
    assert_eq!(begin(&long, b""), Some(Code::OutOfBoundary));
    assert_eq!(begin(b"", &long), Some(Code::OutOfBoundary));
    assert_eq!(begin(&long, &long), Some(Code::OutOfBoundary));
    assert_eq!(begin(longest, longest), None);
    let mut client = Client::new();
    assert_eq!(code(Password::change(&mut client.session, b"", b"", &long)), Some(Code::OutOfBoundary));
}

/// The packets of a login as they should be, each cut anywhere.
#[test]
fn cve_2019_3859_login_messages_shorter_than_their_fields() {
    let text = |number: u8| strings(&[number], &[b"text"]);
    for (whole, needed) in [
        (text(message::USERAUTH_FAILURE), 9),
        (text(message::USERAUTH_BANNER), 9),
        (vec![message::USERAUTH_SUCCESS], 1),
    ] {
        for length in 1..=whole.len() {
            let mut client = Client::new();
            let mut password = Password::begin(&mut client.session, b"user", b"password").unwrap();
            let heard = client.hear(&whole[..length]);
            assert_eq!(code(heard), (length < needed).then_some(Code::Proto), "{whole:?} {length}");
            if length < needed {
                assert_eq!(code(client.finish(&mut password)), Some(Code::Proto));
            }
        }
    }
    // What the user is told when a password has expired is left out where it is cut.
    let request = strings(&[message::USERAUTH_PASSWD_CHANGEREQ], &[b"text", b""]);
    for length in 1..request.len() {
        let mut client = Client::new();
        let mut password = Password::begin(&mut client.session, b"user", b"password").unwrap();
        client.hear(&request[..length]).unwrap();
        let words = if length < 9 { Vec::new() } else { b"text".to_vec() };
        assert_eq!(client.finish(&mut password), Ok(Answer::ChangeRequested(words)), "{length}");
    }
}
