//! Snapshots taken while facts come in between.

use proptest::collection::vec;
use proptest::prelude::*;

use super::random::{Story, settings, step, wish};
use super::*;
use crate::command::Command;
use crate::partition::Partition;
use crate::partition::tests::snapshots::{
    Checkpoint, Log, blocks, resting_on_nothing, schedule, told,
};

fn empty() -> Partition {
    Partition::new(PartitionId(0), Limits::cloud())
}

/// The story's log, beginning with the creation of its queue.
fn log_of(story: &Story, settings: BrokerSettings) -> Log {
    let created = BrokerFact::Created(BrokerCreated { queue: QUEUE, name: name(), settings });
    let first = (Stamp(0), place(0), created);
    let rest = story.world.log.iter().cloned();
    let facts = std::iter::once(first).chain(rest);
    facts.map(|(at, here, fact)| (at, here, Fact::Broker(fact))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whenever the snapshots were taken: with the tail of the log they make the queue that the
    /// whole log makes, indexes and all, and what is said to both is answered alike.
    #[test]
    fn a_checkpoint_and_its_tail_say_what_the_whole_log_says(
        settings in settings(),
        steps in vec(step(), 0..90),
        schedule in schedule(),
        wishes in vec(wish(), 0..12),
    ) {
        let mut story = Story::new(settings.clone());
        steps.into_iter().for_each(|step| story.take(step));
        let log = log_of(&story, settings);
        let whole = told(empty(), &log);
        let restored = Checkpoint::taken(&log, &schedule).replayed(&log, &Limits::cloud());
        prop_assert_eq!(blocks(&restored), blocks(&whole));
        let (mut whole, mut restored) = (resting_on_nothing(whole), resting_on_nothing(restored));
        prop_assert_eq!(&whole, &restored);
        for (position, wish) in (log.len() as u64..).zip(wishes) {
            let (at, here) = (Stamp(story.world.at), place(position));
            let operation = story.operation(wish);
            let command = Command::Broker(BrokerCommand::To { queue: name(), operation });
            let (one, other) =
                (whole.decide(at, here, &command), restored.decide(at, here, &command));
            prop_assert_eq!((&one.answer, &one.facts), (&other.answer, &other.facts));
            for (index, fact) in one.facts.facts.iter().enumerate() {
                whole.evolve(at, here.plus(index), fact);
                restored.evolve(at, here.plus(index), fact);
            }
        }
        prop_assert_eq!(whole, restored);
    }
}
