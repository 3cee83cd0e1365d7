//! See `lineside_index::fuzzing::index_run`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_index::fuzzing::index_run(data));
