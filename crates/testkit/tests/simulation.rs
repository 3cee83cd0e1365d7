//! The simulation over a few seeds: that it finds nothing, that it does what it says, and that it
//! would find something. `make sim` runs it over many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

use std::collections::BTreeMap;

use lineside_core::command::{Command, NewMessage, Reply};
use lineside_core::events::{Append, Appended, Boundary, Expected, Query};
use lineside_core::fact::{Fact, Moved};
use lineside_core::id::{EventNumber, Label, MessageId, Seq, Text, Version};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_core::stamp::Stamp;
use lineside_core::subscription::SubscriptionCommand;
use lineside_testkit::ledger::{CallId, Entry, Heard};
use lineside_testkit::model::Violation;
use lineside_testkit::sim::{Run, kinds, run_twice};

/// Runs seeds, each of which has to be right; the counts of all of them.
fn run(seeds: std::ops::Range<u64>) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for seed in seeds {
        let run = Run::new(seed, false);
        if let Err(Violation(what)) = run.check() {
            panic!("seed {seed}: {what}");
        }
        for (what, count) in run.journal.counts() {
            *counts.entry(*what).or_default() += count;
        }
    }
    counts
}

fn assert_all(counts: &BTreeMap<&'static str, u64>, names: &[&str]) {
    let never = names.iter().filter(|name| !counts.contains_key(**name));
    assert_eq!(never.collect::<Vec<_>>(), Vec::<&&str>::new(), "never happened");
}

#[test]
fn every_fact_refusal_and_trouble_is_met() {
    let counts = run(0..160);
    assert_all(&counts, &kinds::FACTS);
    assert_all(&counts, &kinds::REFUSALS);
    assert_all(&counts, &kinds::TROUBLES);
}

#[test]
fn crash_at_any_point() {
    let counts = run(1000..1025);
    let names = [
        "crash",
        "crash with a write under way",
        "crash that kept some of what was under way",
        "soft lease lost",
        "batch lost",
    ];
    assert_all(&counts, &names);
}

#[test]
fn two_owners_fight_for_the_partition() {
    let counts = run(2000..2025);
    let names = ["take-over beside a living owner", "decided by a fenced owner", "owner fenced"];
    assert_all(&counts, &names);
    let fought = (2000..2025).map(|seed| Run::new(seed, false)).find(has_fight);
    assert!(fought.is_some(), "no two owners who both served and wrote, and one was fenced");
}

/// Whether an owner was told of facts that are not in the log, after another one had taken over
/// from it and served too.
fn has_fight(run: &Run) -> bool {
    let served: Vec<_> = run.ledger.tenures.iter().filter(|tenure| tenure.served).collect();
    served.windows(2).any(|pair| {
        let [old, new] = pair else { return false };
        let Some((_, fence, _)) = new.opened() else { return false };
        let decided = |entry: &&Entry| matches!(entry, Entry::Decided { .. });
        let wrote_beyond = |entry: &&Entry| {
            let facts = entry.facts().filter(|(_, facts)| !facts.is_empty());
            facts.is_some_and(|(moment, _)| moment.here.position >= fence)
        };
        let both = new.entries.iter().filter(decided).count() > 0;
        both && old.entries.iter().filter(decided).any(|entry| wrote_beyond(&entry))
    })
}

#[test]
fn every_seed_twice_gives_the_same_trace() {
    let mut hashes = Vec::new();
    for seed in 3000..3010 {
        let (run, check) = run_twice(seed);
        assert_eq!(check, Ok(()), "seed {seed}");
        hashes.push(run.journal.hash());
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 10, "different seeds give different traces");
}

