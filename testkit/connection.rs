//! One client from its first byte to its last.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Duration;

use ssh2::transport::message;
use ssh2::wire::{Put, Reader};

use crate::auth::Auth;
use crate::channel::Channel;
use crate::end::{End, Result};
use crate::fault::{Fault, Stage};
use crate::identity::KeyTexts;
use crate::kex::Kex;
use crate::link::Link;
use crate::options::Options;

/// How long more requests are waited for while replies are held back to be shuffled.
const GATHER: Duration = Duration::from_millis(15);

struct Connection<'a> {
    options: &'a Options,
    kex: Kex<'a>,
    auth: Auth<'a>,
    channels: BTreeMap<u32, Channel>,
    opened: u32,
}

/// Serves a client until it goes, or something ends it.
pub fn serve(socket: TcpStream, options: &Options, keys: &KeyTexts) -> Result<()> {
    let identity = keys.read()?;
    let mut link = Link::new(socket, options)?;
    let kex = Kex::begin(options, &identity, &mut link)?;
    let mut connection = Connection { options, kex, auth: Auth::new(options), channels: BTreeMap::new(), opened: 0 };
    loop {
        connection.release_held(&mut link)?;
        let packet = link.next()?;
        connection.dispatch(&mut link, &packet)?;
        if let Some(held) = link.take_held() {
            connection.kex.again(&mut link, None)?;
            held.iter().try_for_each(|packet| link.send_now(packet))?;
        }
        if options.rekey.is_some_and(|bytes| link.moved > bytes) {
            connection.kex.again(&mut link, None)?;
        }
    }
}

impl Connection<'_> {
    fn dispatch(&mut self, link: &mut Link, packet: &[u8]) -> Result<()> {
        let mut reader = Reader::new(packet);
        match reader.u8()? {
            message::KEXINIT => self.kex.again(link, Some(packet.to_vec())),
            message::IGNORE | message::DEBUG | message::UNIMPLEMENTED => Ok(()),
            message::SERVICE_REQUEST => self.auth.on_service(link, packet),
            message::USERAUTH_REQUEST => self.auth.on_request(link, self.kex.session_id(), packet),
            message::USERAUTH_INFO_RESPONSE => self.auth.on_answers(link, packet),
            _ if !self.auth.done => Err(link.disconnect(2, b"log in first")?),
            message::GLOBAL_REQUEST => on_global_request(link, reader),
            message::REQUEST_SUCCESS | message::REQUEST_FAILURE | message::CHANNEL_OPEN_FAILURE => Ok(()),
            message::CHANNEL_OPEN => self.open(link, reader),
            kind @ message::CHANNEL_WINDOW_ADJUST..=message::CHANNEL_FAILURE => {
                let number = reader.u32()?;
                let Some(channel) = self.channels.get_mut(&number) else {
                    return Err(link.disconnect(2, b"that channel does not exist")?);
                };
                if !channel.on_packet(link, kind, reader)? {
                    self.channels.remove(&number);
                }
                Ok(())
            }
            number => Err(End::new(format!("the client sent message {number}"))),
        }
    }

    fn open(&mut self, link: &mut Link, mut reader: Reader<'_>) -> Result<()> {
        let kind = reader.string()?;
        let (theirs, window, packet) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let refusals = [Fault::OpenRefused1, Fault::OpenRefused2, Fault::OpenRefused3, Fault::OpenRefused4];
        let refusal = link.occasion.strikes_one_of(&refusals);
        let reason = match refusal.and_then(|found| refusals.iter().position(|fault| *fault == found)) {
            Some(index) => index as u32 + 1,
            None if kind != b"session" => 3,
            None => 0,
        };
        let mut answer = Vec::new();
        if reason > 0 {
            answer.put_u8(message::CHANNEL_OPEN_FAILURE)?;
            answer.put_u32(theirs)?;
            answer.put_u32(reason)?;
            answer.put_string(b"the server's reason")?;
            answer.put_string(b"en")?;
            return link.send(Stage::Open, &answer);
        }
        let number = self.opened + 40;
        self.opened += 1;
        self.channels.insert(number, Channel::new(self.options, theirs, window, packet));
        let zero = link.occasion.strikes(Fault::OpenPacketZero);
        answer.put_u8(message::CHANNEL_OPEN_CONFIRMATION)?;
        answer.put_u32(theirs)?;
        answer.put_u32(number)?;
        answer.put_u32(self.options.window)?;
        answer.put_u32(if zero { 0 } else { self.options.packet })?;
        link.send(Stage::Open, &answer)?;
        if link.occasion.strikes(Fault::OpenTwice) {
            link.send_now(&answer)?;
        }
        Ok(())
    }

    /// Lets held replies go, once no more requests come.
    fn release_held(&mut self, link: &mut Link) -> Result<()> {
        if self.channels.values().any(Channel::holds_replies) && !link.has_input_within(GATHER)? {
            self.channels.values_mut().try_for_each(|channel| channel.release(link))?;
        }
        Ok(())
    }
}

fn on_global_request(link: &mut Link, mut reader: Reader<'_>) -> Result<()> {
    reader.string()?;
    if reader.boolean()? { link.send(Stage::Other, &[message::REQUEST_FAILURE]) } else { Ok(()) }
}
