//! The FIFO queue, by the rules: order inside a group, deduplication, leases that are promises.

use std::collections::BTreeSet;

use lineside_core::command::{Delivery, NewDedup, NewMessage, Reply};
use lineside_core::id::{Label, Seq};
use lineside_core::limits::Limits;
use lineside_core::refusal::QueueRefusal;
use lineside_core::stamp::{Millis, Stamp};

use super::polled::{Attempt, Message, Polled, Receive, Target};
use super::{Check, Violation, ensure, expect};

/// What only a FIFO queue says against a message.
pub(super) fn objections(message: &NewMessage, content_dedup: bool) -> Vec<QueueRefusal> {
    let mut objections = Vec::new();
    if message.group.is_none() {
        objections.push(QueueRefusal::GroupRequired);
    }
    if let Some(delay) = message.delay.filter(|delay| *delay > Millis::ZERO) {
        objections.push(QueueRefusal::MessageDelayOnFifo { delay });
    }
    match &message.dedup {
        NewDedup::Id(_) => {}
        NewDedup::Content(_) if content_dedup => {}
        NewDedup::Content(_) | NewDedup::None => objections.push(QueueRefusal::DedupRequired),
    }
    objections
}

/// What a receive does with a message that it comes to in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Deliver,
    Bury,
    Skip,
}

/// The messages of a group that can be reached: in order, up to the first one that is handed out or
/// delayed.
fn reachable<'a>(
    queue: &'a Polled,
    group: &Label,
    at: Stamp,
    target: Option<Target>,
) -> Vec<(&'a Message, Fate)> {
    let of_group = queue.messages.iter().filter(|message| message.group.as_ref() == Some(group));
    let free =
        of_group.take_while(|message| !message.is_leased(at) && queue.shown_from(message) <= at);
    let fate = |message: &Message| match () {
        () if queue.is_expired(message, at) => Fate::Skip,
        () if queue.is_exhausted(message, target) => Fate::Bury,
        () => Fate::Deliver,
    };
    free.map(|message| (message, fate(message))).collect()
}

fn groups(queue: &Polled) -> BTreeSet<&Label> {
    queue.messages.iter().filter_map(|message| message.group.as_ref()).collect()
}

/// A repeated attempt is answered as before; else each group gives its messages from the front.
pub(super) fn receive(queue: &mut Polled, receive: &Receive<'_>) -> Check {
    let (ask, at) = (receive.ask, receive.ask.now.at);
    if let Some(again) = again(queue, receive) {
        let leases_end = at + receive.visibility;
        for delivery in &again {
            if let Some(lease) = queue.message(delivery.seq).and_then(|m| m.lease.as_mut()) {
                lease.until = leases_end;
            }
        }
        return expect(receive.answer, &Ok(Reply::Received(again)));
    }
    if queue.in_flight(at) >= ask.limits.fifo_in_flight_max {
        return expect(receive.answer, &Ok(Reply::Received(Vec::new())));
    }
    let Ok(Reply::Received(deliveries)) = receive.answer else {
        return Err(Violation(format!("a receive is answered {:?}", receive.answer)));
    };
    ensure!(deliveries.len() <= receive.max, "more than {} of {deliveries:?}", receive.max);
    check_groups(queue, receive, deliveries)?;
    let until = at + receive.visibility;
    for delivery in deliveries {
        queue.hand_out(delivery.seq, at, (ask.epoch, until));
    }
    remember(queue, receive, deliveries);
    Ok(())
}

