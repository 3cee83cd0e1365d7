//! The three words for how much a ticket promises.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// What `--durability` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A ticket resolves when the batch is on the disk. The default.
    #[default]
    Commit,
    /// A ticket resolves when the system has the batch; the disk is synced at most every so many
    /// milliseconds. A power cut loses what was written since; a crash of the process does not.
    Interval(NonZeroU32),
    /// Nothing outlives the process.
    Memory,
}

impl Durability {
    /// When a log on disk syncs; `None` when there is to be no disk.
    pub fn sync(self) -> Option<Sync> {
        match self {
            Durability::Commit => Some(Sync::Commit),
            Durability::Interval(millis) => {
                Some(Sync::Interval(Duration::from_millis(u64::from(millis.get()))))
            }
            Durability::Memory => None,
        }
    }
}

/// When a log on disk syncs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// With each write, before its tickets resolve.
    #[default]
    Commit,
    /// This long after the first write that is not synced, and at close.
    Interval(Duration),
}

/// A word that is none of the three.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "durability {given:?} is not known: it is `commit` (on disk before success is answered), \
     `interval=<ms>` (synced at most every 1 to 4294967295 milliseconds) or `memory` (nothing is kept)"
)]
pub struct UnknownDurability {
    /// What was given.
    pub given: String,
}

impl FromStr for Durability {
    type Err = UnknownDurability;

    fn from_str(text: &str) -> Result<Durability, UnknownDurability> {
        match text.split_once('=') {
            None if text == "commit" => Some(Durability::Commit),
            None if text == "memory" => Some(Durability::Memory),
            Some(("interval", millis)) => interval(millis),
            _ => None,
        }
        .ok_or_else(|| UnknownDurability { given: text.to_owned() })
    }
}

/// Digits only: `u32::from_str` would also take a plus sign.
fn interval(millis: &str) -> Option<Durability> {
    let digits = millis.bytes().all(|b| b.is_ascii_digit());
    let millis = millis.parse().ok().filter(|_| digits);
    millis.map(Durability::Interval)
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Durability::Commit => f.write_str("commit"),
            Durability::Interval(millis) => write!(f, "interval={millis}"),
            Durability::Memory => f.write_str("memory"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_it_is_shown() {
        for text in ["commit", "interval=1", "interval=250", "memory"] {
            assert_eq!(text.parse::<Durability>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_words_are_refused_with_what_is_allowed() {
        let wrong = ["", "Commit", "fsync", "interval", "interval=", "interval=0", "interval=+5"];
        for text in wrong.into_iter().chain(["interval=4294967296", "interval=5ms", "memory=1"]) {
            let error = text.parse::<Durability>().unwrap_err().to_string();
            for word in ["commit", "interval=<ms>", "memory", text] {
                assert!(error.contains(word), "{error}");
            }
        }
    }

    #[test]
    fn only_memory_has_no_disk() {
        assert_eq!(Durability::Memory.sync(), None);
        assert_eq!(Durability::default().sync(), Some(Sync::Commit));
        let interval = Durability::from_str("interval=20").unwrap();
        assert_eq!(interval.sync(), Some(Sync::Interval(Duration::from_millis(20))));
    }
}
