//! Recognising what was sent before.

use super::*;

fn by_content(digest: &str) -> Command {
    send_with("f", |message| {
        message.group = Some(label("g"));
        message.dedup = NewDedup::Content(label(digest));
    })
}

fn content_dedup(on: bool) -> SettingsPatch {
    SettingsPatch { content_dedup: Some(on), ..no_settings() }
}

#[test]
fn a_message_remembers_its_id_for_five_minutes() {
    let expected = sent_with(1, 1, |sent| {
        sent.id = id_at(1, 2);
        sent.visible_at = stamp(7);
        sent.group = Some(label("g"));
        sent.dedup = Some(mark("a", stamp(307)));
    });
    given([(0, fifo(1, "f"))]).when(7, send_in("f", "g", "a")).then([expected]);
}

#[test]
fn without_an_id_and_without_content_deduplication_a_message_is_refused() {
    let nothing = send_with("f", |message| message.group = Some(label("g")));
    given([(0, fifo(1, "f"))]).when(1, nothing).refused(QueueRefusal::DedupRequired);
    given([(0, fifo(1, "f"))]).when(1, by_content("x")).refused(QueueRefusal::DedupRequired);
}

#[test]
fn by_content_when_the_queue_says_so() {
    let mut world = World::new().with("f", QueueKind::Fifo, content_dedup(true));
    let first = world.sent(by_content("x"));
    assert_eq!(world.sent(by_content("x")), first);
    assert_ne!(world.sent(by_content("y")), first);
    world.done(change_queue("f", content_dedup(false)));
    assert_eq!(world.refusal(by_content("x")), QueueRefusal::DedupRequired);
}

#[test]
fn an_id_that_was_given_counts_also_where_content_would() {
    let mut world = World::new().with("f", QueueKind::Fifo, content_dedup(true));
    let first = world.sent(send_in("f", "g", "a"));
    assert_ne!(world.sent(send_in("f", "g", "b")), first);
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
}

/// A body's digest given as an id is the same id (SQS developer guide, on deduplication).
#[test]
fn a_digest_given_as_an_id_is_the_same_as_the_contents_own() {
    let mut world = World::new().with("f", QueueKind::Fifo, content_dedup(true));
    let first = world.sent(by_content("x"));
    assert_eq!(world.sent(send_in("f", "g", "x")), first);
}

#[test]
fn a_duplicate_does_not_lengthen_the_window() {
    let mut world = World::fifo();
    let first = world.sent(send_in("f", "g", "a"));
    world.wait(200);
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
    world.wait(100);
    assert_ne!(world.sent(send_in("f", "g", "a")), first);
}

#[test]
fn a_standard_queue_takes_no_id_and_does_not_look_at_content() {
    let with_id = send_with("q", |message| message.dedup = NewDedup::Id(label("a")));
    given([(0, standard(1, "q"))]).when(1, with_id).refused(QueueRefusal::DedupOnStandard);
    let digest = |message: &mut NewMessage| message.dedup = NewDedup::Content(label("x"));
    let mut world = World::standard();
    let first = world.sent(send_with("q", digest));
    assert_ne!(world.sent(send_with("q", digest)), first);
}

#[test]
fn each_queue_has_its_own_ids() {
    let mut world = World::fifo().with("f2", QueueKind::Fifo, no_settings());
    world.sent(send_in("f", "g", "a"));
    world.sent(send_in("f2", "g", "a"));
    assert_eq!(world.counts("f2"), [1, 0, 0]);
}

#[test]
fn a_purge_does_not_make_an_id_free() {
    let mut world = World::fifo();
    let first = world.sent(send_in("f", "g", "a"));
    world.done(purge("f"));
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
    assert_eq!(world.counts("f"), [0, 0, 0]);
    world.wait(300);
    assert_eq!(world.sent(send_in("f", "g", "a")).1, 2);
}

