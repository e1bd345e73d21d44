//! Asking the user questions, RFC 4256.

use ssh2::transport::message;
use ssh2::wire::{Put, Reader};

use crate::end::Result;
use crate::fault::{Fault, Stage};
use crate::link::Link;

/// One round of questions with the right answers. On the command line: questions parted by commas, each a text and an
/// answer with `=` between them, and `+` before the text of one whose answer may be shown. `-` is a round without any.
#[derive(Clone, Debug)]
pub struct Round(Vec<Question>);

#[derive(Clone, Debug)]
struct Question {
    text: String,
    answer: String,
    echo: bool,
}

impl Round {
    pub fn parse(text: &str) -> Option<Self> {
        if text == "-" {
            return Some(Self(Vec::new()));
        }
        let question = |text: &str| {
            let (text, answer) = text.split_once('=')?;
            let echo = text.starts_with('+');
            Some(Question { text: text.trim_start_matches('+').into(), answer: answer.into(), echo })
        };
        text.split(',').map(question).collect::<Option<_>>().map(Self)
    }

    /// Asks them. The first round has neither a title nor an instruction.
    fn ask(&self, link: &mut Link, number: usize) -> Result<()> {
        let (name, instruction) = match number {
            0 => (String::new(), String::new()),
            _ => (format!("Round {}", number + 1), "Answer\nthese".to_owned()),
        };
        let mut packet = vec![message::USERAUTH_INFO_REQUEST];
        for text in [&name, &instruction, ""] {
            packet.put_string(text.as_bytes())?;
        }
        let many = link.occasion.strikes(Fault::AskTooMany);
        packet.put_u32(if many { 0x1000_0000 } else { self.0.len() as u32 })?;
        for question in &self.0 {
            packet.put_string(question.text.as_bytes())?;
            packet.put_boolean(question.echo)?;
        }
        link.send(Stage::Auth, &packet)
    }

    fn is_right(&self, mut answers: Reader<'_>) -> Result<bool> {
        let mut right = answers.u32()? as usize == self.0.len();
        for question in &self.0 {
            right &= answers.string()? == question.answer.as_bytes();
        }
        Ok(right && answers.is_empty())
    }
}

/// How far the conversation has come.
pub struct Keyboard<'a> {
    rounds: &'a [Round],
    asked: Option<usize>,
}

/// What an answer makes of it.
pub enum Progress {
    /// There is one more round, which has been asked.
    Asked,
    /// All is well.
    Accepted,
    /// It is not.
    Refused,
}

impl<'a> Keyboard<'a> {
    pub const fn new(rounds: &'a [Round]) -> Self {
        Self { rounds, asked: None }
    }

    /// Forgets what was under way.
    pub fn stop(&mut self) {
        self.asked = None;
    }

    /// Asks the first round.
    pub fn begin(&mut self, link: &mut Link) -> Result<Progress> {
        self.ask(link, 0)
    }

    /// Judges the answers to the last round, behind the number of the message.
    pub fn on_answers(&mut self, link: &mut Link, answers: Reader<'_>) -> Result<Progress> {
        let Some(asked) = self.asked.take() else { return Err(link.disconnect(2, b"nobody asked")?) };
        if self.rounds[asked].is_right(answers)? { self.ask(link, asked + 1) } else { Ok(Progress::Refused) }
    }

    fn ask(&mut self, link: &mut Link, number: usize) -> Result<Progress> {
        match self.rounds.get(number) {
            Some(round) => {
                round.ask(link, number)?;
                self.asked = Some(number);
                Ok(Progress::Asked)
            }
            None if number == 0 => Ok(Progress::Refused),
            None => Ok(Progress::Accepted),
        }
    }
}
