//! Random programs on a server and a line that do anything, against a model of what the program has been told.
//!
//! Each schedule follows from its seed. A failure prints it, and `LIBSSH2_MODEL_SEED` runs that one, or begins there if
//! `LIBSSH2_MODEL_SCHEDULES` says how many to run, or `LIBSSH2_MODEL_SECONDS` for how long. With the latter alone they are
//! new ones.

mod book;

use std::time::{Duration, Instant, SystemTime};

use self::book::{Book, Pledge};
use super::{Dice, Harm, Ways, World};
use crate::error::{Code, Error, Result};
use crate::op::{Call, Host, Op, Owner, drive, resume};
use crate::session::Session;
use crate::sftp::{
    FileId, Open, Settle, forget, fstat, fsync, poll_read, poll_write, seek, stat, tell, write_file_behind,
};

/// Schedules of a run that nobody asked more of.
const SCHEDULES: u64 = 400;
/// No call may take longer: a request and the writes before it may each take the read timeout, and some of it may pass
/// before a reply.
const LONGEST: Duration = Duration::from_secs(300);

/// Calls that may have to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fsync,
    Fstat,
    Flush,
    Close,
}

/// One file of the program.
#[derive(Default)]
struct Document {
    id: Option<FileId>,
    book: Book,
    /// An unfinished call, and what had been accepted when it began.
    pending: Option<(Kind, Pledge)>,
}

struct Run {
    world: World,
    dice: Dice,
    files: [Document; 2],
    /// Something may go wrong beyond refused writes.
    is_doomed: bool,
    /// The server may say what is not so.
    lies: bool,
    /// How much is written and read at a time, and how far into a file.
    scale: usize,
    /// Since when nothing but `EAGAIN` has come.
    starved: Option<Instant>,
    told: usize,
    /// Every step is shown.
    shows: bool,
}

fn ways(dice: &mut Dice) -> Ways {
    let mut any = |chance: usize| dice.below(chance) == 0;
    let (shuffles, recuts, answers_short, stutters) = (any(2), any(2), any(3), any(2));
    Ways {
        window: [1, 100, 5_000, 100_000, 2_000_000][dice.below(5)],
        packet: [1, 77, 4096, 32_768][dice.below(4)],
        limits: [[0; 4], [4 << 20, 2 << 20, 1 << 20, 9], [34_000, 32_768, 32_768, 0], [6000; 4], [1; 4]][dice.below(5)],
        shuffles,
        recuts,
        answers_short,
        stutters,
        delay: Duration::from_millis([0, 0, 20, 4000][dice.below(4)]),
        ..Ways::default()
    }
}