#[test]
fn nor_does_dead_lettering_and_the_other_queue_does_not_know_it() {
    let mut world = World::new().with("d", QueueKind::Fifo, no_settings());
    world = world.with("f", QueueKind::Fifo, dead_letter("d", 1));
    let first = world.sent(send_in("f", "g", "a"));
    world.one(receive("f", 1));
    world.wait(30).got(receive("f", 1));
    assert_eq!(world.counts("d"), [1, 0, 0]);
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
    assert_eq!(world.counts("f"), [0, 0, 0]);
    world.sent(send_in("d", "g", "a"));
    assert_eq!(world.counts("d"), [2, 0, 0]);
}

#[test]
fn nor_does_the_end_of_a_messages_retention() {
    let mut world = World::new().with("f", QueueKind::Fifo, retention(60));
    let first = world.sent(send_in("f", "g", "a"));
    world.wait(60).tick(10);
    assert_eq!(world.counts("f"), [0, 0, 0]);
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
}

#[test]
fn another_owner_knows_the_ids_too() {
    let mut world = World::fifo();
    let first = world.sent(send_in("f", "g", "a"));
    world.restart();
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
}

#[test]
fn a_queue_made_again_knows_none() {
    let mut world = World::fifo();
    world.sent(send_in("f", "g", "a"));
    world.done(delete_queue("f"));
    world.wait(60).queue(create("f", QueueKind::Fifo, no_settings()));
    world.sent(send_in("f", "g", "a"));
    assert_eq!(world.counts("f"), [1, 0, 0]);
}

fn per_group() -> SettingsPatch {
    SettingsPatch { dedup_scope: Some(Scope::Group), ..no_settings() }
}

#[test]
fn an_id_counts_in_the_whole_queue_or_in_its_group() {
    let mut whole = World::fifo();
    let first = whole.sent(send_in("f", "g", "a"));
    assert_eq!(whole.sent(send_in("f", "h", "a")), first);
    let mut grouped = World::new().with("f", QueueKind::Fifo, per_group());
    let first = grouped.sent(send_in("f", "g", "a"));
    let other = grouped.sent(send_in("f", "h", "a"));
    assert_ne!(other, first);
    assert_eq!(grouped.sent(send_in("f", "g", "a")), first);
    assert_eq!(grouped.sent(send_in("f", "h", "a")), other);
}

#[test]
fn content_counts_in_its_group_too() {
    let given = SettingsPatch { content_dedup: Some(true), ..per_group() };
    let mut world = World::new().with("f", QueueKind::Fifo, given);
    let first = world.sent(by_content("x"));
    assert_eq!(world.sent(by_content("x")), first);
    let elsewhere = send_with("f", |message| {
        message.group = Some(label("h"));
        message.dedup = NewDedup::Content(label("x"));
    });
    assert_ne!(world.sent(elsewhere), first);
}

/// The fact says where the id counts, so that a log means the same whatever the queue is set to.
#[test]
fn a_message_says_where_its_id_counts() {
    let expected = sent_with(1, 1, |sent| {
        sent.id = id_at(1, 2);
        sent.visible_at = stamp(7);
        sent.group = Some(label("g"));
        sent.dedup = Some(mark("a", stamp(307)));
        sent.dedup_scope = Some(Scope::Group);
    });
    let created = created(1, "f", QueueKind::Fifo, &per_group());
    given([(0, created)]).when(7, send_in("f", "g", "a")).then([expected]);
}

#[test]
fn what_was_remembered_under_one_scope_means_nothing_under_the_other_and_is_kept() {
    let mut world = World::fifo();
    let first = world.sent(send_in("f", "g", "a"));
    world.done(change_queue("f", per_group()));
    let second = world.sent(send_in("f", "g", "a"));
    assert_ne!(second, first);
    let back = SettingsPatch { dedup_scope: Some(Scope::Queue), ..no_settings() };
    world.done(change_queue("f", back));
    assert_eq!(world.sent(send_in("f", "g", "a")), first);
    world.restart();
    assert_eq!(world.sent(send_in("f", "h", "a")), first);
    world.done(change_queue("f", per_group()));
    assert_eq!(world.sent(send_in("f", "g", "a")), second);
}
