//! What fuzzers without a fuzzer: runs the corpus through each target, and mutations of it for a while.
//!
//! `FUZZ_SECONDS` (less than one by default) is how long for each target, `FUZZ_SEED` repeats a run, and `FUZZ_TARGETS` names the
//! only ones to run. The input that a target fails on is left in a file.
#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{TARGETS, Target};
use crate::testing::Dice;

/// Longest input that mutation makes.
const LONGEST: usize = 8192;

#[test]
fn the_corpus_and_what_it_turns_into_break_nothing() {
    let setting = |name: &str| std::env::var(name).ok();
    let number = |name: &str| setting(name).and_then(|text| text.parse().ok());
    let time = number("FUZZ_SECONDS").map_or(Duration::from_millis(400), Duration::from_secs);
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos()));
    let seed = number("FUZZ_SEED").unwrap_or_else(clock);
    let wanted = setting("FUZZ_TARGETS");
    for (name, target) in TARGETS {
        if wanted.as_ref().is_some_and(|wanted| !wanted.split_whitespace().any(|wanted| wanted == name)) {
            continue;
        }
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "no corpus for {name}");
        for input in &corpus {
            run(name, target, input, seed);
        }
        let (began, mut dice, mut count) = (Instant::now(), Dice(seed), corpus.len());
        while began.elapsed() < time {
            run(name, target, &mutate(&mut dice, &corpus), seed);
            count += 1;
        }
        println!("{name}: {count} executions of {} inputs, seed {seed}, no findings", corpus.len());
    }
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn run(name: &str, target: Target, input: &[u8], seed: u64) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let path = std::env::temp_dir().join(format!("ssh2-finding-{name}"));
        let _ = std::fs::write(&path, input);
        eprintln!("{name} failed, seed {seed}, on what is now in {}", path.display());
        std::panic::resume_unwind(panic);
    }
}

/// One input of the corpus, changed a little.
fn mutate(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let any = |dice: &mut Dice| &corpus[dice.below(corpus.len())];
    let mut input = any(dice).clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(input.len() + 1);
        let end = (at + dice.below(16)).min(input.len());
        match dice.below(8) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => {
                let copied = input[at..end].to_vec();
                input.splice(at..at, copied);
            }
            3 => {
                let other = any(dice);
                let from = dice.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            4 => input.insert(at, dice.below(256) as u8),
            5 => input[at..end].fill([0, 1, 0x7f, 0x80, 0xff, b' '][dice.below(6)]),
            6 if at < input.len() => input[at] ^= 1 << dice.below(8),
            _ if at < input.len() => input[at] = dice.below(256) as u8,
            _ => {}
        }
        input.truncate(LONGEST);
    }
    input
}