fn harm(dice: &mut Dice) -> Harm {
    match dice.below(7) {
        0 => Harm::Withheld,
        1 => Harm::Doubled,
        2 => Harm::OtherId,
        3 => Harm::OtherType,
        4 => Harm::OtherLength,
        5 => Harm::OtherByte,
        _ => Harm::Late(Duration::from_secs(1 + dice.below(200) as u64)),
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let ways = ways(&mut dice);
        let scale = if ways.window < 200 || ways.packet < 100 {
            [20, 600][dice.below(2)]
        } else {
            [30, 5_000, 5_000, 40_000, 40_000, 300_000][dice.below(6)]
        };
        let world = World::new(seed, ways);
        let mut run = Self {
            world,
            dice,
            files: Default::default(),
            is_doomed: false,
            lies: false,
            scale,
            starved: None,
            told: 0,
            shows: false,
        };
        run.doom();
        run
    }

    /// Decides what is going to go wrong.
    fn doom(&mut self) {
        let dice = &mut self.dice;
        let mut session = self.world.session.borrow_mut();
        let mut server = self.world.line.server.borrow_mut();
        server.files.journal = Some(Vec::new());
        let ways = &mut server.ways;
        let is_lie = |harm| matches!(harm, Harm::OtherByte | Harm::OtherLength | Harm::OtherType);
        if dice.below(10) == 0 {
            ways.rekeys = Some(dice.below(30));
        }
        if dice.below(20) == 0 {
            session.transport.rekey_limits.bytes = 2000 + dice.below(100_000) as u64;
        }
        if dice.below(3) == 0 {
            session.settings.timeout = 100 + dice.below(200_000) as i64;
            self.is_doomed |= session.settings.timeout < 20_000;
        }
        match dice.below(10) {
            0..=2 => {
                let harm = harm(dice);
                ways.harm = Some((dice.below(40), harm));
                self.lies = is_lie(harm);
                server.files.is_lenient = self.lies;
                self.is_doomed = true;
            }
            3 => {
                ways.ends_down = Some(dice.below(20_000));
                self.is_doomed = true;
            }
            4 => {
                ways.ends_up = Some(dice.below(self.scale * 4 + 500));
                self.is_doomed = true;
            }
            _ => {}
        }
    }

    fn say(&self, what: std::fmt::Arguments<'_>) {
        if self.shows {
            eprintln!("{what}");
        }
    }

    fn now(&self) -> Instant {
        self.world.line.now()
    }

    fn any(&mut self, chance: usize) -> bool {
        self.dice.below(chance) == 0
    }

    /// A number of bytes, often one at an edge.
    fn size(&mut self) -> usize {
        match self.dice.below(8) {
            0 => 1,
            1 => self.scale,
            2 => 1 + self.dice.below(10),
            _ => 1 + self.dice.below(self.scale),
        }
    }

    /// One call that does not rest in a slot.
    fn drive<T>(&mut self, poll: impl FnMut(&mut Session) -> std::task::Poll<Result<T>>) -> Result<T> {
        let before = self.now();
        let result = drive(&self.world.session, &self.world.line, poll);
        self.ended(before, result)
    }

    /// One call that does.
    fn resume<O: Op>(
        &mut self,
        owner: Owner,
        call: Call,
        begin: impl FnOnce(&mut Session) -> Result<O>,
    ) -> Result<O::Out> {
        let before = self.now();
        let result = resume(&self.world.session, &self.world.line, owner, call, begin);
        self.ended(before, result)
    }

    /// What holds of every call: it ends in time, and where it would block it names a direction.
    fn ended<T>(&mut self, before: Instant, result: Result<T>) -> Result<T> {
        assert!(self.now() - before < LONGEST, "a call took {:?}", self.now() - before);
        if !matches!(&result, Err(error) if error.code == Code::Eagain) {
            self.starved = None;
            self.audit();
            return result;
        }
        let directions = self.world.session.borrow().block_directions();
        assert!(directions.read || directions.write, "EAGAIN without a direction");
        let since = *self.starved.get_or_insert(before);
        assert!(self.now() - since < LONGEST, "EAGAIN for {:?}", self.now() - since);
        if self.any(2) {
            let patience = [Duration::from_millis(10), Duration::from_secs(7)][self.dice.below(2)];
            self.world.line.wait(directions, Some(patience)).unwrap();
        }
        self.audit();
        result
    }

    /// Takes in what the server has met.
    fn audit(&mut self) {
        let mut server = self.world.line.server.borrow_mut();
        for id in server.answered.drain(..) {
            self.files.iter_mut().for_each(|file| _ = file.book.answered.insert(id));
        }
        for written in server.files.journal.replace(Vec::new()).unwrap() {
            let (length, status) = (written.data.len(), written.status);
            self.say(format_args!("  met {} {length} bytes at {}: {status}", written.file, written.offset));
            if !self.lies {
                self.files[written.file].book.met(&written);
            }
        }
    }

    /// Where the library says that the file stands.
    fn tell(&mut self, which: usize) -> u64 {
        let place = tell(&mut self.world.session.borrow_mut(), self.files[which].id.unwrap()).unwrap();
        if !self.lies {
            self.files[which].book.told(place);
        }
        place
    }

    /// A call of that file has failed.
    fn failed(&mut self, which: usize, error: &Error) {
        let told = error.code == Code::SftpProtocol && error.to_string().contains("No room for that");
        if told && !self.lies {
            let status = self.world.session.borrow_mut().sftps.get(self.world.sftp).unwrap().last_status;
            let book = &self.files[which].book;
            assert!(book.refused.contains(&status), "status {status} of {:?}", book.refused);
            self.told += 1;
        }
        assert!(told || self.is_doomed, "{error}");
        assert!(!matches!(error.code, Code::BadUse | Code::Inval | Code::Alloc), "{error}");
        // What could not even be sent is told like a refusal, with a reason that the server does not know.
        let told = told || error.to_string().contains("data was not sent");
        if let Some(id) = self.files[which].id.filter(|_| told) {
            let place = tell(&mut self.world.session.borrow_mut(), id).unwrap();
            let book = &mut self.files[which].book;
            if self.lies { book.leave(place) } else { book.told_of_refusal(place) }
        }
    }

    fn is_eagain<T>(result: &Result<T>) -> bool {
        matches!(result, Err(error) if error.code == Code::Eagain)
    }

    fn open(&mut self, which: usize) {
        let sftp = self.world.sftp;
        let name: &[u8] = [&b"file"[..], b"other"][which];
        for _ in 0..50_000 {
            let opened =
                self.resume(Owner::Sftp(sftp), Call::SftpOpen, |session| Open::file(session, sftp, name, 0, 0, None));
            match opened {
                Err(error) if error.code == Code::Eagain => {}
                Err(error) => {
                    assert!(self.is_doomed, "{error}");
                    return;
                }
                Ok(id) => {
                    self.say(format_args!("{which} open"));
                    self.files[which].id = Some(id);
                    self.files[which].book.leave(0);
                    return;
                }
            }
        }
        panic!("EAGAIN for ever");
    }

    fn write(&mut self, which: usize) {
        let id = self.files[which].id.unwrap();
        let count = self.size();
        let book = &mut self.files[which].book;
        if !book.has_room() || book.position > 4 * self.scale as u64 {
            return;
        }
        let data = book.offer(count);
        let (position, result) = (book.position, self.drive(|session| poll_write(session, id, &data)));
        self.say(format_args!("{which} write {count} at {position}: {result:?}"));
        match result {
            Ok(written) => {
                assert!(0 < written && written <= count);
                self.files[which].book.accepted(written);
            }
            Err(error) if error.code == Code::Eagain => {}
            Err(error) => self.failed(which, &error),
        }
    }

    fn read(&mut self, which: usize) {
        let id = self.files[which].id.unwrap();
        let mut space = vec![0; self.size()];
        // A read begins where tell says, and lets the writes go that no call has returned.
        let place = self.tell(which);
        let place = place.max(self.files[which].book.position);
        self.files[which].book.leave(place);
        let result = self.drive(|session| poll_read(session, id, &mut space));
        self.say(format_args!("{which} read {} at {place}: {result:?}", space.len()));
        match result {
            Ok(count) if self.lies => self.files[which].book.position += count as u64,
            Ok(count) => self.files[which].book.read(&space[..count]),
            Err(error) if error.code == Code::Eagain => {}
            Err(error) => {
                // A refusal is told by the calls that answer for writes alone.
                assert!(self.is_doomed, "{error}");
            }
        }
    }

    fn seek(&mut self, which: usize) {
        let here = self.files[which].book.position;
        let place = if self.any(4) { here } else { self.dice.below(self.scale * 2) as u64 };
        let told = self.tell(which);
        if place == here && told == here && self.files[which].book.may_be_under_way() {
            // What that means for the writes under way, the program cannot know.
            return;
        }
        let id = self.files[which].id.unwrap();
        seek(&mut self.world.session.borrow_mut(), id, place).unwrap();
        self.say(format_args!("{which} seek from {here} to {place}"));
        let now_told = tell(&mut self.world.session.borrow_mut(), id).unwrap();
        // To where it is already: what was accepted is under way as before.
        if place != here || now_told == here {
            self.files[which].book.leave(place);
        }
    }

    fn set_behind(&mut self, which: usize) {
        let behind = [0, 1, self.scale / 3, self.scale * 3, usize::MAX][self.dice.below(5)];
        write_file_behind(&mut self.world.session.borrow_mut(), self.files[which].id.unwrap(), behind).unwrap();
    }

    /// Begins or goes on with a call that waits for the server.
    fn ask(&mut self, which: usize, kind: Kind, pledge: Pledge) {
        let id = self.files[which].id.unwrap();
        let owner = Owner::File(id);
        let result = match kind {
            Kind::Fsync => self.resume(owner, Call::SftpFsync, |session| {
                let ask = fsync(session, id);
                Settle::after(session, id, ask)
            }),
            Kind::Fstat => self
                .resume(owner, Call::SftpFstat, |session| {
                    let ask = fstat(session, id);
                    Settle::after(session, id, ask)
                })
                .map(|attributes| {
                    if !self.lies {
                        self.files[which].book.measured(attributes.size, &pledge);
                    }
                }),
            Kind::Flush => self.resume(owner, Call::SftpFlush, |session| Settle::flush(session, id)),
            Kind::Close => self.resume(owner, Call::SftpClose, |session| Settle::close(session, id)),
        };
        self.say(format_args!("{which} {kind:?}: {result:?}"));
        if Self::is_eagain(&result) {
            self.files[which].pending = Some((kind, pledge));
            return;
        }
        let place = tell(&mut self.world.session.borrow_mut(), id).unwrap();
        if let Err(error) = &result {
            self.failed(which, error);
        }
        let book = &mut self.files[which].book;
        if result.is_ok() && !self.lies {
            book.told(place);
            book.keeps(&pledge);
            if matches!(kind, Kind::Flush | Kind::Close) {
                assert!(book.refused.is_empty(), "nobody was told of {:?}", book.refused);
            }
            book.settle(&pledge, &self.world.line.server.borrow().files.content[which]);
        }
        if kind == Kind::Close {
            // What was accepted and is not known to be written is lost with a failure.
            book.bury(result.is_ok());
            book.leave(place);
            forget(&mut self.world.session.borrow_mut(), id);
            self.files[which].id = None;
        }
    }

    /// Asks something that has nothing to do with the files.
    fn stat(&mut self) {
        let sftp = self.world.sftp;
        let result = self.resume(Owner::Sftp(sftp), Call::SftpStat, |session| stat(session, sftp, b"a name", true));
        match result {
            Ok(attributes) => assert!(self.lies || attributes.size == 6),
            Err(error) => assert!(error.code == Code::Eagain || self.is_doomed, "{error}"),
        }
    }

    fn step(&mut self) {
        let which = usize::from(self.any(4));
        let is_blocking = self.any(2);
        self.world.set_blocking(is_blocking);
        if self.files[which].id.is_none() {
            return self.open(which);
        }
        match self.files[which].pending.take() {
            Some((Kind::Close, pledge)) => return self.ask(which, Kind::Close, pledge),
            Some((kind, pledge)) if self.any(2) => return self.ask(which, kind, pledge),
            pending => self.files[which].pending = pending,
        }
        match self.dice.below(100) {
            0..45 => self.write(which),
            45..60 => self.read(which),
            60..66 => self.seek(which),
            66..69 => self.begin(which, Kind::Fsync),
            69..74 => self.begin(which, Kind::Fstat),
            74..77 => self.begin(which, Kind::Flush),
            77..81 => self.begin(which, Kind::Close),
            81..86 => self.set_behind(which),
            86..90 => self.world.line.pass(Duration::from_millis(self.dice.below(3000) as u64)),
            90..94 => self.stat(),
            94..98 => {
                let refusal = [4, 3, 14, 2, 1, 31, 77, u32::MAX][self.dice.below(8)];
                let ways = &mut self.world.line.server.borrow_mut().ways;
                (ways.fails_write, ways.refusal) = (Some(self.dice.below(6)), refusal);
            }
            _ if self.is_doomed && self.any(10) => self.world.line.server.borrow_mut().ways.is_silent = true,
            _ => {}
        }
        if self.files[which].id.is_some() {
            self.tell(which);
        }
    }

    fn begin(&mut self, which: usize, kind: Kind) {
        if self.files[which].pending.is_none() {
            let pledge = self.files[which].book.pledge();
            self.ask(which, kind, pledge);
        }
    }

    /// Closes what is open, and looks at what is there.
    fn end(&mut self) {
        for which in 0..2 {
            let mut left = 2000;
            while self.files[which].id.is_some() {
                left -= 1;
                assert!(left > 0, "EAGAIN for ever");
                let blocking = self.any(2);
                self.world.set_blocking(blocking);
                let pledge = self.files[which].book.pledge();
                match self.files[which].pending.take() {
                    Some((kind, pledge)) => self.ask(which, kind, pledge),
                    None => self.ask(which, Kind::Close, pledge),
                }
            }
            if !self.lies {
                self.files[which].book.compare(&self.world.line.server.borrow().files.content[which]);
            }
        }
        if !self.is_doomed {
            assert_eq!(self.world.session.borrow_mut().sftps.get(self.world.sftp).unwrap().open_files(), 0);
        }
    }
}