#[test]
fn a_readable_trace_is_the_same_run() {
    let (quiet, readable) = (Run::new(7, false), Run::new(7, true));
    assert_eq!(quiet.journal.hash(), readable.journal.hash());
    assert!(quiet.journal.lines().is_empty());
    let lines = readable.journal.lines();
    let told = |what: &str| lines.iter().any(|line| line.contains(what));
    let whats = ["opened epoch 1", "owner 0 call 0: create", "caller 0 hears"];
    whats.into_iter().for_each(|what| assert!(told(what), "no {what:?} in {} lines", lines.len()));
}

/// A run that is right, and has what a test wants to spoil.
fn right(has: impl Fn(&Run) -> bool) -> Run {
    let mut runs = (0..200).map(|seed| Run::new(seed, false));
    let run = runs.find(has).expect("some seed has it");
    assert_eq!(run.check(), Ok(()));
    run
}

fn assert_wrong(run: &Run, why: &str) {
    let Err(Violation(what)) = run.check() else { panic!("nothing was found") };
    assert!(what.contains(why), "{what}");
}

/// Of the last owner, whose decisions all survive: the last decision that `has` something, as the
/// caller heard it.
fn last_decision(run: &Run, has: impl Fn(&Command, &Reply) -> bool) -> Option<(usize, CallId)> {
    let tenure = run.ledger.tenures.last()?;
    let entries = tenure.entries.iter().enumerate().rev();
    let mut found = entries.filter_map(|(index, entry)| match entry {
        Entry::Decided { call, verdict, .. } => {
            let told = run.ledger.calls.get(call.0)?;
            let heard = matches!(told.heard, Heard::Answer(_));
            let reply = verdict.answer.as_ref().ok()?;
            (heard && has(&told.command, reply)).then_some((index, *call))
        }
        _ => None,
    });
    found.next()
}

fn is_sent(_: &Command, reply: &Reply) -> bool {
    matches!(reply, Reply::Sent { .. })
}

fn has_delivery(_: &Command, reply: &Reply) -> bool {
    matches!(reply, Reply::Received(deliveries) if !deliveries.is_empty())
}

fn is_description(_: &Command, reply: &Reply) -> bool {
    matches!(reply, Reply::Description(_))
}

/// Changes what an owner said and what the caller heard, both in the same way.
fn retell(run: &mut Run, (index, call): (usize, CallId), change: impl Fn(&mut Reply)) {
    let tenure = run.ledger.tenures.last_mut().expect("an owner");
    let Some(Entry::Decided { verdict, .. }) = tenure.entries.get_mut(index) else { return };
    verdict.answer.as_mut().into_iter().for_each(&change);
    run.ledger.calls[call.0].heard = Heard::Answer(verdict.answer.clone());
}

#[test]
fn an_acknowledged_send_that_is_lost_is_found() {
    let mut run = right(|run| last_decision(run, is_sent).is_some());
    let (index, _) = last_decision(&run, is_sent).expect("a send");
    let entry = &run.ledger.tenures.last().expect("an owner").entries[index];
    let (moment, _) = entry.facts().expect("its fact");
    // As if the log had lost its end, from the batch with that send on.
    run.log.truncate(usize::try_from(moment.here.position.0).expect("a small log"));
    assert_wrong(&run, "and it is lost");
}

#[test]
fn a_fact_that_the_log_has_otherwise_is_found() {
    let mut run = right(|run| last_decision(run, is_sent).is_some());
    let facts = run.log.iter_mut().flat_map(|batch| &mut batch.facts.facts);
    let sent = facts.filter_map(|fact| match fact {
        Fact::Sent(sent) => Some(sent),
        _ => None,
    });
    sent.last().expect("a send").seq = Seq(999_999);
    assert_wrong(&run, "the log has at");
}

#[test]
fn a_body_that_the_log_has_otherwise_is_found() {
    let mut run = right(|run| last_decision(run, is_sent).is_some());
    let bodies = run.log.iter_mut().flat_map(|batch| &mut batch.facts.bodies);
    bodies.last().expect("a body").1 = bytes::Bytes::from_static(b"not what was sent");
    assert_wrong(&run, "other bodies");
}

