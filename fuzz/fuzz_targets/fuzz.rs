//! Every target in one program: `FUZZ_TARGET` names the one to run.
#![no_main]

use std::sync::LazyLock;

use ssh2::fuzzing::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names what to fuzz");
    TARGETS.iter().find(|target| target.0 == name).expect("FUZZ_TARGET is one of the targets").1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