fn check_groups(queue: &Polled, receive: &Receive<'_>, deliveries: &[Delivery]) -> Check {
    let (ask, at) = (receive.ask, receive.ask.now.at);
    let (mut taken, mut reached, mut complete) = (0, 0, true);
    for group in groups(queue) {
        let mut walk = reachable(queue, group, at, ask.target);
        if receive.alone
            && let Some(first) = walk.iter().position(|(_, fate)| *fate == Fate::Deliver)
        {
            walk.truncate(first + 1);
        }
        let takes = |(message, fate): &&(&Message, Fate)| match fate {
            Fate::Deliver => deliveries.iter().any(|delivery| delivery.seq == message.seq),
            Fate::Bury => receive.moved.iter().any(|(seq, _)| *seq == message.seq),
            Fate::Skip => true,
        };
        let front = walk.iter().take_while(takes).count();
        complete &= front == walk.len();
        reached += walk.len();
        let delivered: Vec<Delivery> = walk
            .iter()
            .take(front)
            .filter(|(_, fate)| *fate == Fate::Deliver)
            .map(|(m, _)| m.delivery(ask.queue, ask.epoch, m.receives + 1, (at, true)))
            .collect();
        let buried = walk.iter().take(front).filter(|(_, fate)| *fate == Fate::Bury).count();
        taken += delivered.len() + buried;
        let is_of_group = |delivery: &&Delivery| delivered.iter().any(|d| d.seq == delivery.seq);
        let told: Vec<&Delivery> = deliveries.iter().filter(is_of_group).collect();
        ensure!(
            told == delivered.iter().collect::<Vec<_>>(),
            "group {group} is handed out as\n  {told:?}\nand should be\n  {delivered:?}"
        );
    }
    let all = deliveries.len() + receive.moved.len();
    ensure!(
        taken == all,
        "not from the front of a group, or twice: {deliveries:?}, moved {:?}",
        receive.moved
    );
    let stops_early = deliveries.len() >= receive.max || reached >= ask.limits.receive_scan_max;
    ensure!(complete || stops_early, "there was more to hand out than {deliveries:?}");
    Ok(())
}

/// What was handed out under this attempt's id, if nothing happened to any of it since.
fn again(queue: &Polled, receive: &Receive<'_>) -> Option<Vec<Delivery>> {
    let (ask, at) = (receive.ask, receive.ask.now.at);
    again_at(queue, at, receive.attempt)?
        .into_iter()
        .map(|message| {
            let epoch = message.lease?.epoch;
            Some(message.delivery(ask.queue, epoch, message.receives, (at, true)))
        })
        .collect()
}

fn again_at<'a>(queue: &'a Polled, at: Stamp, attempt: Option<&Label>) -> Option<Vec<&'a Message>> {
    let key = attempt?;
    let before = queue.attempts.iter().find(|known| known.key == *key && known.until > at)?;
    let untouched = |(seq, receives): &(Seq, u32)| {
        let message = queue.messages.iter().find(|message| message.seq == *seq)?;
        (message.receives == *receives && message.is_leased(at)).then_some(message)
    };
    before.handed_out.iter().map(untouched).collect()
}

fn remember(queue: &mut Polled, receive: &Receive<'_>, deliveries: &[Delivery]) {
    let (Some(key), false) = (receive.attempt, deliveries.is_empty()) else { return };
    let until = receive.ask.now.at + receive.ask.limits.receive_attempt_window;
    let handed_out = deliveries.iter().map(|delivery| (delivery.seq, delivery.receives)).collect();
    queue.attempts.retain(|known| known.key != *key);
    queue.attempts.push(Attempt { key: key.clone(), until, handed_out });
}

/// Whether a receive hands something out. That somebody who waits repeats another's attempt is
/// recognised when he is asked again, at the latest when his patience ends: it is not owed before.
pub(super) fn gives(queue: &Polled, at: Stamp, limits: &Limits, target: Option<Target>) -> bool {
    let walks = groups(queue).into_iter().map(|group| reachable(queue, group, at, target));
    let reached: Vec<(&Message, Fate)> = walks.flatten().collect();
    let has_room = queue.in_flight(at) < limits.fifo_in_flight_max;
    let bounded = reached.len() >= limits.receive_scan_max;
    has_room && !bounded && reached.iter().any(|(_, fate)| *fate == Fate::Deliver)
}
