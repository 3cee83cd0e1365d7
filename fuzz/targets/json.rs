//! See `lineside_aws::fuzzing::json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_aws::fuzzing::json(data));
