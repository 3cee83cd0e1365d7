//! What a receipt can do to the message that it names.

use super::*;

const TWELVE_HOURS: u64 = 12 * 3600;

fn leased(kind: QueueKind) -> World {
    let lease = if kind == QueueKind::Standard { soft_lease } else { hard_lease };
    let created = created(1, "q", kind, &no_settings());
    given([(0, created), (0, sent_in(1, 1, "g")), (10, lease(1, 1, stamp(40), &[1]))])
}

fn both() -> [World; 2] {
    [leased(QueueKind::Standard), leased(QueueKind::Fifo)]
}

#[test]
fn a_delivery_names_its_lease_and_tells_the_messages_story() {
    let mut world = World::standard();
    let (id, _) = world.wait(3).sent(send("q"));
    world.wait(2).one(receive("q", 1));
    world.wait(30);
    let again = world.one(receive("q", 1));
    let expected = Delivery {
        id,
        seq: Seq(1),
        ordered: false,
        body: BodyRef { place: place(2), len: 4 },
        receipt: receipt(1, 1, 1, 2),
        sent_at: stamp(3),
        first_received_at: stamp(5),
        receives: 2,
        origin: None,
    };
    assert_eq!(again, expected);
}

#[test]
fn a_running_lease_settles() {
    for world in both() {
        let then = world.when(39, delete("q", receipt(1, 1, 1, 1)));
        then.says(Reply::Done).then([deleted(1, 1)]).rests_on(4);
    }
}

#[test]
fn settling_again_succeeds_and_does_nothing() {
    for mut world in both() {
        world.done(delete("q", receipt(1, 1, 1, 1)));
        let again = world.when(11, delete("q", receipt(1, 1, 1, 1)));
        again.says(Reply::Done).then([]).rests_on(4);
    }
}

#[test]
fn a_message_that_is_gone_has_no_lease_to_change() {
    for mut world in both() {
        world.done(delete("q", receipt(1, 1, 1, 1)));
        world
            .when(11, change_lease("q", receipt(1, 1, 1, 1), 1))
            .refused(QueueRefusal::NotChangeable);
    }
}

#[test]
fn an_older_receipt_changes_nothing() {
    for mut world in both() {
        world.wait(30).one(receive("q", 1));
        world
            .when(41, change_lease("q", receipt(1, 1, 1, 1), 1))
            .refused(QueueRefusal::NotChangeable);
    }
}

#[test]
fn a_lease_ends_at_its_moment_exclusive() {
    for world in both() {
        let change = || change_lease("q", receipt(1, 1, 1, 1), 5);
        world.clone().when(39, change()).says(Reply::Done);
        world.when(40, change()).refused(QueueRefusal::NotInFlight);
    }
}

#[test]
fn a_lease_lasts_twelve_hours_in_all_at_most() {
    for world in both() {
        let change = |timeout| change_lease("q", receipt(1, 1, 1, 1), timeout);
        let limit = seconds(TWELVE_HOURS);
        world.clone().when(20, change(TWELVE_HOURS - 10)).says(Reply::Done);
        world.when(20, change(TWELVE_HOURS - 9)).refused(QueueRefusal::LeaseTooLong { limit });
    }
}

#[test]
fn a_changed_lease_ends_at_its_new_moment_sooner_or_later() {
    for mut world in both() {
        let receipt = receipt(1, 1, 1, 1);
        world.wait(10).done(change_lease("q", receipt, 60));
        world.wait(59);
        assert_eq!(world.seqs(receive("q", 1)), []);
        world.done(change_lease("q", receipt, 5));
        world.wait(5);
        assert_eq!(world.seqs(receive("q", 1)), [1]);
    }
}

#[test]
fn a_message_that_was_given_back_is_no_longer_in_flight_and_a_standard_one_still_settles() {
    for mut world in both() {
        let receipt = receipt(1, 1, 1, 1);
        world.done(change_lease("q", receipt, 0));
        assert_eq!(world.refusal(change_lease("q", receipt, 9)), QueueRefusal::NotInFlight);
    }
    let mut world = leased(QueueKind::Standard);
    world.done(change_lease("q", receipt(1, 1, 1, 1), 0));
    world.done(delete("q", receipt(1, 1, 1, 1)));
    assert_eq!(world.counts("q"), [0, 0, 0]);
}

#[test]
fn a_lease_of_no_length_hides_nothing() {
    let mut world = World::standard();
    world.sent(send("q"));
    assert_eq!(world.one(receive_for("q", 1, 0)).receives, 1);
    assert_eq!(world.one(receive_for("q", 1, 0)).receives, 2);
}

#[test]
fn a_receipt_of_another_queue_is_refused_by_each() {
    for world in both() {
        let other = receipt(2, 1, 1, 1);
        let refusal = QueueRefusal::ReceiptOfAnotherQueue;
        world.clone().when(11, delete("q", other)).refused(refusal.clone());
        world.when(11, change_lease("q", other, 1)).refused(refusal);
    }
}

#[test]
fn a_purge_takes_the_leases_with_it() {
    for mut world in both() {
        world.done(purge("q"));
        world.done(delete("q", receipt(1, 1, 1, 1)));
        let change = change_lease("q", receipt(1, 1, 1, 1), 1);
        assert_eq!(world.refusal(change), QueueRefusal::NotChangeable);
    }
}
