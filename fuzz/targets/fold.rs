//! See `lineside_fold::fuzzing::module`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_fold::fuzzing::module(data));
