//! The trace's words.

use std::fmt;

use lineside_core::broker::{BrokerCommand, BrokerFact, BrokerOperation, BrokerReply};
use lineside_core::command::{Command, Reply};
use lineside_core::fact::Fact;
use lineside_core::id::Seq;
use lineside_core::subscription::SubscriptionCommand;

use super::kinds;
use crate::ledger::Heard;

/// A fact in a few words.
pub(crate) struct FactText<'a>(pub(crate) &'a Fact);

impl fmt::Display for FactText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(kinds::fact(self.0))?;
        for queue in self.0.queues().into_iter().flatten() {
            write!(f, " q{}", queue.0)?;
        }
        match self.0 {
            Fact::Opened(opened) => write!(f, " epoch {}", opened.epoch.0),
            Fact::ClockMoved(moved) => write!(f, " to +{} ms", moved.offset.0),
            Fact::QueueCreated(created) => write!(f, " {} {:?}", created.name, created.kind),
            Fact::Sent(sent) => {
                write!(f, " #{}", sent.seq.0)?;
                sent.group.iter().try_for_each(|group| write!(f, " in {group}"))?;
                sent.dedup.iter().try_for_each(|mark| write!(f, " as {}", mark.key))
            }
            Fact::Leased(leased) => seqs(f, &leased.seqs).and_then(|()| {
                leased.attempt.iter().try_for_each(|mark| write!(f, " attempt {}", mark.key))
            }),
            Fact::LeaseChanged(changed) => {
                write!(f, " #{} until {}", changed.seq.0, changed.until.0)
            }
            Fact::Deleted(deleted) => write!(f, " #{}", deleted.seq.0),
            Fact::DeadLettered(moved) => write!(f, " #{} as #{}", moved.seq.0, moved.to_seq.0),
            Fact::Expired(expired) => write!(f, " through #{}", expired.seq.0),
            Fact::MoveStarted(started) => {
                write!(f, " {} up to #{}", started.task, started.last.0)?;
                started.rate.iter().try_for_each(|rate| write!(f, " at {rate} a second"))
            }
            Fact::Moved(moved) => write!(f, " #{} as #{}", moved.seq.0, moved.to_seq.0),
            Fact::MovePassed(passed) => write!(f, " up to #{}", passed.seq.0),
            Fact::MoveCancelled(cancelled) => write!(f, " {}", cancelled.task),
            Fact::MoveEnded(ended) => write!(f, " {} {:?}", ended.task, ended.status),
            Fact::Broker(fact) => broker(f, fact),
            Fact::EventStoreCreated(created) => write!(f, " {}", created.name),
            Fact::Appended(one) => {
                write!(f, " {} {} #{} of {}", one.number.0, one.kind, one.version.0, one.stream)
            }
            Fact::Indexed(indexed) => write!(f, " up to {}", indexed.upto.0),
            Fact::Subscribed(made) => write!(f, " {}", made.name),
            Fact::Advanced(one) => write!(f, " to {} with {}", one.upto.0, one.messages),
            Fact::QueueChanged(_)
            | Fact::QueueDeleted(_)
            | Fact::QueuePurged(_)
            | Fact::QueueTagged(_)
            | Fact::Canary => Ok(()),
        }
    }
}

fn seqs(f: &mut fmt::Formatter<'_>, seqs: &[Seq]) -> fmt::Result {
    seqs.iter().try_for_each(|seq| write!(f, " #{}", seq.0))
}

