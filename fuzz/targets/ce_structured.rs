//! See `lineside_native::fuzzing::structured`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_native::fuzzing::structured(data));
