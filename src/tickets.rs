//! Replies that carry no name of their own and come in the order of their requests: authentication (RFC 4252), global
//! and channel requests (RFC 4254 sections 4 and 5.4). Each request gets a ticket, and its reply is found by it.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

use crate::error::Result;
use crate::memory::Add;

/// Stands for one request whose reply is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// The replies expected, oldest first.
#[derive(Debug)]
pub struct Tickets<T> {
    /// The number of the ticket at the front.
    first: u64,
    asked: VecDeque<Asked<T>>,
}

#[derive(Debug)]
enum Asked<T> {
    Waiting,
    /// Nobody wants the reply any more, but it will come.
    Abandoned,
    Answered(T),
    Taken,
}

impl<T> Default for Tickets<T> {
    fn default() -> Self {
        Self { first: 0, asked: VecDeque::new() }
    }
}

impl<T> Tickets<T> {
    /// Makes room for one request more, before it is queued.
    pub fn room(&mut self) -> Result<()> {
        self.asked.room(1)
    }

    /// A request has been queued.
    pub fn ask(&mut self) -> Ticket {
        let number = self.first.wrapping_add(u64::try_from(self.asked.len()).unwrap_or_default());
        // There is room for it.
        let _ = self.asked.add(Asked::Waiting);
        Ticket(number)
    }

    /// A reply has come: it belongs to the oldest request without one. `false` if there is no such request.
    pub fn answer(&mut self, reply: T) -> bool {
        let Some(oldest) = self.asked.iter_mut().find(|asked| matches!(asked, Asked::Waiting | Asked::Abandoned))
        else {
            return false;
        };
        *oldest = if matches!(oldest, Asked::Abandoned) { Asked::Taken } else { Asked::Answered(reply) };
        self.tidy();
        true
    }

    /// The reply to that request, if it has come. It is handed out once.
    pub fn take(&mut self, ticket: Ticket) -> Option<T> {
        let slot = self.slot(ticket)?;
        if !matches!(slot, Asked::Answered(_)) {
            return None;
        }
        let Asked::Answered(reply) = std::mem::replace(slot, Asked::Taken) else { return None };
        self.tidy();
        Some(reply)
    }

    /// Nobody will ask for that reply any more.
    pub fn abandon(&mut self, ticket: Ticket) {
        if let Some(slot) = self.slot(ticket) {
            *slot = if matches!(slot, Asked::Waiting) { Asked::Abandoned } else { Asked::Taken };
        }
        self.tidy();
    }

    /// Nobody will ask for any of the replies that are still to come.
    pub fn abandon_all(&mut self) {
        for asked in &mut self.asked {
            *asked = if matches!(asked, Asked::Waiting | Asked::Abandoned) { Asked::Abandoned } else { Asked::Taken };
        }
        self.tidy();
    }

    fn slot(&mut self, ticket: Ticket) -> Option<&mut Asked<T>> {
        usize::try_from(ticket.0.checked_sub(self.first)?).ok().and_then(|index| self.asked.get_mut(index))
    }

    fn tidy(&mut self) {
        while matches!(self.asked.front(), Some(Asked::Taken)) {
            self.asked.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_find_their_requests_in_order() {
        let mut tickets = Tickets::default();
        let (a, b, c) = (tickets.ask(), tickets.ask(), tickets.ask());
        tickets.abandon(b);
        assert!(tickets.answer('a'));
        assert_eq!(tickets.take(b), None);
        assert!(tickets.answer('b'));
        assert_eq!(tickets.take(c), None);
        assert!(tickets.answer('c'));
        assert_eq!(tickets.take(c), Some('c'));
        assert_eq!(tickets.take(c), None);
        assert_eq!(tickets.take(a), Some('a'));
        assert!(!tickets.answer('d'), "nobody asked");
        assert!(tickets.asked.is_empty());
    }
}
