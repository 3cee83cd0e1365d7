//! Handing messages out, by the rules.

use lineside_core::broker::{
    BrokerDelivery, BrokerLock, BrokerRefusal, BrokerReply, MessageState, ReceiveMode,
    SessionHolder, SubQueue,
};
use lineside_core::id::Seq;
use lineside_core::receipt::Receipt;
use lineside_core::stamp::Stamp;

use super::{Ask, Broker, Fate, Lock, Message, Outcome, distinct};

/// How messages leave.
#[derive(Clone, Copy)]
enum Terms {
    OwnLock(Stamp),
    SessionLock(Stamp),
    Gone,
}

impl Broker {
    fn own_terms(&self, ask: Ask<'_>, mode: ReceiveMode) -> Terms {
        match mode {
            ReceiveMode::PeekLock => Terms::OwnLock(ask.now.at + self.settings.lock),
            ReceiveMode::ReceiveAndDelete => Terms::Gone,
        }
    }

    fn session_terms(
        &self,
        ask: Ask<'_>,
        holder: &SessionHolder,
        mode: ReceiveMode,
    ) -> Result<Terms, BrokerRefusal> {
        let hold = self.held(ask, holder)?;
        Ok(match mode {
            ReceiveMode::PeekLock => Terms::SessionLock(hold.until),
            ReceiveMode::ReceiveAndDelete => Terms::Gone,
        })
    }

    /// First what came back because its lock ran out, by that moment; then the free ones.
    pub(super) fn receive(
        &mut self,
        ask: Ask<'_>,
        sub: SubQueue,
        mode: ReceiveMode,
        max: usize,
    ) -> Outcome {
        if self.settings.sessions && sub == SubQueue::Main {
            return Err(BrokerRefusal::SessionReceiverRequired);
        }
        let at = ask.now.at;
        let is_here = |m: &Message| m.sub() == sub && m.is_active();
        let mut ready = self.seqs(
            |m| is_here(m) && m.lock.is_some() && !self.is_locked(m, at),
            |m| (m.lock.and_then(|lock| lock.until), m.seq),
        );
        ready.extend(self.seqs(|m| is_here(m) && m.lock.is_none(), |m| m.seq));
        let due = match sub {
            SubQueue::Main => self.due_scheduled(at, |_| true),
            SubQueue::DeadLetter => Vec::new(),
        };
        let terms = self.own_terms(ask, mode);
        Ok(self.hand_out(ask, (&ready, &due), max.min(ask.limits.unsettled_max), terms))
    }

    pub(super) fn receive_in_session(
        &mut self,
        ask: Ask<'_>,
        holder: &SessionHolder,
        mode: ReceiveMode,
        max: usize,
    ) -> Outcome {
        let terms = self.session_terms(ask, holder, mode)?;
        let is_of = |m: &Message| m.dead.is_none() && m.session.as_ref() == Some(&holder.session);
        let held = self.messages.iter().filter(|m| is_of(m) && m.lock.is_some()).count();
        let max = max.min(ask.limits.unsettled_max.saturating_sub(held));
        let ready = self.seqs(|m| is_of(m) && m.is_active() && m.lock.is_none(), |m| m.seq);
        let due = self.due_scheduled(ask.now.at, is_of);
        Ok(self.hand_out(ask, (&ready, &due), max, terms))
    }

    pub(super) fn due_scheduled(&self, at: Stamp, is_meant: impl Fn(&Message) -> bool) -> Vec<Seq> {
        let is_due = |m: &Message| m.scheduled_at().is_some_and(|then| then <= at);
        self.seqs(|m| is_due(m) && is_meant(m), |m| (m.scheduled_at(), m.seq))
    }

    /// All of them, or none; what is found to be over is put aside and counts as not found.
    pub(super) fn receive_deferred(
        &mut self,
        ask: Ask<'_>,
        (sub, holder, mode): (SubQueue, Option<&SessionHolder>, ReceiveMode),
        seqs: &[Seq],
    ) -> Outcome {
        let in_session = self.settings.sessions && sub == SubQueue::Main;
        let terms = match (in_session, holder) {
            (false, _) => self.own_terms(ask, mode),
            (true, None) => return Err(BrokerRefusal::SessionReceiverRequired),
            (true, Some(holder)) => self.session_terms(ask, holder, mode)?,
        };
        let session = holder.filter(|_| in_session).map(|holder| &holder.session);
        let at = ask.now.at;
        let is_meant = |m: &Message| {
            let of_session = session.is_none() || m.session.as_ref() == session;
            m.sub() == sub && m.state == MessageState::Deferred && of_session
        };
        let (mut found, mut missing, mut over) = (Vec::new(), None, Vec::new());
        for seq in distinct(ask, seqs)? {
            let message = self.find(seq).filter(|m| is_meant(m) && !self.is_locked(m, at));
            match message.map(|message| self.fate(message, at)) {
                Some(Fate::Deliver) => found.push(seq),
                other => {
                    over.extend(other.map(|fate| (seq, fate)));
                    missing = missing.or(Some(seq));
                }
            }
        }
        over.into_iter().for_each(|(seq, fate)| self.put_aside(seq, fate, at));
        match missing {
            Some(seq) => Err(BrokerRefusal::MessageNotFound { seq }),
            None => Ok(self.leave(ask, &found, terms)),
        }
    }

    /// Takes from what is ready, then from what is enqueued only now. A receive stops looking when
    /// it has put aside and enqueued as much as one may.
    fn hand_out(
        &mut self,
        ask: Ask<'_>,
        (ready, due): (&[Seq], &[Seq]),
        max: usize,
        terms: Terms,
    ) -> BrokerReply {
        let (at, bound) = (ask.now.at, ask.limits.receive_scan_max);
        let (mut picked, mut moved) = (Vec::new(), 0);
        let ready = ready.iter().map(|seq| (*seq, false));
        for (seq, is_due) in ready.chain(due.iter().map(|seq| (*seq, true))) {
            if picked.len() >= max || moved >= bound {
                break;
            }
            let seq = if is_due { self.activate(seq, at) } else { seq };
            moved += usize::from(is_due);
            match self.find(seq).map(|message| self.fate(message, at)) {
                Some(Fate::Deliver) => picked.push(seq),
                Some(fate) => {
                    self.put_aside(seq, fate, at);
                    moved += 1;
                }
                None => {}
            }
        }
        self.leave(ask, &picked, terms)
    }

    fn leave(&mut self, ask: Ask<'_>, seqs: &[Seq], terms: Terms) -> BrokerReply {
        BrokerReply::Received(
            seqs.iter().filter_map(|seq| self.deliver(ask, *seq, terms)).collect(),
        )
    }

    fn deliver(&mut self, ask: Ask<'_>, seq: Seq, terms: Terms) -> Option<BrokerDelivery> {
        let (queue, epoch) = (ask.queue, ask.epoch);
        let message = self.view(self.find(seq)?, ask.now.at);
        let (end, until) = match terms {
            Terms::OwnLock(until) => (until, Some(until)),
            Terms::SessionLock(until) => (until, None),
            Terms::Gone => {
                self.messages.retain(|message| message.seq != seq);
                return Some(BrokerDelivery { message, lock: None });
            }
        };
        let kept = self.find_mut(seq)?;
        kept.failures = message.failures;
        kept.attempts += 1;
        kept.lock = Some(Lock { epoch, until });
        let receipt = Receipt { queue, seq, epoch, attempt: kept.attempts };
        Some(BrokerDelivery { message, lock: Some(BrokerLock { receipt, until: end }) })
    }
}
