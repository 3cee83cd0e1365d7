//! Item 19 of the list of SQS's semantics: fair queues.

use super::*;

fn of(tenant: &str) -> Command {
    send_with("q", |message| message.group = Some(label(tenant)))
}

/// So many messages of a tenant; without a name, of nobody.
fn come(world: &mut World, tenant: &str, count: usize) {
    for _ in 0..count {
        world.sent(if tenant.is_empty() { send("q") } else { of(tenant) });
    }
}

/// So many messages are handed out, one by one.
fn taken(world: &mut World, count: usize) -> Vec<Delivery> {
    (0..count).map(|_| world.one(receive_for("q", 1, 600))).collect()
}

/// All are handed out for so long, and settled when it is over.
fn worked(world: &mut World, count: usize, ms: u64) {
    let taken = taken(world, count);
    world.wait_ms(ms);
    taken.into_iter().for_each(|delivery| world.done(delete("q", delivery.receipt)));
}

/// So many in flight of `a`, so many of nobody, then two that wait: of `a` and, behind it, of `b`.
fn waiting_behind(of_a: usize, of_nobody: usize) -> (World, u64, u64) {
    let mut world = World::standard();
    come(&mut world, "", of_nobody);
    come(&mut world, "a", of_a);
    taken(&mut world, of_a + of_nobody);
    let (_, a) = world.sent(of("a"));
    let (_, b) = world.sent(of("b"));
    (world, a, b)
}

#[test]
fn item_19_who_has_thirty_in_flight_and_over_a_tenth_of_all_comes_last() {
    let (mut world, a, b) = waiting_behind(30, 269);
    assert_eq!(world.seqs(receive("q", 10)), [b, a]);
}

#[test]
fn item_19_with_a_tenth_of_all_in_flight_nobody_is_noisy() {
    let (mut world, a, b) = waiting_behind(30, 270);
    assert_eq!(world.seqs(receive("q", 10)), [a, b]);
}

#[test]
fn item_19_with_29_in_flight_nobody_is_noisy_by_them() {
    let (mut world, a, b) = waiting_behind(29, 0);
    assert_eq!(world.seqs(receive("q", 10)), [a, b]);
}

#[test]
fn item_19_leases_that_ended_are_not_in_flight() {
    let (mut world, a, b) = waiting_behind(31, 0);
    world.wait(599);
    assert_eq!(world.clone().seqs(receive("q", 2)), [b, a]);
    assert_eq!(world.wait(1).seqs(receive("q", 4)), [a, b, 1, 2]);
}

#[test]
fn item_19_who_took_over_a_tenth_of_the_receivers_time_comes_last() {
    for (time_of_a, order) in [(100, [true, false]), (101, [false, true])] {
        let mut world = World::standard();
        // The time of all counts as long as there is a tenant.
        come(&mut world, "x", 1);
        taken(&mut world, 1);
        come(&mut world, "", 1);
        worked(&mut world, 1, 900);
        come(&mut world, "a", 1);
        worked(&mut world, 1, time_of_a);
        let (_, a) = world.sent(of("a"));
        let (_, b) = world.sent(of("b"));
        let came: Vec<bool> = world.seqs(receive("q", 10)).iter().map(|seq| *seq == a).collect();
        assert_eq!(came, order, "{time_of_a} ms; {a} before {b}");
    }
}

#[test]
fn item_19_a_lease_that_ends_by_itself_took_its_time_and_no_more() {
    let mut world = World::standard();
    come(&mut world, "a", 1);
    world.one(receive_for("q", 1, 1));
    world.wait(10);
    // Noticed ten seconds later; it was one.
    come(&mut world, "c", 1);
    let again = world.one(receive_for("q", 1, 600));
    assert_eq!(again.seq, Seq(2), "`a` took all of the time");
    world.wait_ms(9_001);
    world.done(delete("q", again.receipt));
    let first = world.one(receive_for("q", 1, 600));
    assert_eq!(first.seq, Seq(1), "a second of ten is no more than a tenth");
}

#[test]
fn item_19_a_lease_that_is_given_back_took_the_time_until_then() {
    let mut world = World::standard();
    come(&mut world, "a", 1);
    let lease = world.one(receive_for("q", 1, 600));
    world.wait_ms(100).done(change_lease("q", lease.receipt, 300));
    world.wait_ms(100).done(change_lease("q", lease.receipt, 0));
    let (_, c) = world.sent(of("c"));
    let of_c = world.one(receive_for("q", 1, 600));
    assert_eq!(of_c.seq, Seq(c));
    world.wait_ms(1_799).done(delete("q", of_c.receipt));
    let (_, b) = world.sent(of("b"));
    assert_eq!(world.clone().seqs(receive("q", 1)), [b], "200 of 1,999 are more than a tenth");
}

