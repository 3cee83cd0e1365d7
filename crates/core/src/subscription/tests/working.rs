//! Workers that share a subscription's queue: order in each group, attempts, what is parked and
//! comes back.

use super::*;

/// Events 1, 2 and 4 in group `g`, 3 in `h`.
fn fed() -> World {
    let mut world = World::with_workers(4);
    let messages =
        [1, 2, 3, 4].map(|event| of_event(event, Some(["g", "h"][usize::from(event == 3)])));
    assert_eq!(world.say(advance("w", 0, 4, &messages)), at(4));
    world
}

impl World {
    #[track_caller]
    fn events_got(&mut self, max: usize) -> Vec<u64> {
        let got = self.got(receive("w/q", max));
        got.iter().map(|delivery| self.event_of(delivery.body)).collect()
    }
}

#[test]
fn a_group_waits_for_its_first_and_others_do_not() {
    let mut world = fed();
    let first = world.one(receive("w/q", 1));
    assert_eq!(world.event_of(first.body), 1);
    assert_eq!(world.events_got(9), [3]);
    world.done(delete("w/q", first.receipt));
    assert_eq!(world.events_got(9), [2, 4]);
}

#[test]
fn who_wants_one_of_each_group_gets_the_firsts_alone() {
    let mut world = fed();
    let got = world.got(receive_alone("w/q", 9));
    assert_eq!(got.iter().map(|one| world.event_of(one.body)).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(world.got(receive_alone("w/q", 9)), [], "their groups wait for them");
    world.done(park("w/q", got[0].receipt, None));
    let next = world.one(receive_alone("w/q", 9));
    assert_eq!(world.event_of(next.body), 2);
}

/// What is buried on the way is no message of the group any more.
#[test]
fn one_that_is_buried_leaves_its_place_to_the_next() {
    let mut world = fed();
    for _ in 0..3 {
        let got = world.one(receive_alone("w/q", 1));
        assert_eq!(world.event_of(got.body), 1);
        world.wait(30);
    }
    let next = world.one(receive_alone("w/q", 1));
    assert_eq!((world.event_of(next.body), world.events_in("w/p")), (2, vec![1]));
}

#[test]
fn what_is_given_up_is_handed_out_again_before_what_is_behind_it() {
    let mut world = fed();
    let first = world.one(receive("w/q", 1));
    world.done(change_lease("w/q", first.receipt, 0));
    assert_eq!(world.events_got(2), [1, 2]);
}

#[test]
fn what_was_tried_so_often_is_parked_and_says_nothing_of_a_reason() {
    let mut world = fed();
    for _ in 0..3 {
        assert_eq!(world.events_got(1), [1]);
        world.wait(30);
    }
    assert_eq!(world.events_got(1), [2], "the group goes on without it");
    let (parked, _) = world.peeked(&peek("w/p", 0, 9));
    assert_eq!(parked.len(), 1);
    assert_eq!((parked[0].receives, &parked[0].reason), (3, &None));
    assert_eq!(parked[0].origin, Some(name("w/q")));
}

#[test]
fn what_a_worker_parks_is_there_with_his_reason_and_the_group_goes_on() {
    let mut world = fed();
    let first = world.one(receive("w/q", 1));
    world.done(park("w/q", first.receipt, Some("no such order")));
    assert_eq!(world.events_in("w/p"), [1]);
    let (parked, _) = world.peeked(&peek("w/p", 0, 9));
    assert_eq!(parked[0].reason, Some(text("no such order")));
    assert_eq!((parked[0].receives, &parked[0].group), (1, &Some(label("g"))));
    assert_eq!(world.events_got(1), [2]);
}

#[test]
fn what_comes_back_is_behind_what_is_there_with_all_its_attempts() {
    let mut world = fed();
    for _ in 0..3 {
        world.wait(30).events_got(1);
    }
    world.wait(30).events_got(9);
    assert_eq!(world.say(give_back("w/p", &[1])), Ok(Reply::Moved { moved: 1 }));
    assert_eq!((world.events_in("w/q"), world.events_in("w/p")), (vec![2, 3, 4, 1], vec![]));
    let (messages, _) = world.peeked(&peek("w/q", 0, 9));
    let back = messages.last().unwrap();
    assert_eq!((back.receives, &back.origin, &back.reason), (0, &None, &None));
}

#[test]
fn nothing_waits_too_long_for_workers() {
    let mut world = fed();
    world.wait(90 * 365 * 24 * 3600);
    assert_eq!(world.tick(99), []);
    assert_eq!(world.events_in("w/q"), [1, 2, 3, 4]);
}
