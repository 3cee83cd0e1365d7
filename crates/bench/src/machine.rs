//! The machine in a few words, for the rows: CPU, cores, memory, disk, kernel.

use std::fs::read_to_string;
use std::path::Path;

use anyhow::Context;

/// What a reader must know to compare a row with their own.
pub(crate) fn describe(data: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kib: u64 = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    let disk = file_system(data).unwrap_or_else(|| "unknown file system".to_owned());
    let version = kernel.trim().split('-').next().unwrap_or_default();
    format!("{cpu}, {cores} cores, {} GiB, {disk}, Linux {version}", kib >> 20)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The type and device of the file system that holds a path.
fn file_system(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let mounts = read_to_string("/proc/self/mounts").ok()?;
    let holding = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, at, kind) = (words.next()?, words.next()?, words.next()?);
        let device = device.rsplit('/').next().unwrap_or_default();
        path.starts_with(at).then(|| (at.len(), format!("{kind} on {device}")))
    });
    holding.max().map(|(_, text)| text)
}

/// How busy the machine was in the last minute, in threads that would run.
pub(crate) fn load_average() -> f64 {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}

/// What the kernel counts processor time in for programs, a second.
const TICKS: f64 = 100.0;

/// Seconds that this process has had of processors so far, to a hundredth.
pub(crate) fn processor_seconds() -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    processor_seconds_in(&stat).unwrap_or_default()
}

/// The same of another process, while it runs.
pub(crate) fn processor_seconds_of(pid: Option<u32>) -> anyhow::Result<f64> {
    let pid = pid.context("the process has ended")?;
    let stat = read_to_string(format!("/proc/{pid}/stat"))?;
    processor_seconds_in(&stat).context("the kernel's line is not understood")
}

/// The same of a process and of those that it has started, as they are now.
pub(crate) fn processor_seconds_with_children(pid: Option<u32>) -> anyhow::Result<f64> {
    let pid = pid.context("the process has ended")?;
    let mut seconds = 0.0;
    for entry in std::fs::read_dir("/proc")? {
        // Most that is listed there is no process, and one may end while it is looked at.
        let stat = read_to_string(entry?.path().join("stat")).unwrap_or_default();
        if is_of_family(&stat, pid) {
            seconds += processor_seconds_in(&stat).unwrap_or_default();
        }
    }
    Ok(seconds)
}

/// Whether a line of `/proc/PID/stat` is of this process or of one that it has started.
fn is_of_family(stat: &str, pid: u32) -> bool {
    let own = stat.split(' ').next().and_then(|own| own.parse().ok());
    let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
    own == Some(pid) || parent.and_then(|parent| parent.parse().ok()) == Some(pid)
}

/// User and system time in `/proc/PID/stat`; the program's name before them may have any characters.
pub(crate) fn processor_seconds_in(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (fields.next()?, fields.next()?);
    Some((user.parse::<f64>().ok()? + system.parse::<f64>().ok()?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_understood() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 5 0 1 2 3";
        assert_eq!(processor_seconds_in(stat), Some(1.75));
        assert_eq!(processor_seconds_in("7 (a"), None);
        assert!(is_of_family(stat, 7) && is_of_family(stat, 1));
        assert!(!is_of_family(stat, 2) && !is_of_family("", 7));
    }
}
