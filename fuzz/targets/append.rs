//! See `lineside_native::fuzzing::append`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_native::fuzzing::append(data));
