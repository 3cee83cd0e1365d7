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
    ]
}

#[test]
fn what_makes_room_is_let_in_when_others_are_throttled() {
    let settles: Vec<bool> = all().iter().map(Command::settles).collect();
    assert_eq!(settles, [vec![true; 3], vec![false; 10]].concat());
}

#[test]
fn only_what_is_sent_has_a_body() {
    for command in all() {
        let expected = if matches!(command, Command::Send { .. }) { 4 } else { 0 };
        assert_eq!(command.body_len(), expected, "{command:?}");
    }
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
