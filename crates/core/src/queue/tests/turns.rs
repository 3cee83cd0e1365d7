//! A decision looks at no more messages than a bound, however long the queue.

use super::*;

const LONG: u64 = 5_000;

/// Looks at 7 messages at most in one receive.
fn long(kind: QueueKind, given: SettingsPatch, sent: impl Fn(u64) -> Fact) -> World {
    let mut world = World::with_limits(|limits| limits.receive_scan_max = 7);
    world = world.with("d", kind, no_settings()).with("q", kind, given);
    let mut facts = Facts::none();
    (1..=LONG).for_each(|seq| facts.push(sent(seq)));
    world.take_in(facts);
    world
}

fn each_in_a_group(seq: u64) -> Fact {
    sent_in(2, seq, &seq.to_string())
}

fn lease_all(world: &mut World, kind: QueueKind) {
    let (lease, seqs) = match kind {
        QueueKind::Standard => (soft_lease as fn(u64, u32, Stamp, &[u64]) -> Fact, 1..=LONG),
        QueueKind::Fifo => (hard_lease as fn(u64, u32, Stamp, &[u64]) -> Fact, 1..=LONG),
    };
    let until = world.at + seconds(30);
    world.take_in(Facts::one(lease(2, 1, until, &seqs.collect::<Vec<_>>())));
}

/// For each message that a receive may look at, its head and its body of the group are found.
#[track_caller]
fn is_bounded(world: &World, command: &Command) -> Verdict {
    let (looked_at, verdict) = looked_at::counting(|| world.decide(command));
    assert!(looked_at <= 4 * 7, "{looked_at} messages for {command:?}");
    assert!(verdict.facts.len() <= 8, "{} facts for {command:?}", verdict.facts.len());
    verdict
}

#[test]
fn a_receive_of_many_that_go_to_the_dead_letters() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        for sent in [each_in_a_group, |seq| sent_in(2, seq, "g")] {
            let mut world = long(kind, dead_letter("d", 1), sent);
            lease_all(&mut world, kind);
            world.wait(30);
            let verdict = is_bounded(&world, &receive("q", 10));
            assert_eq!(verdict.facts.len(), 7);
        }
    }
}

#[test]
fn a_receive_of_many_past_their_retention() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        for sent in [each_in_a_group, |seq| sent_in(2, seq, "g")] {
            let mut world = long(kind, retention(60), sent);
            world.wait(60);
            let verdict = is_bounded(&world, &receive("q", 10));
            assert_eq!(verdict.answer, Ok(Reply::Received(vec![])));
            assert_eq!(world.next_visible("q"), Some(60_001), "the tick comes first");
        }
    }
}

#[test]
fn a_receive_of_many_that_a_raised_delay_holds_back() {
    let mut world = long(QueueKind::Fifo, no_settings(), each_in_a_group);
    lease_all(&mut world, QueueKind::Fifo);
    world.done(change_queue("q", delay(900)));
    world.wait(30);
    let verdict = is_bounded(&world, &receive("q", 10));
    assert_eq!(verdict.answer, Ok(Reply::Received(vec![])));
    let (looked_at, next) = looked_at::counting(|| world.next_visible("q"));
    assert!(looked_at <= 4 * 7, "{looked_at} messages");
    assert_eq!(next, Some(900_000));
}

#[test]
fn a_receive_of_many_groups_in_flight() {
    let mut world = long(QueueKind::Fifo, no_settings(), each_in_a_group);
    lease_all(&mut world, QueueKind::Fifo);
    assert_eq!(is_bounded(&world, &receive("q", 10)).answer, Ok(Reply::Received(vec![])));
}

#[test]
fn a_receive_of_one_group_whose_first_is_in_flight() {
    let mut world = long(QueueKind::Fifo, no_settings(), |seq| sent_in(2, seq, "g"));
    world.one(receive("q", 1));
    assert_eq!(is_bounded(&world, &receive("q", 10)).answer, Ok(Reply::Received(vec![])));
}

#[test]
fn commands_about_one_message_look_at_one() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = long(kind, no_settings(), each_in_a_group);
        let receipt = world.one(receive("q", 1)).receipt;
        for command in [delete("q", receipt), change_lease("q", receipt, 9)] {
            assert_eq!(looked_at::counting(|| world.say(command)).0, 1);
        }
        let send = send_of(kind, "q", "a");
        assert_eq!(looked_at::counting(|| world.sent(send)).0, 0);
    }
}

#[test]
fn purging_and_deleting_write_one_fact_and_look_at_nothing() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let world = long(kind, no_settings(), each_in_a_group);
        for (command, fact) in [(purge("q"), purged(2)), (delete_queue("q"), queue_deleted(2))] {
            let (looked_at, _) =
                looked_at::counting(|| world.clone().when(1, command).then([fact]));
            assert_eq!(looked_at, 0);
        }
    }
}

#[test]
fn what_a_purge_or_a_deletion_leaves_is_given_away_to_be_dropped_elsewhere() {
    let mut world = long(QueueKind::Standard, no_settings(), |seq| sent(2, seq));
    assert!(world.partition.take_garbage().is_none());
    world.done(purge("q"));
    assert!(world.partition.take_garbage().is_some());
    assert!(world.partition.take_garbage().is_none());
    world.done(delete_queue("q"));
    assert!(world.partition.take_garbage().is_some());
}

#[test]
fn a_message_that_waits_is_48_bytes() {
    assert_eq!(size_of::<Message>(), 48);
}

#[test]
fn leases_that_ended_long_ago_do_not_pile_up() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = long(kind, no_settings(), each_in_a_group);
        lease_all(&mut world, kind);
        world.wait(30);
        for _ in 0..LONG / 20 {
            world.got(receive("q", 10));
            world.wait(30);
        }
        assert!(world.leases_indexed("q") <= 20, "{} indexed", world.leases_indexed("q"));
    }
}
