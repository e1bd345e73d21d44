#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssh2::fuzzing::certificate(data));
