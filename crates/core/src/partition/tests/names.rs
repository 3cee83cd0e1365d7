//! Names: found, listed, given up and taken again.

use super::*;

fn named(names: &[&str]) -> World {
    names
        .iter()
        .fold(World::new(), |world, name| world.with(name, QueueKind::Standard, no_settings()))
}

fn plainly(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[test]
fn a_queue_is_found_by_its_whole_name() {
    let mut world = named(&["a", "ab"]);
    assert_eq!(world.queue(find("ab")), 2);
    assert_eq!(world.refusal(find("abc")), QueueRefusal::Missing { name: name("abc") });
}

#[test]
fn a_listing_is_in_order_and_of_one_prefix() {
    let mut world = named(&["b/2", "a/1", "b/1", "c/1", "b/10"]);
    assert_eq!(world.names(list("b/", None, 10)), (plainly(&["b/1", "b/10", "b/2"]), false));
    assert_eq!(world.names(list("d/", None, 10)), (vec![], false));
}

#[test]
fn a_listing_goes_on_after_the_last_name_of_its_page() {
    let mut world = named(&["q", "q1", "q2"]);
    assert_eq!(world.names(list("q", None, 2)), (plainly(&["q", "q1"]), true));
    assert_eq!(world.names(list("q", Some("q1"), 2)), (plainly(&["q2"]), false));
}

/// Or whoever reads page by page would read it again and again.
#[test]
fn a_page_that_ends_with_the_prefix_itself_is_not_repeated() {
    let mut world = named(&["q", "q1"]);
    assert_eq!(world.names(list("q", None, 1)), (plainly(&["q"]), true));
    assert_eq!(world.names(list("q", Some("q"), 1)), (plainly(&["q1"]), false));
}

#[test]
fn a_page_may_begin_before_the_prefix() {
    let mut world = named(&["a", "q"]);
    assert_eq!(world.names(list("q", Some("a"), 9)), (plainly(&["q"]), false));
}

#[test]
fn a_page_has_no_more_names_than_the_limit() {
    let mut world = World::with_limits(|limits| limits.list_names_max = 2);
    for queue in ["a", "b", "c"] {
        world = world.with(queue, QueueKind::Standard, no_settings());
    }
    assert_eq!(world.names(list("", None, 1000)), (plainly(&["a", "b"]), true));
}

#[test]
fn a_listing_has_queues_of_every_kind() {
    let mut world = named(&["b"]).with("a", QueueKind::Fifo, no_settings());
    world.queue(create_broker("c"));
    assert_eq!(world.names(list("", None, 9)), (plainly(&["a", "b", "c"]), false));
}

#[test]
fn a_deleted_queues_name_rests_for_a_minute() {
    let mut world = named(&["q"]);
    world.done(delete_queue("q"));
    let again = || create("q", QueueKind::Standard, no_settings());
    world.wait_ms(59_999);
    let pause = seconds(60);
    assert_eq!(world.refusal(again()), QueueRefusal::DeletedRecently { pause });
    world.wait_ms(1);
    assert_eq!(world.queue(again()), 2, "a queue's id is never used again");
}

#[test]
fn a_queue_made_again_is_empty() {
    let mut world = named(&["q"]);
    world.sent(send("q"));
    world.done(delete_queue("q"));
    world.wait(60).queue(create("q", QueueKind::Standard, no_settings()));
    assert_eq!(world.counts("q"), [0, 0, 0]);
    assert_eq!(world.tick(10), []);
}

#[test]
fn names_given_up_are_forgotten_in_the_end_whatever_they_are() {
    let mut world = World::with_limits(|limits| limits.recreate_pause = Millis::ZERO);
    // Later names sort before earlier ones.
    for n in (0..100).rev() {
        let queue = format!("q{n:03}");
        world.queue(create(&queue, QueueKind::Standard, no_settings()));
        world.done(delete_queue(&queue));
        world.wait(600);
    }
    let kept = world.partition.directory.given_up_count();
    assert!(kept <= 10, "{kept} kept");
}

#[test]
fn a_broker_queue_has_a_name_like_any_other() {
    let mut world = named(&["q"]);
    assert_eq!(world.queue(create_broker("b")), 2);
    let taken = Refusal::Broker(BrokerRefusal::Exists { name: name("q") });
    assert_eq!(world.say(create_broker("q")), Err(taken));
    let missing = Refusal::Broker(BrokerRefusal::Missing { name: name("none") });
    assert_eq!(world.say(broker_receive("none")), Err(missing));
}

#[test]
fn a_queue_of_the_one_family_is_missing_to_the_other() {
    let mut world = named(&["q"]);
    world.queue(create_broker("b"));
    assert_eq!(world.refusal(send("b")), QueueRefusal::Missing { name: name("b") });
    let missing = Refusal::Broker(BrokerRefusal::Missing { name: name("q") });
    assert_eq!(world.say(broker_receive("q")), Err(missing));
    let setting = Setting::Kind;
    assert_eq!(
        world.refusal(create("b", QueueKind::Standard, no_settings())),
        QueueRefusal::ExistsOtherwise { name: name("b"), setting }
    );
}

#[test]
fn who_waits_waits_at_the_queue_that_the_command_names() {
    let mut world = named(&["q"]);
    world.queue(create_broker("b"));
    let queue_of = |command| world.partition.queue_of(&command);
    assert_eq!(queue_of(receive("q", 1)), Some(QueueId(1)));
    assert_eq!(queue_of(broker_receive("b")), Some(QueueId(2)));
    assert_eq!(queue_of(receive("none", 1)), None);
    assert_eq!(queue_of(send("q")), None);
}
