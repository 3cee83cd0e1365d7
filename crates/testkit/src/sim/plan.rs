//! What one seed's world is like. Each seed takes a few features and leaves others out, since a
//! world with everything in it seldom goes far in any direction.

use lineside_core::limits::Limits;
use lineside_core::stamp::Millis;

use crate::rng::Rng;

/// The kind of a queue in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Standard,
    Fifo,
    Broker { sessions: bool },
    Events,
    Subscription(Feeding),
}

/// What a subscription mostly makes of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feeding {
    /// Messages of queues of its own.
    Workers,
    /// Messages of somebody's queue.
    Queue,
    Nothing,
}

/// A queue's name, and what it mostly is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueuePlan {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

const STANDARD: [&str; 3] = ["jobs", "mail", "jobs-dead"];
const FIFO: [&str; 3] = ["orders", "steps", "orders-dead"];
const PLAIN: [&str; 2] = ["parcels", "letters"];
const SESSIONS: [&str; 2] = ["chats", "carts"];
const STORES: [&str; 2] = ["books", "diary"];
const SUBSCRIPTIONS: [(&str, Feeding); 3] =
    [("reads", Feeding::Nothing), ("bills", Feeding::Queue), ("ships", Feeding::Workers)];

/// What happens in a world, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) limits: Limits,
    pub(crate) queues: Vec<QueuePlan>,
    pub(crate) steps: usize,
    pub(crate) weights: Weights,
    pub(crate) faults: Faults,
    /// Most commands that are sent at once.
    pub(crate) burst_max: u64,
    /// With so many messages in a queue its callers rather receive than send.
    pub(crate) backlog_max: usize,
    /// How patient receivers are: percent of receives that wait.
    pub(crate) waits: u64,
    /// Percent of wishes of polled queues that are about tags, moves, or looks.
    pub(crate) looks: u64,
    /// Percent of steps through time that are long.
    pub(crate) long_times: u64,
    /// The budget of an owner's state, in bytes: some queues and few messages, or none.
    pub(crate) state_bytes_max: u64,
}

/// How often the world does what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    pub(crate) call: u32,
    pub(crate) turn: u32,
    pub(crate) log: u32,
    pub(crate) time: u32,
    pub(crate) fault: u32,
    pub(crate) steer_time: u32,
    pub(crate) go_away: u32,
    pub(crate) checkpoint: u32,
}

/// How often which fault, when there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) crash: u32,
    pub(crate) rival: u32,
    pub(crate) conflict: u32,
    pub(crate) rejected: u32,
    pub(crate) unknown: u32,
    pub(crate) full: u32,
    pub(crate) shutdown: u32,
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn new(rng: &mut Rng) -> Plan {
        let (faults, backlog_max) = (faults(rng), backlog(rng));
        let waits = rng.one(&[0, 20, 70], 20);
        Plan {
            limits: limits(rng),
            queues: queues(rng),
            steps: 1000,
            weights: Weights {
                call: 30,
                turn: 30,
                log: rng.one(&[12, 30, 60], 30),
                time: rng.one(&[2, 6, 15], 6),
                fault: rng.one(&[0, 1, 1, 1], 1),
                steer_time: u32::from(rng.chance(50)),
                go_away: u32::from(rng.chance(50)),
                checkpoint: rng.one(&[0, 4, 12], 4),
            },
            faults,
            burst_max: rng.one(&[2, 8, 24], 8),
            backlog_max,
            waits: if backlog_max < CROWD { waits } else { 0 },
            looks: rng.one(&[0, 10, 25], 10),
            long_times: rng.one(&[2, 10, 30], 10),
            state_bytes_max: rng.one(&[u64::MAX, u64::MAX, u64::MAX, 12_000, 25_000], u64::MAX),
        }
    }
}

/// More messages than one tick may take.
const CROWD: usize = 1200;

/// Seldom a crowd, since the models are slow then.
fn backlog(rng: &mut Rng) -> usize {
    if rng.below(400) == 0 { CROWD } else { rng.one(&[6, 20, 20, 60], 20) }
}

