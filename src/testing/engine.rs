//! The file engines against a server that answers in any order and any size, over a line that stutters.

use super::{Dice, Ways, World};
use crate::error::Code;
use crate::op::{Call, Owner};
use crate::sftp::{Settle, poll_read, poll_write, seek, tell, write_file_behind};

/// Seeds of each kind of run.
const RUNS: u64 = 60;

fn ways(dice: &mut Dice) -> Ways {
    let mut any = || dice.below(2) == 0;
    let (shuffles, answers_short, stutters) = (any(), any(), any());
    Ways {
        window: [1, 100, 5_000, 100_000, 2_000_000][dice.below(5)],
        packet: [1, 77, 4096, 32_768][dice.below(4)],
        limits: [[0; 4], [4 << 20, 2 << 20, 1 << 20, 9], [34_000, 32_768, 32_768, 0], [20_000; 4]][dice.below(4)],
        shuffles,
        answers_short,
        stutters,
        ..Ways::default()
    }
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 + at / 251) as u8).collect()
}

fn size(dice: &mut Dice, ways: &Ways) -> usize {
    // Small windows and packets make for many packets.
    let most = if ways.window < 200 || ways.packet < 100 { 3_000 } else { 600_000 };
    dice.below(most)
}

#[test]
fn what_is_written_is_in_the_file_and_nothing_is_sent_twice() {
    for seed in 0..RUNS {
        let mut dice = Dice(seed);
        let ways = ways(&mut dice);
        let world = World::new(seed, ways);
        let file = world.open();
        let data = content(size(&mut dice, &ways));
        let slides = dice.below(2) == 0;
        let buffer = 1 + dice.below(data.len().max(1));
        let mut reported = 0;
        let mut end_of_buffer = 0;
        while reported < data.len() {
            world.set_blocking(dice.below(2) == 0);
            if slides || reported == end_of_buffer {
                end_of_buffer = data.len().min(reported + buffer);
            }
            let offered = &data[reported..end_of_buffer];
            let written = world.call(|session| poll_write(session, file, offered)).unwrap();
            assert!(0 < written && written <= offered.len(), "seed {seed}: {written} of {}", offered.len());
            reported += written;
            let told = world.call(|session| std::task::Poll::Ready(tell(session, file))).unwrap();
            assert!(told >= reported as u64);
        }
        world.finish(Owner::File(file), Call::SftpClose, |session| Settle::close(session, file)).unwrap();
        let server = world.line.server.borrow();
        assert!(*server.file() == data, "seed {seed}");
        assert_eq!(server.files.written, data.len(), "seed {seed}");
    }
}

#[test]
fn after_a_refusal_the_position_is_what_was_reported_and_writing_goes_on() {
    let mut failures = 0;
    for seed in 0..RUNS {
        let mut dice = Dice(seed);
        let mut ways = ways(&mut dice);
        ways.fails_write = Some(dice.below(3));
        let world = World::new(seed, ways);
        let file = world.open();
        let data = content(size(&mut dice, &ways));
        let mut reported = 0;
        while reported < data.len() {
            world.set_blocking(dice.below(2) == 0);
            match world.call(|session| poll_write(session, file, &data[reported..])) {
                Ok(written) => reported += written,
                Err(error) => {
                    failures += 1;
                    assert_eq!(error.code, Code::SftpProtocol, "seed {seed}");
                    assert_eq!(error.to_string(), "SFTP server: failure: No room for that");
                    let mut session = world.session.borrow_mut();
                    assert_eq!(session.sftps.get(world.sftp).unwrap().last_status, 4);
                    assert_eq!(tell(&mut session, file).unwrap(), reported as u64, "seed {seed}");
                }
            }
        }
        assert!(world.line.server.borrow().files.content[0] == data, "seed {seed}");
    }
    assert!(failures > 20, "{failures}");
}

#[test]
fn what_is_accepted_is_in_the_file_after_close_or_its_failure_is_told() {
    let (mut failures, mut by_flush) = (0, 0);
    for seed in 0..RUNS * 2 {
        let mut dice = Dice(seed);
        let mut ways = ways(&mut dice);
        if dice.below(2) == 0 {
            ways.fails_write = Some(dice.below(6));
        }
        let world = World::new(seed, ways);
        let file = world.open();
        let behind = [1, 1000, 100_000, usize::MAX][dice.below(4)];
        // Each byte is a request where so few may be ahead.
        let most = if behind < 5000 { 3000 } else { usize::MAX };
        let data = content(size(&mut dice, &ways).min(most));
        world.call(|session| std::task::Poll::Ready(write_file_behind(session, file, behind))).unwrap();
        let mut accepted = 0;
        loop {
            world.set_blocking(dice.below(2) == 0);
            let end = data.len().min(accepted + 1 + dice.below(10_000));
            let result = if accepted < data.len() {
                world.call(|session| poll_write(session, file, &data[accepted..end])).map(|written| accepted += written)
            } else {
                let flushed = world.finish(Owner::File(file), Call::SftpFlush, |session| Settle::flush(session, file));
                by_flush += usize::from(flushed.is_err());
                flushed
            };
            let told = tell(&mut world.session.borrow_mut(), file).unwrap() as usize;
            match result {
                Ok(()) if told == data.len() => break,
                Ok(()) => assert!(told <= accepted && accepted - told <= behind, "seed {seed}: {told} of {accepted}"),
                Err(error) => {
                    failures += 1;
                    assert_eq!(error.to_string(), "SFTP server: failure: No room for that", "seed {seed}");
                    accepted = told;
                }
            }
        }
        let closed = world.finish(Owner::File(file), Call::SftpClose, |session| Settle::close(session, file));
        assert_eq!(closed, Ok(()), "seed {seed}");
        assert!(world.line.server.borrow().files.content[0] == data, "seed {seed}");
    }
    assert!(failures > 30 && by_flush > 2, "{failures}, {by_flush} by flush");
}

