//! What state weighs: the more is kept the more, and nothing when it is gone.

use super::*;

/// A queue `q` on a scale that shows what is there beside it.
struct Scale {
    world: World,
    empty: u64,
}

impl Scale {
    fn of(world: World) -> Scale {
        let empty = world.partition.state_bytes();
        Scale { world, empty }
    }

    fn shows(&self) -> u64 {
        self.world.partition.state_bytes() - self.empty
    }
}

#[test]
fn messages_weigh_and_nothing_is_left_of_them() {
    let mut scale = Scale::of(World::standard());
    assert!((400..1000).contains(&scale.empty), "{}", scale.empty);
    let mut before = 0;
    for n in 1..=10 {
        scale.world.sent(send("q"));
        let each = scale.shows() - before;
        assert!((90..150).contains(&each), "message {n} weighs {each}");
        before = scale.shows();
    }
    let handed_out = scale.world.got(receive("q", 10));
    assert!(scale.shows() > before, "what was handed out weighs more");
    for delivery in handed_out {
        scale.world.done(delete("q", delivery.receipt));
    }
    assert_eq!(scale.shows(), 0);
}

#[test]
fn a_purge_leaves_the_queue_and_a_deletion_a_name() {
    let mut scale = Scale::of(World::standard());
    for _ in 0..10 {
        scale.world.sent(send("q"));
    }
    scale.world.done(purge("q"));
    assert_eq!(scale.shows(), 0);
    scale.world.done(delete_queue("q"));
    let left = scale.world.partition.state_bytes();
    assert!(left < 400, "{left} for a name that was given up");
}

#[test]
fn an_id_that_is_remembered_outlasts_its_message() {
    let mut scale = Scale::of(World::fifo());
    scale.world.sent(send_in("f", "g", "d"));
    let sent = scale.shows();
    let receipt = scale.world.one(receive("f", 1)).receipt;
    scale.world.done(delete("f", receipt));
    let left = scale.shows();
    assert!((100..400).contains(&left) && sent > left + 400, "{left} of {sent}");
}

#[test]
fn what_somebody_wrote_on_a_message_or_a_queue_weighs_what_it_is_long() {
    let weigh = |group: &str| {
        let mut scale = Scale::of(World::standard());
        scale.world.sent(send_with("q", |message| message.group = Some(label(group))));
        scale.shows()
    };
    assert_eq!(weigh(&"g".repeat(128)), weigh("g") + 127);
    let mut scale = Scale::of(World::standard());
    scale.world.done(tag("q", &[("key", &"v".repeat(200))]));
    scale.world.done(change_queue("q", note("policy", Some(&"p".repeat(1000)))));
    assert!((1200..1500).contains(&scale.shows()), "{}", scale.shows());
}
