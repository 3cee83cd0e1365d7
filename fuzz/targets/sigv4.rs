//! See `lineside_aws::fuzzing::sigv4`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_aws::fuzzing::sigv4(data));
