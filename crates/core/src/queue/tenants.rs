//! Fair turns in a standard queue: a message's group says whose it is, and who keeps the receivers
//! busy comes after those who do not (Amazon SQS developer guide, "How Amazon SQS fair queues
//! work"). A message without a group is its own tenant, and never a noisy one.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::iter::Peekable;

use crate::id::{Label, Seq};
use crate::limits::Limits;
use crate::parts::{Shares, Timeline, Weigh};
use crate::stamp::{Millis, Stamp};

use super::standard::Shown;

/// From when a message can be had, and which it is. One that is ready can be had since ever.
type Turn = (Stamp, Seq);

/// The messages that have a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tenants {
    by_name: BTreeMap<Label, Tenant>,
    /// The first message of each tenant.
    heads: BTreeMap<Turn, Label>,
    delayed: Timeline,
    leased: Timeline,
    /// Of the time between hand-outs and their ends, of messages without a group too.
    busy: Shares,
}

/// The messages of one tenant.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tenant {
    turns: Timeline,
    leased: Timeline,
}

/// Bytes that a tenant takes beside its messages: its place among the tenants and among the heads,
/// and a tree of turns.
const TENANT_BYTES: u64 = 360;

impl Tenants {
    /// Those of a queue that never had one.
    pub(super) const NOBODY: &Tenants = &Tenants {
        by_name: BTreeMap::new(),
        heads: BTreeMap::new(),
        delayed: Timeline::new(),
        leased: Timeline::new(),
        busy: Shares::NONE,
    };

    /// Without messages; what is known of who was busy lately comes from before.
    pub(super) fn new(busy: Shares) -> Tenants {
        Tenants { busy, ..Tenants::default() }
    }

    /// Bytes that tenants take beside their messages, about.
    pub(super) fn bytes(&self) -> u64 {
        let tenants = (self.by_name.len() as u64).saturating_mul(TENANT_BYTES);
        tenants.saturating_add(self.busy.beyond())
    }

    /// Whether it is as if there never had been one.
    pub(super) fn is_nobody(&self) -> bool {
        self.by_name.is_empty() && self.busy == Shares::NONE
    }

    pub(super) fn busy(&self) -> &Shares {
        &self.busy
    }

    pub(super) fn delayed(&self) -> &Timeline {
        &self.delayed
    }

    pub(super) fn leased(&self) -> &Timeline {
        &self.leased
    }

    /// A hand-out has ended that took so long.
    pub(super) fn was_busy(&mut self, at: Stamp, tenant: Option<&Label>, time: Millis) {
        self.busy.add(at, tenant, time);
    }

    /// The label of a tenant, so that all of its messages share one text.
    pub(super) fn known(&self, name: &Label) -> Label {
        self.by_name.get_key_value(name).map_or(name, |(known, _)| known).clone()
    }

    pub(super) fn insert(&mut self, name: &Label, seq: Seq, shown: Shown) {
        self.change(name, |tenant| tenant.insert(seq, shown));
        if let Some((all, until)) = self.all_shown(shown) {
            all.insert(until, seq);
        }
    }

    pub(super) fn remove(&mut self, name: &Label, seq: Seq, shown: Shown) {
        self.change(name, |tenant| tenant.remove(seq, shown));
        if let Some((all, until)) = self.all_shown(shown) {
            all.remove(until, seq);
        }
    }

    /// The messages of all tenants that are shown so.
    fn all_shown(&mut self, shown: Shown) -> Option<(&mut Timeline, Stamp)> {
        match shown {
            Shown::Ready => None,
            Shown::Delayed(until) => Some((&mut self.delayed, until)),
            Shown::Leased(until) => Some((&mut self.leased, until)),
        }
    }

    /// Changes what a tenant has; who has nothing is no tenant.
    fn change(&mut self, name: &Label, change: impl FnOnce(&mut Tenant)) {
        let tenant = self.by_name.entry(name.clone()).or_default();
        let before = tenant.turns.first_entry();
        change(tenant);
        let after = tenant.turns.first_entry();
        if before != after {
            before.into_iter().for_each(|head| drop(self.heads.remove(&head)));
            after.into_iter().for_each(|head| drop(self.heads.insert(head, name.clone())));
        }
        if after.is_none() {
            self.by_name.remove(name);
        }
        if self.by_name.is_empty() {
            // As a timeline does.
            (self.heads, self.by_name) = Default::default();
        }
    }

    /// Whether a message can be had at `at`.
    pub(super) fn has_turn(&self, at: Stamp) -> bool {
        self.heads.first_key_value().is_some_and(|((from, _), _)| *from <= at)
    }

