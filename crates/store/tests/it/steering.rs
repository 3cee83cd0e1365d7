//! The log in memory under a steering hand.

use futures::FutureExt;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{AppendError, Log, Room, Ticket};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::memory::fault::{Failure, Written};
use lineside_store::{MemoryLog, Steering};

const P: PartitionId = PartitionId(0);

fn submit(log: &MemoryLog, at: u64, tag: u64) -> Ticket {
    log.submit(P, Position(at), Room::default(), batch(tag, &[5]))
}

fn told(ticket: &mut Ticket) -> Option<Result<(), AppendError>> {
    ticket.now_or_never()
}

fn tags(steering: &Steering) -> Vec<u64> {
    steering.batches(P).iter().map(|batch| batch.at.0 - 1_000_000).collect()
}

fn rejected(ticket: &mut Ticket) -> bool {
    matches!(told(ticket), Some(Err(AppendError::Rejected(_))))
}

fn unknown(ticket: &mut Ticket) -> bool {
    matches!(told(ticket), Some(Err(AppendError::Unknown(_))))
}

#[test]
fn nothing_happens_until_the_hand_says_so() {
    let (log, steering) = MemoryLog::steered();
    let (mut first, mut second) = (submit(&log, 0, 0), submit(&log, 1, 1));
    let me = log.connection();
    assert_eq!(told(&mut first), None);
    assert_eq!(steering.pending(me).len(), 2);
    assert!(!steering.answer(me), "it was not written");

    assert_eq!(steering.write(me), Some(Written::Durable));
    assert_eq!(tags(&steering), [0]);
    assert_eq!(told(&mut first), None, "written and not told");
    assert_eq!(steering.pending(me)[0].written, Some(Written::Durable));
    assert!(steering.answer(me));
    assert_eq!(told(&mut first), Some(Ok(())));

    assert!(steering.complete(me));
    assert_eq!(told(&mut second), Some(Ok(())));
    assert!(!steering.complete(me));
    assert_eq!(steering.write(me), None);
}

#[test]
fn reads_show_what_is_durable_only() {
    let (log, steering) = MemoryLog::steered();
    let _ticket = submit(&log, 0, 3);
    let shown = || {
        let tail = log.tail(P).now_or_never().unwrap().unwrap();
        (tail.0, log.body(P, body_ref(0, 0, 5)).now_or_never().unwrap().ok())
    };
    assert_eq!(shown(), (0, None));
    steering.write(log.connection());
    assert_eq!(shown(), (1, Some(body(3, 0, 5))));
}

#[test]
fn of_two_owners_the_first_to_arrive_wins() {
    let (old, steering) = MemoryLog::steered();
    let new = old.connect();
    let mut late = [submit(&old, 0, 1), submit(&old, 1, 2)];
    let mut early = submit(&new, 0, 3);
    assert!(steering.complete(new.connection()));
    assert_eq!(told(&mut early), Some(Ok(())));
    assert_eq!(steering.write(old.connection()), Some(Written::Refused));
    // Its position fits now, and it rests on a batch that is not in the log.
    assert_eq!(steering.write(old.connection()), Some(Written::Refused));
    assert!(steering.answer(old.connection()) && steering.answer(old.connection()));
    assert_eq!(told(&mut late[0]), Some(Err(AppendError::Conflict)));
    assert!(rejected(&mut late[1]));
    assert!(rejected(&mut submit(&old, 1, 4)));
    assert_eq!(tags(&steering), [3]);
}

#[test]
fn feigned_conflict_fails_its_partition_only() {
    let (log, steering) = MemoryLog::steered();
    let mut here = [submit(&log, 0, 0), submit(&log, 1, 1)];
    let other = PartitionId(1);
    let mut there = log.submit(other, Position(0), Room::default(), batch(2, &[]));
    assert!(steering.fail(log.connection(), Failure::Conflict));
    assert_eq!(told(&mut here[0]), Some(Err(AppendError::Conflict)));
    assert!(rejected(&mut here[1]));
    assert!(steering.complete(log.connection()));
    assert_eq!(told(&mut there), Some(Ok(())));
    assert_eq!(tags(&steering), []);
}