#[test]
fn an_answer_other_than_what_was_decided_is_found() {
    let mut run = right(|run| last_decision(run, is_sent).is_some());
    let (_, call) = last_decision(&run, is_sent).expect("a send");
    let refusal = Refusal::Queue(QueueRefusal::GroupRequired);
    run.ledger.calls[call.0].heard = Heard::Answer(Err(refusal));
    assert_wrong(&run, "and the owner said");
}

#[test]
fn a_message_that_is_handed_out_twice_is_found() {
    let mut run = right(|run| last_decision(run, has_delivery).is_some());
    let decision = last_decision(&run, has_delivery).expect("a delivery");
    retell(&mut run, decision, |reply| {
        let Reply::Received(deliveries) = reply else { return };
        let first = deliveries.first().cloned();
        deliveries.extend(first);
    });
    assert!(run.check().is_err());
}

#[test]
fn a_message_that_is_withheld_is_found() {
    let mut run = right(|run| last_decision(run, has_delivery).is_some());
    let decision = last_decision(&run, has_delivery).expect("a delivery");
    retell(&mut run, decision, |reply| *reply = Reply::Received(Vec::new()));
    assert!(run.check().is_err());
}

/// As if another rule had said who is noisy.
#[test]
fn a_noisy_tenant_that_is_served_before_a_quiet_one_is_found() {
    let found = (0..200).map(|seed| Run::new(seed, false)).find_map(|mut run| {
        assert_eq!(run.check(), Ok(()));
        (run.limits.noisy_in_flight_min, run.limits.noisy_percent) = (1, 0);
        run.check().err()
    });
    let Violation(what) = found.expect("some seed has a tenant that could be called noisy");
    assert!(what.contains("of noisy tenants"), "{what}");
}

#[test]
fn a_count_that_is_off_by_one_is_found() {
    let mut run = right(|run| last_decision(run, is_description).is_some());
    let decision = last_decision(&run, is_description).expect("a description");
    retell(&mut run, decision, |reply| {
        if let Reply::Description(description) = reply {
            description.visible += 1;
        }
    });
    assert_wrong(&run, "and should be");
}

#[test]
fn a_message_that_a_peek_hides_is_found() {
    let shows = |_: &Command, reply: &Reply| matches!(reply, Reply::Peeked { messages, .. } if !messages.is_empty());
    let mut run = right(|run| last_decision(run, shows).is_some());
    let decision = last_decision(&run, shows).expect("a peek");
    retell(&mut run, decision, |reply| {
        let Reply::Peeked { messages, .. } = reply else { return };
        messages.pop();
    });
    assert_wrong(&run, "and should be");
}

#[test]
fn a_move_that_says_more_than_it_has_moved_is_found() {
    let lists = |_: &Command, reply: &Reply| matches!(reply, Reply::Moves(all) if !all.is_empty());
    let mut run = right(|run| last_decision(run, lists).is_some());
    let decision = last_decision(&run, lists).expect("a list of moves");
    retell(&mut run, decision, |reply| {
        let Reply::Moves(tasks) = reply else { return };
        tasks.iter_mut().for_each(|task| task.moved += 1);
    });
    assert_wrong(&run, "and should be");
}

/// All facts, those of the log and what owners wrote down.
fn all_facts(run: &mut Run) -> Vec<&mut Fact> {
    let written = run.ledger.tenures.iter_mut().flat_map(|tenure| &mut tenure.entries);
    let written = written.filter_map(|entry| match entry {
        Entry::Happened { facts, .. } => Some(&mut facts.facts),
        _ => None,
    });
    let logged = run.log.iter_mut().map(|batch| &mut batch.facts.facts);
    logged.chain(written).flatten().collect()
}

/// The tasks that somebody started; what somebody gave back by name is of none.
fn tasks(run: &Run) -> Vec<MessageId> {
    let facts = run.log.iter().flat_map(|batch| &batch.facts.facts);
    let started = facts.filter_map(|fact| match fact {
        Fact::MoveStarted(started) => Some(started.task),
        _ => None,
    });
    started.collect()
}

