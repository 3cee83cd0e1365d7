//! What the machine gives: descriptors and memory.

use std::path::Path;

use super::{Finding, bytes};
use crate::descriptors;

/// Fewer connections than this are soon used up: an SDK keeps ten or more open for each process.
const CONNECTIONS_FEW: usize = 1024;
/// Less memory than this is not enough for a server with anything in it.
const MEMORY_MIN: u64 = 128 << 20;

/// Lines about the machine; `budget` is what a server's state may grow to, in bytes.
pub(crate) fn look(budget: u64) -> Vec<Finding> {
    let limit = descriptors::reachable();
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let group = group_limit(Path::new("/sys/fs/cgroup"));
    vec![files(limit), memory(available(&meminfo), group, budget)]
}

/// `None` is no limit.
fn files(limit: Option<u64>) -> Finding {
    let Some(limit) = limit else { return Finding::well("open files", "there is no limit") };
    let connections = descriptors::for_connections(Some(limit));
    let told = format!("RLIMIT_NOFILE can be {limit}: room for {connections} connections");
    if connections >= CONNECTIONS_FEW {
        return Finding::well("open files", told);
    }
    let remedy = "run `ulimit -Hn 16640` before `lineside up`, or set LimitNOFILE in its unit";
    Finding::warning("open files", told, remedy)
}

fn memory(available: Option<u64>, limit: Option<u64>, budget: u64) -> Finding {
    let Some(least) = available.into_iter().chain(limit).min() else {
        return Finding::skipped(
            "memory",
            "neither /proc/meminfo nor a control group says anything",
        );
    };
    let whose = if Some(least) == limit { "the control group allows" } else { "available are" };
    let told = format!("{whose} {}", bytes(least));
    if least < MEMORY_MIN {
        let need = bytes(MEMORY_MIN);
        return Finding::ill("memory", told, format!("give it {need} at least"));
    }
    if least < budget {
        let told = format!("{told}, and the state may grow to {}", bytes(budget));
        return Finding::warning("memory", told, "give it more, or a smaller state_mib");
    }
    Finding::well("memory", told)
}

/// `MemAvailable` of `/proc/meminfo`, in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The limit of the control group that this process sees as its own: of version 2, else of 1. In a
/// container that is the container's.
fn group_limit(root: &Path) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).ok();
    let text = read("memory.max").or_else(|| read("memory/memory.limit_in_bytes"))?;
    // Version 1 writes "no limit" as a number near 2^63.
    text.trim().parse().ok().filter(|limit| *limit < 1 << 60)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn few_descriptors_are_worth_a_warning() {
        assert_eq!(files(None).state, State::Well);
        assert_eq!(files(Some(65_536)).state, State::Well);
        assert_eq!(files(Some(1024)).state, State::Warning);
        assert_eq!(files(Some(0)).state, State::Warning);
    }

    #[test]
    fn the_smaller_of_machine_and_group_counts() {
        let budget = 2 << 30;
        assert_eq!(memory(Some(8 << 30), None, budget).state, State::Well);
        assert_eq!(memory(Some(8 << 30), Some(1 << 30), budget).state, State::Warning);
        let small = memory(Some(8 << 30), Some(64 << 20), budget);
        assert_eq!(small.state, State::Ill);
        assert!(small.told.contains("the control group allows 64 MiB"), "{}", small.told);
        assert_eq!(memory(None, None, budget).state, State::Skipped);
    }

    #[test]
    fn the_kernels_files_are_understood() {
        let meminfo = "MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:   20 kB\n";
        assert_eq!(available(meminfo), Some(20_480));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(group_limit(folder.path()), None);
        std::fs::write(folder.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(group_limit(folder.path()), None);
        std::fs::write(folder.path().join("memory.max"), "1048576\n").unwrap();
        assert_eq!(group_limit(folder.path()), Some(1 << 20));
    }
}