#[test]
fn rejection_breaks_the_connection_and_writes_nothing() {
    let (log, steering) = MemoryLog::steered();
    let mut tickets = [submit(&log, 0, 0), submit(&log, 1, 1)];
    assert!(steering.fail(log.connection(), Failure::Rejected));
    assert!(tickets.iter_mut().all(rejected));
    assert!(rejected(&mut submit(&log, 0, 5)));
    assert_eq!(tags(&steering), []);
    let next = log.connect();
    let mut ticket = submit(&next, 0, 6);
    assert!(steering.complete(next.connection()));
    assert_eq!(told(&mut ticket), Some(Ok(())));
}

#[test]
fn unknown_may_be_written_or_not() {
    for written in 0..4 {
        let (log, steering) = MemoryLog::steered();
        let mut tickets = [submit(&log, 0, 0), submit(&log, 1, 1), submit(&log, 2, 2)];
        assert!(steering.fail(log.connection(), Failure::Unknown { written }));
        assert!(tickets.iter_mut().all(unknown));
        assert_eq!(tags(&steering).len(), written.min(3));
    }
}

#[test]
fn failure_cannot_deny_what_was_written() {
    let (log, steering) = MemoryLog::steered();
    let mut ticket = submit(&log, 0, 0);
    steering.write(log.connection());
    assert!(!steering.fail(log.connection(), Failure::Conflict));
    assert!(!steering.fail(log.connection(), Failure::Rejected));
    assert_eq!(told(&mut ticket), None);
    assert!(steering.fail(log.connection(), Failure::Unknown { written: 0 }));
    assert!(unknown(&mut ticket));
    assert_eq!(tags(&steering), [0]);
}

#[test]
fn crash_keeps_a_prefix() {
    for keep in 0..5 {
        let (log, steering) = MemoryLog::steered();
        let survivor = log.connect();
        let mut tickets: Vec<_> = (0..3).map(|at| submit(&log, at, at)).collect();
        steering.complete(log.connection());
        assert_eq!(steering.crash(log.connection(), keep), keep.min(2));
        assert_eq!(told(&mut tickets[0]), Some(Ok(())));
        assert!(tickets[1..].iter_mut().all(unknown));
        assert_eq!(tags(&steering), (0..3).take(1 + keep).collect::<Vec<_>>());
        assert!(rejected(&mut submit(&log, 9, 9)), "a dead connection takes nothing");
        let tail = survivor.tail(P).now_or_never().unwrap().unwrap();
        let mut next = submit(&survivor, tail.0, 7);
        assert!(steering.complete(survivor.connection()));
        assert_eq!(told(&mut next), Some(Ok(())));
    }
}

#[test]
fn crash_of_one_of_two_owners_keeps_only_what_still_fits() {
    let (old, steering) = MemoryLog::steered();
    let new = old.connect();
    let _late = [submit(&old, 0, 0), submit(&old, 1, 1)];
    let _early = submit(&new, 0, 5);
    steering.complete(new.connection());
    assert_eq!(steering.crash(old.connection(), 2), 0);
    assert_eq!(tags(&steering), [5]);
    assert_eq!(steering.connections(), [old.connection(), new.connection()]);
}

#[test]
fn close_waits_for_the_hand() {
    let (log, steering) = MemoryLog::steered();
    let _ticket = submit(&log, 0, 0);
    let mut close = log.close();
    assert!((&mut close).now_or_never().is_none());
    steering.complete(log.connection());
    assert_eq!(close.now_or_never(), Some(Ok(())));
}

/// What is reclaimed is gone for its readers, and not for the hand, which folds from position 0.
#[tokio::test]
async fn hand_sees_what_was_reclaimed() {
    use futures::StreamExt;
    let (log, hand) = MemoryLog::steered();
    for tag in 0..4 {
        let ticket = log.submit(P, Position(tag), Room::default(), batch(tag, &[10]));
        while hand.complete(log.connection()) {}
        ticket.await.unwrap();
    }
    let kept = lineside_store::conformance::body_ref(1, 0, 10);
    let living = lineside_engine::living::LivingSet::of(vec![kept.place]);
    log.retain(P, Position(3), living);
    let (first, _) = log.read(P, Position(0)).next().await.unwrap().unwrap();
    assert_eq!(first, Position(3));
    assert!(log.body(P, kept).await.is_ok());
    let all: Vec<_> = (0..4).map(|tag| batch(tag, &[10])).collect();
    assert_eq!(hand.batches(P), all);
}