fn broker(f: &mut fmt::Formatter<'_>, fact: &BrokerFact) -> fmt::Result {
    match fact {
        BrokerFact::Created(created) => write!(f, " {}", created.name),
        BrokerFact::Sent(sent) => {
            write!(f, " #{}", sent.seq.0)?;
            sent.session.iter().try_for_each(|session| write!(f, " in {session}"))?;
            sent.dedup.iter().try_for_each(|mark| write!(f, " as {}", mark.key))
        }
        BrokerFact::Activated(one) => write!(f, " #{} as #{}", one.seq.0, one.to.0),
        BrokerFact::Cancelled(several) | BrokerFact::Taken(several) => seqs(f, &several.seqs),
        BrokerFact::Locked(locked) => seqs(f, &locked.seqs),
        BrokerFact::Completed(one)
        | BrokerFact::Abandoned(one)
        | BrokerFact::Deferred(one)
        | BrokerFact::Expired(one) => write!(f, " #{}", one.seq.0),
        BrokerFact::DeadLettered(one) => write!(f, " #{} {:?}", one.seq.0, one.cause),
        BrokerFact::LockRenewed(one) => write!(f, " #{} until {}", one.seq.0, one.until.0),
        BrokerFact::SessionAccepted(one) => write!(f, " {} hold {}", one.session, one.hold),
        BrokerFact::SessionRenewed(one) => write!(f, " {} until {}", one.session, one.until.0),
        BrokerFact::SessionReleased(one) | BrokerFact::SessionLapsed(one) => {
            write!(f, " {}", one.session)
        }
        BrokerFact::SessionStateSet(one) => write!(f, " {} {:?} bytes", one.session, one.len),
    }
}

fn subscription(f: &mut fmt::Formatter<'_>, command: &SubscriptionCommand) -> fmt::Result {
    match command {
        SubscriptionCommand::Create { name, settings } => {
            write!(f, "subscribe {name} behind {}: {:?}", settings.after.0, settings.feeds)
        }
        SubscriptionCommand::Delete { name } => write!(f, "unsubscribe {name}"),
        SubscriptionCommand::Describe { name } => write!(f, "describe subscription {name}"),
        SubscriptionCommand::Advance { name, after, upto, messages, wait } => {
            let (after, upto, count) = (after.0, upto.0, messages.len());
            write!(f, "{name} from {after} to {upto} with {count}, waiting {}", wait.0)
        }
    }
}

/// A command in a few words.
pub(crate) struct CommandText<'a>(pub(crate) &'a Command);

impl fmt::Display for CommandText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Command::Canary => write!(f, "canary"),
            Command::CreateQueue { name, kind, .. } => write!(f, "create {name} {kind:?}"),
            Command::ChangeQueue { name, .. } => write!(f, "change {name}"),
            Command::DeleteQueue { name } => write!(f, "delete queue {name}"),
            Command::PurgeQueue { name } => write!(f, "purge {name}"),
            Command::DescribeQueue { name } => write!(f, "describe {name}"),
            Command::FindQueue { name } => write!(f, "find {name}"),
            Command::ListQueues { prefix, .. } => write!(f, "list {prefix:?}"),
            Command::Send { queue, .. } => write!(f, "send to {queue}"),
            Command::Receive { queue, max, wait, .. } => {
                write!(f, "receive {max} of {queue}, waiting {:?}", wait.map(|wait| wait.0))
            }
            Command::Delete { queue, receipt } => {
                let (seq, attempt) = (receipt.seq.0, receipt.attempt);
                write!(f, "delete #{seq}/{}.{attempt} of {queue}", receipt.epoch.0)
            }
            Command::ChangeLease { queue, receipt, timeout } => {
                let (seq, attempt) = (receipt.seq.0, receipt.attempt);
                write!(f, "lease #{seq}/{}.{attempt} of {queue}", receipt.epoch.0)?;
                write!(f, " for {} ms", timeout.0)
            }
            Command::TagQueue { name, .. } => write!(f, "tag {name}"),
            Command::UntagQueue { name, .. } => write!(f, "untag {name}"),
            Command::ListTags { name } => write!(f, "tags of {name}"),
            Command::ListSources { name, .. } => write!(f, "sources of {name}"),
            Command::StartMove { source, destination, rate } => {
                write!(f, "move out of {source}")?;
                destination.iter().try_for_each(|name| write!(f, " to {name}"))?;
                rate.iter().try_for_each(|rate| write!(f, " at {rate} a second"))
            }
            Command::ListMoves { source, .. } => write!(f, "moves out of {source}"),
            Command::CancelMove { source, task } => write!(f, "cancel {task} of {source}"),
            Command::Peek { queue, from, max, .. } => {
                write!(f, "peek at {max} of {queue} from #{}", from.0)
            }
            Command::Broker(BrokerCommand::Create { name, .. }) => write!(f, "create {name}"),
            Command::Broker(BrokerCommand::To { queue, operation }) => match operation {
                BrokerOperation::Send { .. } => write!(f, "send to {queue}"),
                other => write!(f, "{queue}: {other:?}"),
            },
            Command::CreateEventStore { name } => write!(f, "create event store {name}"),
            Command::Append(append) => {
                let (events, as_of) = (append.events.len(), append.known.as_of.0);
                write!(f, "append {events} to {}, index as of {as_of}", append.store)
            }
            Command::Indexed { store, upto } => write!(f, "{store} is indexed up to {}", upto.0),
            Command::RecentEvents { store, after, max, wait } => {
                write!(f, "{max} recent of {store} behind {}, waiting {}", after.0, wait.0)
            }
            Command::DescribeEvents { name } => write!(f, "describe events of {name}"),
            Command::Subscription(command) => subscription(f, command),
            Command::Park { queue, receipt, reason } => {
                let (seq, attempt) = (receipt.seq.0, receipt.attempt);
                write!(f, "park #{seq}/{}.{attempt} of {queue}", receipt.epoch.0)?;
                reason.iter().try_for_each(|reason| write!(f, " since {}", reason.as_str()))
            }
            Command::GiveBack { queue, seqs: all } => {
                write!(f, "give back of {queue}")?;
                seqs(f, all)
            }
        }
    }
}