    /// The messages that can be had at `at`, with those that are nobody's, which are ready: quiet
    /// tenants' in order of their numbers, then their ended leases and delays in order of their
    /// ends; when there are no more, the noisy ones', whoever has least in flight first.
    ///
    /// Looks at as many messages as are taken, and at each noisy tenant once: by each of the two
    /// measures there are nine at most, since each has more than a tenth.
    pub(super) fn turns<'a, N: Iterator<Item = Seq>>(
        &'a self,
        at: Stamp,
        limits: &'a Limits,
        nobodys: (N, &'a Timeline),
    ) -> Turns<'a, N> {
        let mut turns = Turns {
            tenants: self,
            at,
            limits,
            nobodys: nobodys.0.peekable(),
            nobodys_leased: nobodys.1,
            heads: self.heads.range(..=(at, Seq(u64::MAX))),
            next_head: None,
            begun: BTreeMap::new(),
            noisy: BTreeMap::new(),
            in_flight: None,
        };
        turns.go_to_quiet_head();
        turns
    }
}

impl Tenant {
    fn insert(&mut self, seq: Seq, shown: Shown) {
        self.turns.insert(shown.from(), seq);
        if let Shown::Leased(until) = shown {
            self.leased.insert(until, seq);
        }
    }

    fn remove(&mut self, seq: Seq, shown: Shown) {
        self.turns.remove(shown.from(), seq);
        if let Shown::Leased(until) = shown {
            self.leased.remove(until, seq);
        }
    }

    /// The first of its turns behind one that can be had at `at`.
    fn after(&self, turn: Turn, at: Stamp) -> Option<Turn> {
        self.turns.lapsed_after(turn, at)
    }
}

/// See [`Tenants::turns`].
pub(super) struct Turns<'a, N: Iterator<Item = Seq>> {
    tenants: &'a Tenants,
    at: Stamp,
    limits: &'a Limits,
    nobodys: Peekable<N>,
    nobodys_leased: &'a Timeline,
    heads: Range<'a, Turn, Label>,
    next_head: Option<(Turn, &'a Label)>,
    /// Quiet tenants of whom something was taken, by what they have next.
    begun: BTreeMap<Turn, &'a Tenant>,
    /// Noisy tenants by how much they have in flight, and by what they have next.
    noisy: BTreeMap<(usize, Turn), &'a Tenant>,
    /// Messages in flight in the queue, once somebody asked.
    in_flight: Option<usize>,
}

impl<'a, N: Iterator<Item = Seq>> Turns<'a, N> {
    /// Goes on to the next head of a quiet tenant.
    fn go_to_quiet_head(&mut self) {
        loop {
            self.next_head = self.heads.next().map(|(turn, name)| (*turn, name));
            let Some((turn, name)) = self.next_head else { return };
            let Some(tenant) = self.tenants.by_name.get(name) else { continue };
            if !self.is_noisy(name, tenant) {
                return;
            }
            self.noisy.insert((self.running(&tenant.leased), turn), tenant);
        }
    }

    /// Too much in flight, or too much of the receivers' time lately.
    fn is_noisy(&mut self, name: &Label, tenant: &Tenant) -> bool {
        let Limits { noisy_in_flight_min: min, noisy_percent: percent, .. } = *self.limits;
        if self.tenants.busy.is_over(self.at, name, percent) {
            return true;
        }
        if tenant.leased.len() < min {
            return false;
        }
        let own = self.running(&tenant.leased);
        own >= min && own as u128 * 100 > self.in_flight() as u128 * u128::from(percent)
    }

    fn in_flight(&mut self) -> usize {
        let count = || self.running(self.nobodys_leased) + self.running(&self.tenants.leased);
        let in_flight = self.in_flight.unwrap_or_else(count);
        *self.in_flight.insert(in_flight)
    }

    fn running(&self, leased: &Timeline) -> usize {
        leased.len() - leased.lapsed_count(self.at, self.limits.noisy_count_max)
    }

    fn next_quiet(&mut self) -> Option<Seq> {
        let nobodys = self.nobodys.peek().map(|seq| (Stamp(0), *seq));
        let head = self.next_head.map(|(turn, _)| turn);
        let begun = self.begun.first_key_value().map(|(turn, _)| *turn);
        let next = [nobodys, head, begun].into_iter().flatten().min()?;
        if nobodys == Some(next) {
            return self.nobodys.next();
        }
        let tenant = if begun == Some(next) {
            self.begun.pop_first().map(|(_, tenant)| tenant)
        } else {
            let name = self.next_head.map(|(_, name)| name);
            self.go_to_quiet_head();
            name.and_then(|name| self.tenants.by_name.get(name))
        };
        if let Some((tenant, after)) = tenant.and_then(|t| Some((t, t.after(next, self.at)?))) {
            self.begun.insert(after, tenant);
        }
        Some(next.1)
    }

    /// What is taken of a noisy tenant counts as in flight.
    fn next_noisy(&mut self) -> Option<Seq> {
        let ((in_flight, turn), tenant) = self.noisy.pop_first()?;
        if let Some(after) = tenant.after(turn, self.at) {
            self.noisy.insert((in_flight.saturating_add(1), after), tenant);
        }
        Some(turn.1)
    }
}

impl<N: Iterator<Item = Seq>> Iterator for Turns<'_, N> {
    type Item = Seq;

    fn next(&mut self) -> Option<Seq> {
        self.next_quiet().or_else(|| self.next_noisy())
    }
}