/// Tells which schedule failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("schedule failed: LIBSSH2_MODEL_SEED={}", self.0);
        }
    }
}

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[test]
fn whatever_the_server_does_the_program_is_told_the_truth() {
    let begin = Instant::now();
    let limit = environment("LIBSSH2_MODEL_SECONDS").map(Duration::from_secs);
    let first = environment("LIBSSH2_MODEL_SEED");
    let asked = environment("LIBSSH2_MODEL_SCHEDULES");
    let most = match (asked, limit, first) {
        (Some(asked), ..) => asked,
        (None, Some(_), _) => u64::MAX,
        (None, None, Some(_)) => 1,
        (None, None, None) => SCHEDULES,
    };
    let fresh = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
    let first = first.unwrap_or_else(|| if limit.is_some() { fresh() } else { 0 });
    let (mut count, mut told, mut doomed) = (0, 0, 0);
    while count < most && limit.is_none_or(|limit| begin.elapsed() < limit) {
        let seed = first + count;
        count += 1;
        let _seed = Seed(seed);
        let mut run = Run::new(seed);
        run.shows = most == 1;
        run.say(format_args!("{:?}", run.world.line.server.borrow().ways));
        for _ in 0..10 + run.dice.below(60) {
            run.step();
        }
        run.end();
        told += run.told;
        doomed += u64::from(run.is_doomed);
    }
    let took = begin.elapsed();
    println!("{count} schedules from {first} on, {doomed} of them with faults, {told} refusals told, {took:.0?}");
    assert!(count < 100 || (told as u64 > count / 20 && doomed > count / 4), "{told} refusals, {doomed} faults");
}