/// What a caller heard, in a few words.
pub(crate) struct HeardText<'a>(pub(crate) &'a Heard);

impl fmt::Display for HeardText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Heard::Nothing => write!(f, "nothing"),
            Heard::Unknown => write!(f, "that nobody knows what became of it"),
            Heard::Full => write!(f, "that there is no room"),
            Heard::Budget => write!(f, "that too much is kept"),
            Heard::Answer(Err(refusal)) => write!(f, "{}", kinds::refusal(refusal)),
            Heard::Answer(Ok(reply)) => self.reply(f, reply),
        }
    }
}

impl HeardText<'_> {
    fn reply(&self, f: &mut fmt::Formatter<'_>, reply: &Reply) -> fmt::Result {
        match reply {
            Reply::Received(deliveries) => {
                write!(f, "{} messages", deliveries.len())?;
                deliveries.iter().try_for_each(|d| {
                    let receipt = d.receipt;
                    write!(f, " #{}/{}.{}", receipt.seq.0, receipt.epoch.0, receipt.attempt)
                })
            }
            Reply::Broker(BrokerReply::Received(deliveries)) => {
                write!(f, "{} messages", deliveries.len())?;
                deliveries.iter().try_for_each(|d| {
                    write!(f, " #{}", d.message.seq.0)?;
                    let receipt = d.lock.map(|lock| lock.receipt);
                    receipt.iter().try_for_each(|r| write!(f, "/{}.{}", r.epoch.0, r.attempt))
                })
            }
            Reply::Sent { seq, .. } | Reply::Broker(BrokerReply::Sent { seq, .. }) => {
                write!(f, "sent #{}", seq.0)
            }
            Reply::Description(d) => {
                write!(f, "{} visible, {} in flight, {} delayed", d.visible, d.in_flight, d.delayed)
            }
            Reply::Peeked { messages, next } => {
                write!(f, "{} messages", messages.len())?;
                messages.iter().try_for_each(|message| write!(f, " #{}", message.seq.0))?;
                next.iter().try_for_each(|next| write!(f, ", more from #{}", next.0))
            }
            Reply::Broker(BrokerReply::Peeked(messages)) => {
                write!(f, "{} messages", messages.len())?;
                messages.iter().try_for_each(|message| write!(f, " #{}", message.seq.0))
            }
            other => write!(f, "{other:?}"),
        }
    }
}
