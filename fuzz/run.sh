#!/usr/bin/env bash
# Builds the fuzzers and runs each for TIME seconds (60), or the one in ONLY, from the corpus in fuzz/corpus.
# What it finds on the way goes to target/fuzz/found; a crash is printed, and ends the run with status 1.
#
# libFuzzer needs no nightly toolchain: its runtime is C++ that libfuzzer-sys compiles, and the coverage that it
# steers by is a pass of LLVM that stable rustc runs when told. Sanitizers would need nightly; there is no
# unsafe code here for them to watch, but for the interpreter of `fold`, which is C: its assertions are on.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
build=target/fuzz
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares"

# With --target, scripts and macros of the build itself are built without coverage, which they could not link.
RUSTFLAGS="$coverage" cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml \
  --target "$host" --target-dir "$build"

status=0
for target in ${ONLY:-json query sigv4 policy ce_binary ce_structured ce_batch append parameters subscription index_run fold}; do
  found=$build/found/$target crashes=$build/crashes/$target
  rm -rf "$crashes"
  mkdir -p "$found" "$crashes"
  log=$build/$target.log
  echo "fuzz $target, ${TIME:-60} s"
  if "$build/$host/release/$target" -max_total_time="${TIME:-60}" -timeout=5 -rss_limit_mb=2048 \
    -max_len=16384 -use_value_profile=1 -print_final_stats=1 -artifact_prefix="$crashes/" \
    -dict="fuzz/dictionaries/$target.dict" "$found" "fuzz/corpus/$target" >"$log" 2>&1; then
    grep -E 'stat::number_of_executed_units|stat::new_units_added' "$log" || true
  else
    status=1
    tail -n 60 "$log"
    for crash in "$crashes"/*; do
      [ -f "$crash" ] || continue
      printf '\n%s, in base64:\n' "$crash"
      base64 "$crash"
    done
  fi
done
exit $status