fn last_moved(run: &Run) -> Option<Moved> {
    let tasks = tasks(run);
    let mut facts = run.log.iter().rev().flat_map(|batch| batch.facts.facts.iter().rev());
    facts.find_map(|fact| match fact {
        Fact::Moved(moved) if tasks.contains(&moved.task) => Some(moved.clone()),
        _ => None,
    })
}

/// What a move did is told otherwise, by its owner and by the log alike.
fn assert_no_move_is_told_otherwise(change: impl Fn(&mut Moved)) {
    let mut run = right(|run| last_moved(run).is_some());
    let last = last_moved(&run).expect("a message that was moved");
    for fact in all_facts(&mut run) {
        if let Fact::Moved(moved) = fact
            && *moved == last
        {
            change(moved);
        }
    }
    let Err(Violation(what)) = run.check() else { panic!("nothing was found") };
    assert!(what.contains("and should be") || what.contains("two messages"), "{what}");
}

#[test]
fn a_message_that_is_moved_otherwise_than_by_the_rules_is_found() {
    assert_no_move_is_told_otherwise(|moved| moved.seq = moved.seq.next());
    assert_no_move_is_told_otherwise(|moved| moved.to_seq = moved.to_seq.next());
    assert_no_move_is_told_otherwise(|moved| moved.body.len += 1);
    assert_no_move_is_told_otherwise(|moved| moved.id = moved.task);
    assert_no_move_is_told_otherwise(|moved| moved.visible_at = Stamp(1));
}

fn is_appended(_: &Command, reply: &Reply) -> bool {
    matches!(reply, Reply::Appended(reply) if !reply.again)
}

fn is_done_again(_: &Command, reply: &Reply) -> bool {
    matches!(reply, Reply::Appended(reply) if reply.again)
}

/// As if an append had been asked for otherwise than it was.
fn ask_otherwise(run: &mut Run, call: CallId, change: impl Fn(&mut Append)) {
    let Command::Append(append) = &mut run.ledger.calls[call.0].command else {
        panic!("it is no append")
    };
    change(append);
}

#[test]
fn an_append_that_is_answered_otherwise_is_found() {
    for has in [is_appended, is_done_again] {
        let mut run = right(|run| last_decision(run, has).is_some());
        let decision = last_decision(&run, has).expect("an append");
        retell(&mut run, decision, |reply| {
            let Reply::Appended(answer) = reply else { return };
            answer.streams.iter_mut().for_each(|(_, version)| *version = version.next());
        });
        assert_wrong(&run, "and should be");
    }
}

#[test]
fn an_append_that_a_moved_boundary_or_version_forbids_is_found() {
    let has_more =
        |_: &Command, reply: &Reply| matches!(reply, Reply::Appended(r) if r.first.0 > 9);
    let both =
        |command: &Command, reply: &Reply| is_appended(command, reply) && has_more(command, reply);
    let changes: [fn(&mut Append); 2] = [
        |append| {
            let (query, after) = (Query::all(), EventNumber(0));
            append.boundary = Some(Boundary { query, after });
        },
        |append| {
            let never = Expected::At(Version(u64::MAX));
            append.expected = vec![(append.events[0].stream.clone(), never)];
        },
    ];
    for change in changes {
        let mut run = right(|run| last_decision(run, both).is_some());
        let (_, call) = last_decision(&run, both).expect("an append");
        ask_otherwise(&mut run, call, change);
        assert_wrong(&run, "and should be");
    }
}

