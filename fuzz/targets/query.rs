//! See `lineside_aws::fuzzing::query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_aws::fuzzing::query(data));
