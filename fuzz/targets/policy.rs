//! See `lineside_aws::fuzzing::policy`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineside_aws::fuzzing::policy(data));
