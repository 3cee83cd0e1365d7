//! What waiting messages and idle queues cost, as the operating system sees it. One test, since two
//! at once would count each other's memory; on Linux, since the figure is in `/proc`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use bytes::Bytes;
use lineside_core::broker::{BrokerCommand, BrokerOperation, BrokerSettings, NewBrokerMessage};
use lineside_core::command::{Command, NewDedup, NewMessage};
use lineside_core::id::{Label, Name, PartitionId, Place, Position};
use lineside_core::limits::Limits;
use lineside_core::partition::Partition;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::stamp::{Millis, Stamp};

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
    Command::CreateQueue {
        name: Name::new(name),
        kind: QueueKind::Standard,
        given,
        tags: Vec::new(),
    }
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

/// What each of `count` things costs, as the system sees it and as the partition estimates it.
fn each(world: &mut World, count: u32, mut make: impl FnMut(&mut World, u32)) -> (u64, u64) {
    let before = (resident(), world.partition.state_bytes());
    (0..count).for_each(|n| make(world, n));
    let after = (resident(), world.partition.state_bytes());
    ((after.0 - before.0) / u64::from(count), (after.1 - before.1) / u64::from(count))
}

/// Says what `count` things cost; the estimate is not far off.
fn weigh(what: &str, world: &mut World, count: u32, make: impl FnMut(&mut World, u32)) -> u64 {
    let (bytes, estimate) = each(world, count, make);
    println!("{what}: {bytes} bytes, estimated at {estimate}");
    assert!(estimate >= bytes * 2 / 3 && estimate <= bytes * 3 / 2, "{what}: {bytes}, {estimate}");
    bytes
}

fn in_group(name: &str, group: String, dedup: NewDedup) -> Command {
    let Command::Send { queue, message } = send(name) else { unreachable!() };
    Command::Send {
        queue,
        message: NewMessage { group: Some(Label::new(group)), dedup, ..message },
    }
}

fn in_session(name: &str, session: Option<String>, id: String) -> Command {
    let message = NewBrokerMessage {
        body: Bytes::from_static(b"body"),
        message_id: Some(Label::new(id)),
        session: session.map(Label::new),
        ttl: Some(Millis::seconds(1_209_600)),
        scheduled_at: None,
    };
    let operation = BrokerOperation::Send { message };
    Command::Broker(BrokerCommand::To { queue: Name::new(name), operation })
}

fn broker(sessions: bool, dedup: bool) -> World {
    let mut world = World::new();
    let dedup_window = dedup.then_some(Millis::seconds(600));
    let settings = BrokerSettings { sessions, dedup_window, ..BrokerSettings::default() };
    world.say(&Command::Broker(BrokerCommand::Create { name: Name::new("b"), settings }));
    world
}

fn polled(name: &str, kind: QueueKind) -> World {
    let mut world = World::new();
    let Command::CreateQueue { name, given, tags, .. } = create(name) else { unreachable!() };
    world.say(&Command::CreateQueue { name, kind, given, tags });
    world
}

/// Ids as people make them.
fn id(n: u32) -> String {
    format!("0a1b2c3d-4e5f-6071-8293-{n:012x}")
}

#[test]
fn a_message_that_waits_and_a_queue_that_is_idle_cost_little() {
    let mut busy = World::new();
    busy.say(&create("q"));
    let message = weigh("a message", &mut busy, MESSAGES, |world, _| world.say(&send("q")));
    let mut idle = World::new();
    let name = |n| format!("aws/000000000000/us-east-1/queue/a-name-as-they-are-{n:06}");
    let queue = weigh("a queue", &mut idle, QUEUES, |world, n| world.say(&create(&name(n))));
    assert!((64..=150).contains(&message), "{message} bytes for a message");
    assert!((200..=620).contains(&queue), "{queue} bytes for a queue");

    let receive = Command::Receive {
        queue: Name::new("q"),
        max: 1,
        visibility: Some(Millis::seconds(3600)),
        wait: None,
        attempt: None,
        alone: false,
    };
    weigh("a lease more", &mut busy, 100_000, |world, _| world.say(&receive));
    for (what, groups) in
        [("a message of one of ten tenants", 10), ("a message and tenant", QUEUES)]
    {
        let mut tenants = polled("q", QueueKind::Standard);
        weigh(what, &mut tenants, QUEUES, |world, n| {
            world.say(&in_group("q", id(n % groups), NewDedup::None));
        });
        std::mem::forget(tenants);
    }
    for (what, groups) in [("a message in one of ten groups", 10), ("a message and group", QUEUES)]
    {
        let mut fifo = polled("f", QueueKind::Fifo);
        weigh(what, &mut fifo, QUEUES, |world, n| {
            let dedup = NewDedup::Id(Label::new(id(n)));
            world.say(&in_group("f", id(n % groups), dedup));
        });
        std::mem::forget(fifo);
    }
    for (what, sessions, dedup) in [
        ("a broker's message", false, false),
        ("one whose id is remembered", false, true),
        ("a broker's message and session", true, false),
    ] {
        let mut world = broker(sessions, dedup);
        weigh(what, &mut world, QUEUES, |world, n| {
            world.say(&in_session("b", sessions.then(|| id(n)), id(n)));
        });
        std::mem::forget(world);
    }
}
