//! What waiting messages and idle queues cost, as the operating system sees it. One test, since two
//! at once would count each other's memory; on Linux, since the figure is in `/proc`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use bytes::Bytes;
use lineside_core::command::{Command, NewDedup, NewMessage};
use lineside_core::id::{Name, PartitionId, Place, Position};
use lineside_core::limits::Limits;
use lineside_core::partition::Partition;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::stamp::Stamp;

const MESSAGES: u32 = 1_000_000;
const QUEUES: u32 = 100_000;

struct World {
    partition: Partition,
    position: u64,
}

impl World {
    fn new() -> World {
        World { partition: Partition::new(PartitionId(0), Limits::cloud()), position: 0 }
    }

    /// A millisecond for each command.
    fn say(&mut self, command: &Command) {
        let (at, position) = (Stamp(1_760_000_000_000 + self.position), Position(self.position));
        let here = Place { position, index: 0 };
        let verdict = self.partition.decide(at, here, command);
        assert!(verdict.answer.is_ok(), "{:?}", verdict.answer);
        for (index, fact) in verdict.facts.facts.iter().enumerate() {
            self.partition.evolve(at, here.plus(index), fact);
        }
        self.position += 1;
    }
}

fn create(name: &str) -> Command {
    let given = SettingsPatch::default();
    Command::CreateQueue { name: Name::new(name), kind: QueueKind::Standard, given, tags: Vec::new() }
}

fn send(name: &str) -> Command {
    let body = Bytes::from_static(b"body");
    let message = NewMessage { body, size: 4, delay: None, group: None, dedup: NewDedup::None };
    Command::Send { queue: Name::new(name), message }
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
    kibibytes * 1024
}

/// What each of `count` things costs.
fn each(count: u32, mut make: impl FnMut(u32)) -> u64 {
    let before = resident();
    (0..count).for_each(&mut make);
    (resident() - before) / u64::from(count)
}

#[test]
fn a_message_that_waits_and_a_queue_that_is_idle_cost_little() {
    let mut busy = World::new();
    busy.say(&create("q"));
    let message = each(MESSAGES, |_| busy.say(&send("q")));
    let mut idle = World::new();
    let name = |n| format!("aws/000000000000/us-east-1/queue/a-name-as-they-are-{n:06}");
    let queue = each(QUEUES, |n| idle.say(&create(&name(n))));
    println!("{message} bytes for a message, {queue} for a queue");
    assert!((64..=150).contains(&message), "{message} bytes for a message");
    assert!((200..=600).contains(&queue), "{queue} bytes for a queue");
}