#[test]
fn a_repeat_that_is_appended_again_is_found() {
    let mut run = right(|run| last_decision(run, is_appended).is_some());
    let (_, call) = last_decision(&run, is_appended).expect("an append");
    // It was done before, if anything at all was.
    ask_otherwise(&mut run, call, |append| append.unless = Some(Query::all()));
    let appended = |run: &Run| {
        let facts = run.log.iter().flat_map(|batch| &batch.facts.facts);
        facts.filter(|fact| matches!(fact, Fact::Appended(_))).count()
    };
    assert!(appended(&run) > 10, "the seed has other events");
    assert_wrong(&run, "and should be");
}

#[test]
fn an_event_that_is_found_by_something_else_is_found() {
    let changes: [fn(&mut Appended); 3] = [
        |event| event.version = event.version.next(),
        |event| event.number = event.number.next(),
        |event| event.tags.push(Label::new("nobody's")),
    ];
    for change in changes {
        let mut run = right(|run| last_decision(run, is_appended).is_some());
        let (index, _) = last_decision(&run, is_appended).expect("an append");
        let told = |fact: &mut Fact| {
            if let Fact::Appended(event) = fact {
                change(event)
            }
        };
        let entry = &mut run.ledger.tenures.last_mut().expect("an owner").entries[index];
        let Entry::Decided { moment, verdict, .. } = entry else { panic!("no decision") };
        let (position, from) = (moment.here.position.0, moment.here.index as usize);
        let count = verdict.facts.facts.len();
        verdict.facts.facts.iter_mut().for_each(told);
        let logged = &mut run.log[usize::try_from(position).expect("a small log")].facts.facts;
        logged[from..from + count].iter_mut().for_each(told);
        let Err(Violation(what)) = run.check() else { panic!("nothing was found") };
        assert!(what.contains("a body says something else"), "{what}");
    }
}

/// By which tasks messages were moved, and when.
fn moves(run: &Run) -> Vec<(MessageId, Stamp)> {
    let tasks = tasks(run);
    let facts = run.log.iter().flat_map(|b| b.facts.facts.iter().map(move |fact| (b.at, fact)));
    let moved = facts.filter_map(|(at, fact)| match fact {
        Fact::Moved(moved) if tasks.contains(&moved.task) => Some((moved.task, at)),
        _ => None,
    });
    moved.collect()
}

#[test]
fn a_move_that_is_faster_than_its_rate_is_found() {
    let two_at_once = |run: &Run| {
        let moved = moves(run);
        moved.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].0)
    };
    let mut run = right(|run| two_at_once(run).is_some());
    let task = two_at_once(&run).expect("two messages moved at once");
    let answered = Heard::Answer(Ok(Reply::MoveStarted { task }));
    let call = run.ledger.calls.iter_mut().find(|call| call.heard == answered);
    let Some(Command::StartMove { rate, .. }) = call.map(|call| &mut call.command) else {
        panic!("nobody started it")
    };
    // As if one a second had been asked for.
    *rate = Some(1);
    assert_wrong(&run, "too soon");
}

fn has_fed(command: &Command, reply: &Reply) -> bool {
    let Command::Subscription(SubscriptionCommand::Advance { messages, .. }) = command else {
        return false;
    };
    matches!(reply, Reply::Advanced { upto: Some(_) }) && !messages.is_empty()
}

fn is_parked(command: &Command, reply: &Reply) -> bool {
    matches!((command, reply), (Command::Park { .. }, Reply::Done))
}

fn is_given_back(_: &Command, reply: &Reply) -> bool {
    matches!(reply, Reply::Moved { moved } if *moved > 0)
}

/// A run with such a decision, and what its call asked for told otherwise: as if the owner did not
/// look at that part of it.
fn assert_found_when_asked(
    has: impl Fn(&Command, &Reply) -> bool,
    change: impl Fn(&mut Command),
    why: &str,
) {
    let mut run = right(|run| last_decision(run, &has).is_some());
    let (_, call) = last_decision(&run, &has).expect("such a decision");
    change(&mut run.ledger.calls[call.0].command);
    assert_wrong(&run, why);
}