#[test]
fn a_failure_that_no_call_has_told_of_is_told_by_flush() {
    let mut told = 0;
    for seed in 0..RUNS {
        let world = World::new(seed, Ways { fails_write: Some(3), stutters: true, ..Ways::default() });
        let file = world.open();
        let data = content(400_000);
        // The line may have brought the failure already.
        if world.call(|session| poll_write(session, file, &data)).is_ok() {
            let closed = world.finish(Owner::File(file), Call::SftpClose, |session| Settle::close(session, file));
            assert_eq!(closed.unwrap_err().code, Code::SftpProtocol);
            told += 1;
        }
    }
    assert!(told > 10, "{told}");
}

#[test]
fn what_is_read_is_what_is_in_the_file() {
    for seed in 0..RUNS {
        let mut dice = Dice(seed);
        let ways = ways(&mut dice);
        let world = World::new(seed, ways);
        let data = content(size(&mut dice, &ways));
        world.line.server.borrow_mut().files.content[0] = data.clone();
        let file = world.open();
        let mut at = 0;
        let mut ends = 0;
        let mut space = vec![0; 1 + dice.below(data.len().max(1) * 2)];
        while ends < 3 {
            world.set_blocking(dice.below(2) == 0);
            let asked = 1 + dice.below(space.len());
            let read = world.call(|session| poll_read(session, file, &mut space[..asked])).unwrap();
            assert!(read <= asked);
            assert!(space[..read] == data[at..at + read], "seed {seed} at {at}");
            at += read;
            if read == 0 {
                assert_eq!(at, data.len(), "seed {seed}");
                ends += 1;
            }
            if read == 0 || dice.below(20) == 0 {
                at = dice.below(data.len() + 1);
                seek(&mut world.session.borrow_mut(), file, at as u64).unwrap();
            }
        }
    }
}

#[test]
fn a_file_read_to_its_end_can_be_written_on() {
    for seed in 0..RUNS {
        let mut dice = Dice(seed);
        let ways = ways(&mut dice);
        let world = World::new(seed, ways);
        let old = content(1_000);
        world.line.server.borrow_mut().files.content[0] = old.clone();
        let file = world.open();
        let mut space = [0; 300];
        let mut read = 0;
        let stop = dice.below(1_200);
        while read < stop {
            match world.call(|session| poll_read(session, file, &mut space)).unwrap() {
                0 => break,
                count => read += count,
            }
        }
        let new = content(500);
        let mut written = 0;
        while written < new.len() {
            written += world.call(|session| poll_write(session, file, &new[written..])).unwrap();
        }
        let mut expected = old;
        expected.resize(expected.len().max(read + new.len()), 0);
        expected[read..read + new.len()].copy_from_slice(&new);
        assert!(world.line.server.borrow().files.content[0] == expected, "seed {seed}");
    }
}

#[test]
fn two_files_do_not_disturb_each_other() {
    // Both handles are of one file, written in turn at places of their own, without ever waiting.
    for seed in 0..RUNS {
        let mut dice = Dice(seed);
        let ways = ways(&mut dice);
        let world = World::new(seed, ways);
        world.set_blocking(false);
        let data = content(size(&mut dice, &ways).max(2));
        let half = data.len() / 2;
        let files = [world.open(), world.open()];
        seek(&mut world.session.borrow_mut(), files[1], half as u64).unwrap();
        let parts = [&data[..half], &data[half..]];
        let mut reported = [0, 0];
        while (0..2).any(|which| reported[which] < parts[which].len()) {
            let which = dice.below(2);
            let rest = &parts[which][reported[which]..];
            let session = &world.session;
            match crate::op::drive(session, &world.line, |session| poll_write(session, files[which], rest)) {
                Ok(written) => reported[which] += written,
                Err(error) => assert_eq!(error.code, Code::Eagain, "seed {seed}: {error}"),
            }
        }
        assert!(world.line.server.borrow().files.content[0] == data, "seed {seed}");
    }
}

#[test]
fn a_large_buffer_leaves_in_few_pieces() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    let data = content(2_000_000);
    let before = world.line.sends.get();
    let mut written = 0;
    while written < data.len() {
        written += world.call(|session| poll_write(session, file, &data[written..])).unwrap();
    }
    assert!(world.line.sends.get() - before < 20, "{}", world.line.sends.get() - before);
}