fn faults(rng: &mut Rng) -> Faults {
    let mut some = |weight| if rng.chance(50) { weight } else { 0 };
    Faults {
        crash: some(8) + 1,
        rival: some(6),
        conflict: some(1),
        rejected: some(1),
        unknown: some(2),
        full: some(2),
        shutdown: some(1),
    }
}

fn limits(rng: &mut Rng) -> Limits {
    let cloud = Limits::cloud();
    Limits {
        receive_messages_max: rng.one(&[10, 10, 3], 10),
        standard_in_flight_max: rng.one(&[cloud.standard_in_flight_max, 6], 6),
        fifo_in_flight_max: rng.one(&[cloud.fifo_in_flight_max, 6], 6),
        lease_total_max: rng.one(&[cloud.lease_total_max, Millis::seconds(40)], Millis(1)),
        dedup_window: rng.one(&[cloud.dedup_window, Millis::seconds(20)], Millis(1)),
        receive_attempt_window: rng.one(&[cloud.dedup_window, Millis::seconds(20)], Millis(1)),
        purge_pause: rng.one(&[cloud.purge_pause, Millis::ZERO], Millis(1)),
        recreate_pause: rng.one(&[cloud.recreate_pause, Millis::ZERO], Millis(1)),
        list_names_max: rng.one(&[cloud.list_names_max, 2], 2),
        receive_scan_max: rng.one(&[cloud.receive_scan_max, cloud.receive_scan_max, 5], 5),
        noisy_in_flight_min: rng.one(&[2, 4, cloud.noisy_in_flight_min], 2),
        noisy_percent: rng.one(&[cloud.noisy_percent, 30], 30),
        noisy_count_max: usize::MAX,
        dead_letter_sources_max: 2,
        notes_bytes_max: 40,
        tags_max: 3,
        move_step_max: rng.one(&[cloud.move_step_max, 2], 2),
        move_scan_max: rng.one(&[cloud.move_scan_max, 3], 3),
        peek_messages_max: rng.one(&[cloud.peek_messages_max, 3], 3),
        peek_scan_max: rng.one(&[cloud.peek_scan_max, 5], 5),
        unsettled_max: rng.one(&[cloud.unsettled_max, 3], 3),
        append_events_max: 5,
        recent_events_max: rng.one(&[cloud.recent_events_max, 20], 20),
        recent_page_max: rng.one(&[cloud.recent_page_max, 3], 3),
        indexed_step_max: rng.one(&[cloud.indexed_step_max, 10], 10),
        subscription_window_max: rng.one(&[cloud.subscription_window_max, 3], 3),
        subscription_step_max: rng.one(&[cloud.subscription_step_max, 3], 3),
        ..cloud
    }
}

/// One to three queues of each kind, or none of some kinds; and whoever follows events has some.
fn queues(rng: &mut Rng) -> Vec<QueuePlan> {
    let families: [(&[&'static str], Kind); 5] = [
        (&STANDARD, Kind::Standard),
        (&FIFO, Kind::Fifo),
        (&PLAIN, Kind::Broker { sessions: false }),
        (&SESSIONS, Kind::Broker { sessions: true }),
        (&STORES, Kind::Events),
    ];
    let follows = rng.chance(40);
    let chosen = rng.between(1, 31) | if follows { 1 << 4 } else { 0 };
    let mut queues = Vec::new();
    for (bit, (names, kind)) in families.into_iter().enumerate() {
        if chosen >> bit & 1 == 1 {
            let count = 1 + rng.index(names.len());
            let names = names.iter().rev().take(count);
            queues.extend(names.map(|name| QueuePlan { name, kind }));
        }
    }
    if follows {
        let count = 1 + rng.index(SUBSCRIPTIONS.len());
        let several = SUBSCRIPTIONS.iter().rev().take(count);
        queues.extend(several.map(|(name, feeding)| {
            let kind = Kind::Subscription(*feeding);
            QueuePlan { name, kind }
        }));
    }
    queues
}
