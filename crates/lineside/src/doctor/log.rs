//! The log of the data directory: its tail, and its last stamp beside the machine's clock.

use std::path::Path;

use lineside_core::fact::Fact;
use lineside_core::id::PartitionId;
use lineside_core::stamp::{Millis, Stamp};
use lineside_engine::clock::Clock;
use lineside_store::OpenError;
use lineside_store::disk::{self, Dumped, DumpedFacts};

use super::Finding;

/// So many segments are read: the last may have been begun a moment ago.
const SEGMENTS: usize = 2;
/// A clock may be this far behind the log: two machines that took turns differ by less.
const BEHIND_MAX: Millis = Millis::seconds(60);
/// 2025-01-01, in milliseconds: no machine that runs this has an earlier clock that is right.
const EARLIEST: Stamp = Stamp(1_735_689_600_000);

/// What the tail of a log told.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    batches: u64,
    last: Option<Stamp>,
    /// How far steerable time was moved ahead, if the tail says so.
    offset: Option<Millis>,
    damage: Option<String>,
}

/// Lines about the log and the clock.
pub(crate) fn look(data: &Path) -> Vec<Finding> {
    if !data.join("lock").exists() {
        return vec![Finding::skipped("log", "there is none yet"), clock(None)];
    }
    match read(data) {
        Ok(tail) => vec![sound(data, &tail), clock(Some(&tail))],
        Err(OpenError::InUse(_)) => {
            let told = "a server writes it; `lineside backup` copies it, and `verify` reads a copy";
            vec![Finding::skipped("log", told), clock(None)]
        }
        Err(error) => {
            let remedy = format!("run `lineside verify {}`", data.display());
            vec![Finding::ill("log", error.to_string(), remedy), clock(None)]
        }
    }
}

fn read(data: &Path) -> Result<Tail, OpenError> {
    let mut tail = Tail::default();
    for dumped in disk::dump_tail(data, PartitionId(0), SEGMENTS)? {
        match dumped? {
            Dumped::Batch { at, facts, place, .. } => tail.batch(at, &facts, &place),
            Dumped::Gap { .. } => {}
            Dumped::Damage(finding) => tail.hurt(&finding.to_string()),
        }
    }
    Ok(tail)
}

impl Tail {
    fn batch(&mut self, at: Stamp, facts: &DumpedFacts, place: &str) {
        self.batches = self.batches.saturating_add(1);
        self.last = self.last.max(Some(at));
        match facts {
            DumpedFacts::Whole(facts) => {
                let offset = facts.iter().rev().find_map(|fact| match fact {
                    Fact::Opened(opened) => Some(opened.offset),
                    Fact::ClockMoved(moved) => Some(moved.offset),
                    _ => None,
                });
                self.offset = offset.or(self.offset);
            }
            DumpedFacts::Reclaimed(_) => {}
            DumpedFacts::Damaged(why) => self.hurt(&format!("{place}: {why}")),
        }
    }

    fn hurt(&mut self, what: &str) {
        self.damage.get_or_insert_with(|| what.to_owned());
    }
}

fn sound(data: &Path, tail: &Tail) -> Finding {
    let data = data.display();
    match &tail.damage {
        Some(damage) => {
            let remedy = format!("run `lineside verify {data}`, then `lineside repair {data}`");
            Finding::ill("log", format!("damaged: {damage}"), remedy)
        }
        None => {
            let batches = tail.batches;
            let told = format!(
                "its tail of {batches} batches is sound; `lineside verify {data}` reads all"
            );
            Finding::well("log", told)
        }
    }
}

/// The machine's clock, beside the log's last stamp if that is known.
pub(crate) fn clock(tail: Option<&Tail>) -> Finding {
    compare(Clock::start().now().stamp, tail)
}

fn compare(wall: Stamp, tail: Option<&Tail>) -> Finding {
    if wall < EARLIEST {
        let told = "the machine's clock stands before 2025";
        return Finding::ill("clock", told, "set it, by NTP if it can be");
    }
    let last = tail.and_then(|tail| tail.last.map(|last| (last, tail.offset.unwrap_or_default())));
    let Some((last, offset)) = last else {
        return Finding::well("clock", "the machine's clock looks right");
    };
    let last = Stamp(last.0.saturating_sub(offset.0));
    let behind = last.since(wall);
    if behind > BEHIND_MAX {
        let told = format!(
            "the machine's clock is {} s behind the log's last write, so time would go on from that",
            behind.as_seconds()
        );
        return Finding::warning(
            "clock",
            told,
            "see whether the clock is right, by NTP if it can be",
        );
    }
    let told = format!("the log's last write was {} s ago", wall.since(last).as_seconds());
    Finding::well("clock", told)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn tail(last: Stamp, offset: Millis) -> Tail {
        Tail { last: Some(last), offset: Some(offset), ..Tail::default() }
    }

    const NOW: Stamp = Stamp(1_800_000_000_000);

    #[test]
    fn a_clock_behind_the_log_is_worth_a_warning() {
        let ahead = NOW + Millis::seconds(3600);
        let told = compare(NOW, Some(&tail(ahead, Millis::ZERO)));
        assert_eq!(told.state, State::Warning);
        assert!(told.told.contains("3600 s behind"), "{}", told.told);
        assert_eq!(compare(NOW, Some(&tail(NOW, Millis::ZERO))).state, State::Well);
    }

    #[test]
    fn time_that_was_steered_is_not_the_clocks_fault() {
        let hour = Millis::seconds(3600);
        assert_eq!(compare(NOW, Some(&tail(NOW + hour, hour))).state, State::Well);
    }

    #[test]
    fn a_clock_that_was_never_set_is_ill() {
        assert_eq!(compare(Stamp(0), None).state, State::Ill);
        assert_eq!(compare(NOW, None).state, State::Well);
    }

    #[test]
    fn damage_is_told_with_what_to_do() {
        let mut tail = Tail::default();
        tail.hurt("first");
        tail.hurt("second");
        let told = sound(Path::new("d"), &tail);
        assert_eq!((told.state, told.told.as_str()), (State::Ill, "damaged: first"));
        assert_eq!(told.remedy, "run `lineside verify d`, then `lineside repair d`");
    }
}