#[test]
fn item_19_a_message_without_a_group_is_its_own_tenant_and_never_noisy() {
    let mut world = World::standard();
    come(&mut world, "x", 1);
    come(&mut world, "", 40);
    taken(&mut world, 41);
    world.sent(send("q"));
    world.sent(of("b"));
    world.sent(send("q"));
    assert_eq!(world.seqs(receive("q", 10)), [42, 43, 44]);
}

#[test]
fn item_19_quiet_tenants_keep_the_order_of_arrival_among_them() {
    let (mut world, a, b) = waiting_behind(30, 0);
    world.sent(send("q"));
    world.sent(of("c"));
    world.sent(of("b"));
    assert_eq!(world.seqs(receive("q", 10)), [b, b + 1, b + 2, b + 3, a]);
}

#[test]
fn item_19_when_nobody_else_has_work_a_noisy_tenant_gets_all() {
    let mut world = World::standard();
    come(&mut world, "a", 100);
    let all: Vec<u64> = (0..10).flat_map(|_| world.seqs(receive("q", 10))).collect();
    assert_eq!(all, (1..=100).collect::<Vec<u64>>());
}

#[test]
fn item_19_of_noisy_tenants_who_has_least_in_flight_comes_first() {
    let mut world = World::standard();
    come(&mut world, "a", 32);
    come(&mut world, "b", 30);
    taken(&mut world, 62);
    let a: Vec<u64> = (0..3).map(|_| world.sent(of("a")).1).collect();
    let b: Vec<u64> = (0..5).map(|_| world.sent(of("b")).1).collect();
    let taken = world.seqs(receive("q", 8));
    // 30 and 31 of `b`, then both have 32; from there on in turns.
    assert_eq!(taken, [b[0], b[1], a[0], b[2], a[1], b[3], a[2], b[4]]);
}

#[test]
fn item_19_who_has_less_in_flight_again_is_quiet_again() {
    let mut world = World::standard();
    come(&mut world, "a", 30);
    let held = taken(&mut world, 30);
    let (_, a) = world.sent(of("a"));
    let (_, b) = world.sent(of("b"));
    assert_eq!(world.clone().seqs(receive("q", 2)), [b, a]);
    // In no time at all: what is settled at once took nothing.
    world.done(delete("q", held[0].receipt));
    assert_eq!(world.seqs(receive("q", 2)), [a, b]);
}

#[test]
fn item_19_five_minutes_after_its_last_work_a_tenant_is_quiet_again() {
    let mut world = World::standard();
    come(&mut world, "a", 1);
    worked(&mut world, 1, 1000);
    let (_, a) = world.sent(of("a"));
    let (_, b) = world.sent(of("b"));
    assert_eq!(world.clone().wait(230).seqs(receive("q", 2)), [b, a]);
    assert_eq!(world.wait(300).seqs(receive("q", 2)), [a, b]);
}

#[test]
fn item_19_a_purge_makes_a_new_beginning() {
    let (mut world, ..) = waiting_behind(30, 0);
    world.done(purge("q"));
    let (_, a) = world.sent(of("a"));
    let (_, b) = world.sent(of("b"));
    assert_eq!(world.seqs(receive("q", 2)), [a, b]);
}

#[test]
fn item_19_dead_letters_and_moved_messages_keep_their_tenant() {
    let mut world = World::new().with("d", QueueKind::Standard, no_settings());
    world = world.with("q", QueueKind::Standard, dead_letter("d", 1));
    world.sent(of("a"));
    world.one(receive_for("q", 1, 1));
    world.wait(1).got(receive("q", 1));
    let groups = |world: &World, queue: &str| -> Vec<Option<Label>> {
        world.peeked(&peek(queue, 0, 10)).0.into_iter().map(|message| message.group).collect()
    };
    assert_eq!(groups(&world, "d"), [Some(label("a"))]);
    world.say(start_move("d", None, None)).unwrap();
    world.wait(1).tick(10);
    assert_eq!(groups(&world, "q"), [Some(label("a"))]);
}

#[test]
fn a_receive_looks_at_few_messages_of_many_tenants_and_of_one_with_many() {
    let mut world = World::standard();
    come(&mut world, "a", 3_000);
    taken(&mut world, 40);
    for tenant in 0..2_000 {
        world.sent(of(&tenant.to_string()));
    }
    let (looked_at, verdict) = looked_at::counting(|| world.decide(&receive("q", 10)));
    assert!(looked_at <= 10, "{looked_at}");
    let Ok(Reply::Received(deliveries)) = verdict.answer else { panic!("{:?}", verdict.answer) };
    let seqs: Vec<u64> = deliveries.iter().map(|delivery| delivery.seq.0).collect();
    assert_eq!(seqs, (3_001..=3_010).collect::<Vec<u64>>());
}
