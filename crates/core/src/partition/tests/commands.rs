//! What commands and replies say of themselves to those who admit them and hold them.

use super::*;

fn all() -> Vec<Command> {
    let lost = receipt(1, 1, 1, 1);
    vec![
        delete("q", lost),
        change_lease("q", lost, 1),
        Command::Canary,
        create("q", QueueKind::Standard, no_settings()),
        change_queue("q", no_settings()),
        delete_queue("q"),
        purge("q"),
        describe("q"),
        find("q"),
        list("", None, 1),
        send("q"),
        receive("q", 1),
        broker_receive("b"),
        tag("q", &[("key", "value")]),
        untag("q", &["key"]),
        list_tags("q"),
        list_sources("q", None, 1),
        start_move("q", None, None),
        list_moves("q"),
        cancel_move("q", id_at(1, 1)),
        peek("q", 0, 1),
    ]
}

#[test]
fn what_makes_room_is_let_in_when_others_are_throttled() {
    let settles: Vec<bool> = all().iter().map(Command::settles).collect();
    assert_eq!(settles, [vec![true; 3], vec![false; 18]].concat());
}

#[test]
fn only_what_is_sent_has_a_body_and_texts_count_as_one() {
    for command in all() {
        let expected = match command {
            Command::Send { .. } => 4,
            Command::TagQueue { .. } => 8,
            _ => 0,
        };
        assert_eq!(command.body_len(), expected, "{command:?}");
    }
    let given = note("ab", Some("cde"));
    assert_eq!(change_queue("q", given.clone()).body_len(), 5);
    assert_eq!(change_queue("q", note("ab", None)).body_len(), 2);
    let (name, kind, tags) = (name("q"), QueueKind::Standard, pairs(&[("k", "v")]));
    assert_eq!(Command::CreateQueue { name, kind, given, tags }.body_len(), 7);
}

#[test]
fn on_a_full_disk_only_what_grows_is_refused() {
    let grows: Vec<Command> = all().into_iter().filter(Command::grows).collect();
    let expected = [
        create("q", QueueKind::Standard, no_settings()),
        change_queue("q", no_settings()),
        send("q"),
        tag("q", &[("key", "value")]),
        start_move("q", None, None),
    ];
    assert_eq!(grows, expected);
}

#[test]
fn only_who_received_nothing_waits_on() {
    let mut world = World::standard();
    let nothing = world.say(receive("q", 1)).unwrap();
    assert!(nothing.is_nothing_yet());
    world.sent(send("q"));
    assert!(!world.say(receive("q", 1)).unwrap().is_nothing_yet());
    assert!(!Reply::Done.is_nothing_yet());
    assert!(world.say(create_broker("b")).is_ok());
    assert!(world.say(broker_receive("b")).unwrap().is_nothing_yet());
}
