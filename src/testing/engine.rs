//! The file engines against a server that answers in any order and any size, over a line that stutters.

use std::time::Duration;

use super::{Dice, Harm, Ways, World};
use crate::error::Code;
use crate::op::{Call, Owner, drive};
use crate::sftp::{Open, Settle, fsync, poll_read, poll_write, seek, stat, tell, write_file_behind};

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
fn a_seek_has_a_place_asked_for_anew_also_where_the_file_stands() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    let mut space = [0; 100];
    let mut read = |size: usize| {
        let read = world.call(|session| poll_read(session, file, &mut space[..size])).unwrap();
        space[..read].to_vec()
    };
    let fill = |content: &[u8]| world.line.server.borrow_mut().files.content[0] = content.to_vec();
    fill(b"0123456789");
    assert_eq!(read(2), b"01");
    // What follows has been read ahead by now.
    fill(b"abcdefghij");
    seek(&mut world.session.borrow_mut(), file, 2).unwrap();
    assert_eq!(read(100), b"cdefghij");
    assert_eq!(read(100), b"");
    fill(b"abcdefghij, and more");
    assert_eq!(read(100), b"", "the end stays the end");
    seek(&mut world.session.borrow_mut(), file, 10).unwrap();
    assert_eq!(read(100), b", and more");
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
            match drive(session, &world.line, |session| poll_write(session, files[which], rest)) {
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

/// Reads a file of `size` bytes in pieces of 16 KiB: how much of it was under way at most.
fn read_through(ways: Ways, size: usize) -> usize {
    let world = World::new(0, ways);
    world.line.server.borrow_mut().files.content[0] = vec![7; size];
    let file = world.open();
    let mut space = [0; 16 * 1024];
    let mut left = size;
    while left > 0 {
        left -= world.call(|session| poll_read(session, file, &mut space)).unwrap();
    }
    world.line.server.borrow().most_waiting
}

#[test]
fn reading_ahead_reaches_as_far_as_the_line_does() {
    const MEGA: usize = 1_000_000;
    let limits = [0; 4];
    let second = Duration::from_secs(1);
    // As much as is read ahead at most, where the line never fills.
    let far = read_through(Ways { latency: second, limits, ..Ways::default() }, 40 * MEGA);
    assert!((10 * MEGA..16 * MEGA).contains(&far), "{far}");
    // 10 MB in a second, 50 ms away: half a megabyte fills it. Until that shows, some more is asked for.
    let ways = Ways { latency: Duration::from_millis(50), bandwidth: 10 * MEGA as u32, limits, ..Ways::default() };
    let some = read_through(ways, 20 * MEGA);
    assert!((MEGA / 2..4 * MEGA).contains(&some), "{some}");
    let near = read_through(Ways { bandwidth: 10 * MEGA as u32, limits, ..Ways::default() }, 20 * MEGA);
    assert!(near < MEGA, "{near}");
}

#[test]
fn a_look_at_a_header_asks_for_no_more_than_that() {
    let world = World::new(0, Ways::default());
    world.line.server.borrow_mut().files.content[0] = vec![7; 1_000_000];
    let file = world.open();
    let mut space = [0; 4096];
    assert_eq!(world.call(|session| poll_read(session, file, &mut space[..100])), Ok(100));
    let asked = world.line.server.borrow().files.read;
    // And reads a little ahead, in case that the program comes back: no more than the original.
    assert!(asked <= 400, "{asked}");
    seek(&mut world.session.borrow_mut(), file, 500_000).unwrap();
    assert_eq!(world.call(|session| poll_read(session, file, &mut space)), Ok(4096));
}

#[test]
fn no_byte_of_a_file_is_beyond_two_to_the_63() {
    let world = World::new(0, Ways::default());
    let file = world.open();
    for place in [1 << 63, (1 << 63) - 1, u64::MAX] {
        seek(&mut world.session.borrow_mut(), file, place).unwrap();
        let error = world.call(|session| poll_write(session, file, b"data")).unwrap_err();
        assert_eq!(error.code, Code::SftpProtocol);
        let error = world.call(|session| poll_read(session, file, &mut [0; 9])).unwrap_err();
        assert_eq!(error.code, Code::SftpProtocol);
        assert_eq!(tell(&mut world.session.borrow_mut(), file), Ok(place));
    }
    // The last ones that there can be are the server's business.
    seek(&mut world.session.borrow_mut(), file, (1 << 63) - 9).unwrap();
    assert_eq!(world.call(|session| poll_read(session, file, &mut [0; 90])), Ok(0));
    let error = world.call(|session| poll_write(session, file, b"ten bytes!")).unwrap_err();
    assert_eq!(error.code, Code::SftpProtocol);
    assert_eq!(world.line.server.borrow().files.requests[6], 0, "no write has left");
}

#[test]
fn a_server_that_answers_one_write_after_the_other_is_given_the_time() {
    // Each takes 50 s, and the read timeout is 60.
    for closes in [true, false] {
        let ways = Ways { limits: [3000, 0, 1024, 0], ..Ways::default() };
        let world = World::new(0, ways);
        let file = world.open();
        world.line.server.borrow_mut().ways.bandwidth = 1;
        world.call(|session| std::task::Poll::Ready(write_file_behind(session, file, usize::MAX))).unwrap();
        let data = content(4 * 1024);
        let mut written = 0;
        while written < data.len() {
            written += world.call(|session| poll_write(session, file, &data[written..])).unwrap();
        }
        let call = if closes { Call::SftpClose } else { Call::SftpFlush };
        let begin = |session: &mut _| {
            if closes { Settle::close(session, file) } else { Settle::flush(session, file) }
        };
        assert_eq!(world.finish(Owner::File(file), call, begin), Ok(()));
    }
}

#[test]
fn an_early_success_is_answered_for_also_when_writing_behind_is_switched_off() {
    let world = World::new(0, Ways { latency: Duration::from_secs(1), ..Ways::default() });
    let file = world.open();
    world.line.server.borrow_mut().ways.fails_write = Some(0);
    let behind = |bytes| write_file_behind(&mut world.session.borrow_mut(), file, bytes).unwrap();
    behind(100);
    assert_eq!(world.call(|session| poll_write(session, file, b"lost")), Ok(4));
    behind(0);
    seek(&mut world.session.borrow_mut(), file, 9).unwrap();
    let synced = world.finish(Owner::File(file), Call::SftpFsync, |session| {
        let ask = fsync(session, file);
        Settle::after(session, file, ask)
    });
    assert_eq!(synced.unwrap_err().to_string(), "SFTP server: failure: No room for that");
    let synced = world.finish(Owner::File(file), Call::SftpFlush, |session| Settle::flush(session, file));
    assert_eq!(synced, Ok(()));
}

#[test]
fn a_window_that_has_room_for_what_waits_has_room_for_more() {
    let world = World::new(0, Ways { window: 40_000, delay: Duration::from_secs(4), ..Ways::default() });
    let file = world.open();
    write_file_behind(&mut world.session.borrow_mut(), file, usize::MAX).unwrap();
    world.set_blocking(false);
    let silence = |is_silent| world.line.server.borrow_mut().ways.is_silent = is_silent;
    silence(true);
    while drive(&world.session, &world.line, |session| poll_write(session, file, &[1; 4096])).is_ok() {}
    // Now the window is opened, once; the answers take longer.
    silence(false);
    let mut polls = 0;
    let written = drive(&world.session, &world.line, |session| {
        polls += 1;
        silence(polls > 1);
        poll_write(session, file, &[1; 4096])
    });
    assert_eq!(written, Ok(4096));
}

#[test]
fn what_can_no_longer_be_sent_is_told_with_the_reason() {
    let world = World::new(0, Ways { window: 1, latency: Duration::from_millis(1), ..Ways::default() });
    let file = world.open();
    world.line.server.borrow_mut().ways.harm = Some((0, Harm::Doubled));
    write_file_behind(&mut world.session.borrow_mut(), file, 2).unwrap();
    let write = |byte: &[u8]| world.call(|session| poll_write(session, file, byte));
    // The window has no room for the second one, and the third one waits for the answer to the first.
    assert_eq!((write(b"a"), write(b"b")), (Ok(1), Ok(1)));
    let reason = "SFTP server answered a request that was never made";
    assert_eq!(write(b"c").unwrap_err().to_string(), reason);
    seek(&mut world.session.borrow_mut(), file, 9).unwrap();
    let flush = || world.finish(Owner::File(file), Call::SftpFlush, |session| Settle::flush(session, file));
    assert_eq!(flush().unwrap_err().to_string(), format!("SFTP server: failure: data was not sent: {reason}"));
    assert_eq!(flush(), Ok(()));
}

#[test]
fn a_read_after_a_refusal_that_nobody_knows_of_is_not_taken_back_with_it() {
    let world = World::new(0, Ways::default());
    world.line.server.borrow_mut().files.content[0] = vec![5; 100];
    let file = world.open();
    world.line.server.borrow_mut().ways.fails_write = Some(0);
    world.call(|session| std::task::Poll::Ready(write_file_behind(session, file, 1000))).unwrap();
    assert_eq!(world.call(|session| poll_write(session, file, b"lost")), Ok(4));
    // The refusal arrives, and no call of this file has looked at it.
    let sftp = world.sftp;
    world.finish(Owner::Sftp(sftp), Call::SftpStat, |session| stat(session, sftp, b"name", true)).unwrap();
    assert_eq!(world.call(|session| poll_read(session, file, &mut [0; 10])), Ok(10));
    let told = |place| assert_eq!(tell(&mut world.session.borrow_mut(), file), Ok(place));
    told(14);
    let flushed = world.finish(Owner::File(file), Call::SftpFlush, |session| Settle::flush(session, file));
    assert_eq!(flushed.unwrap_err().code, Code::SftpProtocol);
    told(14);
}

#[test]
fn what_the_server_takes_is_kept_to() {
    // Packets, reads, writes, handles: what is asked for then.
    for (limits, read, write) in [
        ([34_000, 32_768, 32_768, 0], 32_768, 32_768),
        // What is written at a time is a part of what may be on its way.
        ([0; 4], 261_120, 131_072),
        ([262_144, 200_000, 100_000, 0], 200_000, 100_000),
        ([10_000, 200_000, 100_000, 0], 8976, 8976),
        ([1; 4], 1024, 1024),
    ] {
        let world = World::new(0, Ways { limits, ..Ways::default() });
        let file = world.open();
        world.line.server.borrow_mut().files.content[0] = vec![1; 2_000_000];
        let mut space = vec![0; 1_500_000];
        assert!(world.call(|session| poll_read(session, file, &mut space)).is_ok());
        seek(&mut world.session.borrow_mut(), file, 0).unwrap();
        let mut written = 0;
        while written < space.len() {
            written += world.call(|session| poll_write(session, file, &space[written..])).unwrap();
        }
        let server = world.line.server.borrow();
        assert_eq!((server.files.longest_read, server.files.longest_write), (read, write), "{limits:?}");
    }
    // A path that is longer than the server takes does not leave, and the connection lives.
    let world = World::new(0, Ways { limits: [34_000, 0, 0, 0], ..Ways::default() });
    let sftp = world.sftp;
    let ask = |length: usize| {
        world.finish(Owner::Sftp(sftp), Call::SftpStat, |session| stat(session, sftp, &vec![b'a'; length], true))
    };
    assert_eq!(ask(5).unwrap().size, 5);
    assert_eq!(ask(34_000).unwrap_err().code, Code::OutOfBoundary);
    assert_eq!(ask(33_000).unwrap().size, 33_000);
}

#[test]
fn a_refusal_for_too_many_open_files_says_so() {
    let world = World::new(0, Ways { limits: [0, 0, 0, 2], ..Ways::default() });
    let sftp = world.sftp;
    for _ in 0..2 {
        world.open();
    }
    world.line.server.borrow_mut().files.refuses_open = true;
    let refused =
        world.finish(Owner::Sftp(sftp), Call::SftpOpen, |session| Open::file(session, sftp, b"file", 0, 0, None));
    let text = "SFTP server: failure: Too many; 2 files are open, of 2 that the server allows";
    assert_eq!(refused.unwrap_err().to_string(), text);
}