#[test]
fn a_step_from_where_the_cursor_is_not_is_found() {
    let stale = |command: &mut Command| {
        if let Command::Subscription(SubscriptionCommand::Advance { after, .. }) = command {
            *after = EventNumber(after.0 + 1);
        }
    };
    assert_found_when_asked(has_fed, stale, "no step, and it brought");
}

#[test]
fn a_step_behind_the_last_event_is_found() {
    let far = |command: &mut Command| {
        if let Command::Subscription(SubscriptionCommand::Advance { upto, .. }) = command {
            *upto = EventNumber(u64::MAX);
        }
    };
    assert_found_when_asked(has_fed, far, "no step, and it brought");
}

#[test]
fn an_event_that_is_fed_as_something_else_or_not_at_all_is_found() {
    let changes: [fn(&mut Vec<NewMessage>); 2] = [
        |messages| messages[0].body = bytes::Bytes::from_static(b"of another event"),
        |messages| messages.extend(messages.last().cloned()),
    ];
    for change in changes {
        let otherwise = |command: &mut Command| {
            let Command::Subscription(SubscriptionCommand::Advance { messages, .. }) = command
            else {
                return;
            };
            let mut all = messages.to_vec();
            change(&mut all);
            *messages = all.into();
        };
        assert_found_when_asked(has_fed, otherwise, "not what was sent");
    }
}

#[test]
fn a_cursor_that_is_told_off_by_one_is_found() {
    let described = |_: &Command, reply: &Reply| matches!(reply, Reply::Subscription(_));
    let mut run = right(|run| last_decision(run, described).is_some());
    let decision = last_decision(&run, described).expect("a description");
    retell(&mut run, decision, |reply| {
        let Reply::Subscription(described) = reply else { return };
        described.upto = described.upto.next();
    });
    assert_wrong(&run, "and should be");
}

#[test]
fn a_queue_that_is_overfilled_is_found() {
    let found = (0..200).map(|seed| Run::new(seed, false)).find_map(|mut run| {
        assert_eq!(run.check(), Ok(()));
        last_decision(&run, has_fed)?;
        run.limits.subscription_window_max = 0;
        run.check().err()
    });
    let Violation(what) = found.expect("some seed has a step with messages");
    assert!(what.contains("and should be"), "{what}");
}

#[test]
fn what_is_parked_by_whom_it_is_not_held_or_for_another_reason_is_found() {
    let stranger = |command: &mut Command| {
        if let Command::Park { receipt, .. } = command {
            receipt.attempt += 1;
        }
    };
    assert_found_when_asked(is_parked, stranger, "and should be");
    let other = |command: &mut Command| {
        if let Command::Park { reason, .. } = command {
            *reason = Some(Text::new("another"));
        }
    };
    assert_found_when_asked(is_parked, other, "should go to");
}

#[test]
fn what_comes_back_without_being_named_is_found() {
    let nothing = |command: &mut Command| {
        if let Command::GiveBack { seqs, .. } = command {
            seqs.clear();
        }
    };
    assert_found_when_asked(is_given_back, nothing, "and should be");
}

#[test]
fn a_caller_who_waits_for_what_is_there_is_found() {
    let mut run = right(|run| last_decision(run, has_delivery).is_some());
    let (index, call) = last_decision(&run, has_delivery).expect("a delivery");
    let tenure = run.ledger.tenures.last_mut().expect("an owner");
    let Some((moment, _)) = tenure.entries[index].facts() else { return };
    let waiting = Entry::Waiting { at: moment.at, calls: vec![call] };
    tenure.entries.insert(index, waiting);
    assert_wrong(&run, "for what is there");
}

#[test]
fn a_decision_that_nobody_wrote_down_is_found() {
    let mut run = right(|run| last_decision(run, is_sent).is_some());
    let (index, _) = last_decision(&run, is_sent).expect("a send");
    run.ledger.tenures.last_mut().expect("an owner").entries.remove(index);
    assert!(run.check().is_err());
}
