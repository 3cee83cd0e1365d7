//! Fair turns of a standard queue's tenants, as far as answers tell of them: whoever has too much in
//! flight is served after those who surely have not.

use lineside_core::id::Label;
use lineside_core::limits::Limits;
use lineside_core::stamp::Stamp;

use super::polled::{Message, Polled};
use super::{Check, ensure};

/// Holds what a receive handed out, of those that were to be had, before it is handed out. How much
/// of the receivers' time somebody took is not counted here: nobody was served who surely took none.
pub(super) fn check(
    queue: &Polled,
    limits: &Limits,
    at: Stamp,
    (good, is_taken): (&[&Message], impl Fn(&Message) -> bool),
) -> Check {
    let taken = good.iter().filter(|message| is_taken(message));
    let noisy: Vec<&&Message> =
        taken.filter(|message| is_noisy(queue, limits, at, message.group.as_ref())).collect();
    let mut left = good.iter().filter(|message| !is_taken(message));
    let quiet = left.find(|message| is_surely_quiet(queue, message.group.as_ref()));
    let is_fair = noisy.is_empty() || quiet.is_none();
    ensure!(is_fair, "of noisy tenants {noisy:?} before {quiet:?}");
    Ok(())
}

fn is_noisy(queue: &Polled, limits: &Limits, at: Stamp, group: Option<&Label>) -> bool {
    let is_own = |message: &&Message| message.is_leased(at) && message.group.as_ref() == group;
    let own = queue.messages.iter().filter(is_own).count();
    let percent = usize::try_from(limits.noisy_percent).unwrap_or(usize::MAX);
    let has_share = own.saturating_mul(100) > queue.in_flight(at).saturating_mul(percent);
    group.is_some() && own >= limits.noisy_in_flight_min && has_share
}

/// Its own tenant, or one of whom nothing was ever handed out.
fn is_surely_quiet(queue: &Polled, group: Option<&Label>) -> bool {
    group.is_none_or(|group| !queue.served.contains(group))
}
