//! See `lineside_native::fuzzing::subscription`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_native::fuzzing::subscription(data));
