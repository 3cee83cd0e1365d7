//! The standard queue, by the rules: any order, at least once, leases that a crash may take back.

use std::collections::BTreeSet;

use lineside_core::command::{NewDedup, NewMessage, Reply};
use lineside_core::id::Seq;
use lineside_core::limits::Limits;
use lineside_core::refusal::QueueRefusal;
use lineside_core::stamp::Stamp;

use super::polled::{Message, Named, Polled, Receive, Target};
use super::{Check, Violation, ensure, expect, fair};

/// What only a standard queue says against a message.
pub(super) fn objections(message: &NewMessage) -> Vec<QueueRefusal> {
    match message.dedup {
        NewDedup::Id(_) => vec![QueueRefusal::DedupOnStandard],
        NewDedup::Content(_) | NewDedup::None => Vec::new(),
    }
}

/// The last receipt deletes, also when its lease has ended; so does one whose lease a crash took
/// back. An older one is answered in the same way and does nothing.
pub(super) fn deletes(named: Named) -> bool {
    match named {
        Named::Running | Named::Ended | Named::Newer => true,
        Named::Older => false,
    }
}

fn is_visible(queue: &Polled, message: &Message, at: Stamp) -> bool {
    !message.is_leased(at) && queue.shown_from(message) <= at
}

/// Any visible messages, in any order; all of them if fewer than asked for.
pub(super) fn receive(queue: &mut Polled, receive: &Receive<'_>) -> Check {
    let (ask, at) = (receive.ask, receive.ask.now.at);
    let limit = ask.limits.standard_in_flight_max;
    if queue.in_flight(at) >= limit {
        return expect(receive.answer, &Err(QueueRefusal::InFlightFull { limit }.into()));
    }
    let visible: Vec<&Message> =
        queue.messages.iter().filter(|message| is_visible(queue, message, at)).collect();
    let fresh = visible.iter().filter(|message| !queue.is_expired(message, at));
    let (exhausted, good): (Vec<&Message>, Vec<&Message>) =
        fresh.partition(|message| queue.is_exhausted(message, ask.target));
    let Ok(Reply::Received(deliveries)) = receive.answer else {
        return Err(Violation(format!("a receive is answered {:?}", receive.answer)));
    };
    ensure!(deliveries.len() <= receive.max, "more than {} of {deliveries:?}", receive.max);
    for (seq, _) in &receive.moved {
        ensure!(has(&exhausted, *seq), "{seq:?} moved, of those exhausted: {exhausted:?}");
    }
    let mut handed_out = BTreeSet::new();
    for delivery in deliveries {
        let found = good.iter().find(|message| message.seq == delivery.seq);
        let Some(message) = found else {
            return Err(Violation(format!("{delivery:?} is none of those to be had: {good:?}")));
        };
        let expected = message.delivery(ask.queue, ask.epoch, message.receives + 1, (at, false));
        ensure!(
            *delivery == expected,
            "the delivery is\n  {delivery:?}\nand should be\n  {expected:?}"
        );
        ensure!(handed_out.insert(delivery.seq), "{delivery:?} twice in one answer");
    }
    let looks_at_all = visible.len() < ask.limits.receive_scan_max;
    if deliveries.len() < receive.max && looks_at_all {
        ensure!(handed_out.len() == good.len(), "handed out {handed_out:?} of {good:?}");
        ensure!(receive.moved.len() == exhausted.len(), "left exhausted: {exhausted:?}");
    }
    let is_taken = |message: &Message| handed_out.contains(&message.seq);
    fair::check(queue, ask.limits, at, (&good, is_taken))?;
    let until = at + receive.visibility;
    handed_out.iter().for_each(|seq| queue.hand_out(*seq, at, (ask.epoch, until)));
    Ok(())
}

fn has(messages: &[&Message], seq: Seq) -> bool {
    messages.iter().any(|message| message.seq == seq)
}

/// Whether a receive is answered with something.
pub(super) fn gives(queue: &Polled, at: Stamp, limits: &Limits, target: Option<Target>) -> bool {
    let visible = || queue.messages.iter().filter(|message| is_visible(queue, message, at));
    let is_good =
        |message: &Message| !queue.is_expired(message, at) && !queue.is_exhausted(message, target);
    let is_full = queue.in_flight(at) >= limits.standard_in_flight_max;
    is_full || (visible().count() < limits.receive_scan_max && visible().any(is_good))
}
