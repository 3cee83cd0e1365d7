//! What whoever keeps the index asks for.

use super::*;
use crate::events::{RecentEvents, RecentHead};

fn recent(after: u64, max: usize) -> Command {
    let (store, after) = (name("e"), EventNumber(after));
    Command::RecentEvents { store, after, max, wait: Millis(1000) }
}

impl World {
    #[track_caller]
    fn recent(&self, after: u64, max: usize) -> RecentEvents {
        match self.decide(&recent(after, max)).answer {
            Ok(Reply::Recent(recent)) => recent,
            other => panic!("{other:?}"),
        }
    }

    fn recent_numbers(&self, after: u64, max: usize) -> Vec<u64> {
        self.recent(after, max).events.iter().map(|event| event.number.0).collect()
    }
}

#[test]
fn each_event_comes_with_all_that_an_index_wants() {
    let mut world = World::events();
    let mut told = event_with("s-1", "Paid", &["t"]);
    told.correlation = Some(label("c"));
    world.append(append_all([event("s-1"), told]));
    let [_, second] = &world.recent(0, 9).events[..] else { panic!("two events") };
    let head = RecentHead {
        stream: label("s-1"),
        kind: label("Paid"),
        tags: labels(&["t"]),
        correlation: Some(label("c")),
    };
    assert_eq!(second.head, head);
    assert_eq!((second.number.0, second.version.0), (2, 2));
    assert_eq!((second.index, second.count, second.store), (1, 2, QueueId(1)));
    let batch = &world.log[usize::try_from(second.body.place.position.0).unwrap()];
    assert_eq!(batch.at, second.stamp);
    let (index, body) = &batch.facts.bodies[1];
    assert_eq!((second.body.place.index, second.body.len as usize), (*index, body.len()));
    assert_eq!(EventBody::decode(body).unwrap().assigned.number.0, 2);
}

#[test]
fn they_come_from_a_number_on_and_no_more_than_asked_for() {
    let mut world = World::events_with(|limits| limits.recent_page_max = 3);
    (0..6).for_each(|_| drop(world.append(append(&["a"]))));
    assert_eq!(world.recent_numbers(0, 2), [1, 2]);
    assert_eq!(world.recent_numbers(2, 99), [3, 4, 5]);
    assert_eq!(world.recent_numbers(5, 99), [6]);
    assert_eq!(world.recent_numbers(6, 99), []);
}

/// Whoever is behind what was let go sees it, and has to read the log.
#[test]
fn who_asks_for_what_was_let_go_is_told() {
    let mut world = World::events();
    (0..4).for_each(|_| drop(world.append(append(&["a"]))));
    world.indexed(3);
    let recent = world.recent(1, 9);
    assert_eq!((recent.indexed.0, recent.events.len()), (3, 1));
}

#[test]
fn while_there_are_none_it_is_worth_waiting() {
    let mut world = World::events();
    let command = recent(0, 9);
    assert_eq!(world.partition.queue_of(&command), Some(QueueId(1)));
    assert_eq!(world.partition.patience_of(&command), Millis(1000));
    assert!(world.decide(&command).answer.unwrap().is_nothing_yet());
    world.append(append(&["a"]));
    assert!(!world.decide(&command).answer.unwrap().is_nothing_yet());
}
