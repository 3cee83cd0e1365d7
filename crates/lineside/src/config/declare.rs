//! Makes the declared queues be there, set as the file says, each time a server starts.

use std::fmt;
use std::path::PathBuf;

use anyhow::bail;
use lineside_core::command::{Command, Description, Reply};
use lineside_core::id::{Label, Name, Text};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{self, DeadLetterSources, QueueSettings, SettingsPatch};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_core::stamp::Millis;
use lineside_engine::engine::Handle;
use lineside_engine::request::CallError;
use lineside_native::face::{Native, Wish};
use lineside_native::problem::{Kind, Problem};
use tokio::task::JoinSet;

use super::layers::Loaded;
use super::queue::{Declared, Given, Scope, Sources};
use super::yaml::Mark;
use super::{model, subscription};
use crate::say;

/// Most queues that are looked at side by side: their facts then share syncs.
const AT_ONCE_MAX: usize = 64;

/// What became of the declarations.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) declared: usize,
    /// What was made, or would be: `queue orders`.
    pub(crate) made: Vec<String>,
    /// A sentence for each that was set otherwise, or would be.
    pub(crate) changes: Vec<String>,
}

/// Why they are not as declared.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The file asks for what cannot be.
    Mistake(String),
    /// Nothing can be written now: the disk is full, the state is, or facts are damaged. Who reads
    /// and settles must not be kept out by it.
    Unable(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Trouble::Mistake(why) | Trouble::Unable(why)) = self;
        f.write_str(why)
    }
}

/// What to declare, and where it is said.
#[derive(Clone, Debug)]
pub(crate) struct Declarations {
    pub(crate) file: PathBuf,
    pub(crate) queues: Vec<Declared>,
    pub(crate) models: Vec<model::Declared>,
    pub(crate) subscriptions: Vec<subscription::Declared>,
    /// Most requests that wait for a turn: nobody may be throttled here.
    pub(crate) inbox: usize,
    /// Only says what would be done.
    pub(crate) is_plan: bool,
    /// The modules of the files that models name, if they came with the declarations.
    pub(crate) modules: Option<model::Modules>,
}

/// Brings declarations about, and says what changed by it; a mistake in them is an error.
pub(crate) async fn all(declarations: &Declarations, engine: &Handle) -> anyhow::Result<()> {
    if declarations.queues.is_empty() {
        return Ok(());
    }
    match declarations.declare(engine).await {
        Ok(Outcome { declared, made, changes }) => {
            changes.iter().for_each(|change| say(format_args!("{change}")));
            let made = made.len();
            say(format_args!("queues: {declared} declared, {made} of them made now"));
            Ok(())
        }
        Err(Trouble::Mistake(why)) => bail!(why),
        Err(Trouble::Unable(why)) => {
            say(format_args!("NOT ALL QUEUES ARE AS DECLARED: {why}"));
            Ok(())
        }
    }
}

/// Brings about what is declared beside queues, and says what was made by it.
pub(crate) async fn beside_queues(
    declarations: &Declarations,
    native: &Native,
) -> anyhow::Result<()> {
    let mut outcome = Outcome::default();
    match declarations.beside(native, &mut outcome).await {
        Ok(()) => {
            let made = outcome.made.iter().chain(&outcome.changes);
            made.for_each(|made| say(format_args!("declared and made now: {made}")));
            Ok(())
        }
        Err(Trouble::Mistake(why)) => bail!(why),
        Err(Trouble::Unable(why)) => {
            say(format_args!("NOT ALL MODELS AND SUBSCRIPTIONS ARE AS DECLARED: {why}"));
            Ok(())
        }
    }
}

/// A step for one queue: what was done, if anything.
enum Step {
    Nothing,
    Made,
    Changed(String),
}

impl Declarations {
    /// What a configuration declares.
    pub(crate) fn of(loaded: &Loaded) -> Declarations {
        Declarations {
            file: loaded.file.clone().unwrap_or_default(),
            queues: loaded.settings.queues.clone(),
            models: loaded.settings.models.clone(),
            subscriptions: loaded.settings.subscriptions.clone(),
            inbox: loaded.settings.inbox,
            is_plan: false,
            modules: None,
        }
    }

    /// Brings them about. All queues are made before the first dead-letter rule is set, so that a
    /// rule may name one that is declared later, and two may name each other.
    pub(crate) async fn declare(&self, engine: &Handle) -> Result<Outcome, Trouble> {
        let one = |queue| One::new(engine, queue, self.is_plan);
        let mut all: Vec<One> = self.queues.iter().map(one).collect();
        let mut outcome = Outcome { declared: all.len(), ..Outcome::default() };
        for work in [Work::Queue, Work::DeadLetter, Work::Tags] {
            for some in all.chunks_mut((self.inbox / 4).clamp(1, AT_ONCE_MAX)) {
                self.work(work, some, &mut outcome).await?;
            }
        }
        outcome.changes.sort_unstable();
        Ok(outcome)
    }

    /// Whether it declares something that is none.
    pub(crate) fn has_more_than_queues(&self) -> bool {
        !(self.models.is_empty() && self.subscriptions.is_empty())
    }

    /// Brings about what is no queue.
    pub(crate) async fn beside(
        &self,
        native: &Native,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        self.define(native, outcome).await?;
        self.subscribe(native, outcome).await
    }

    /// Brings subscriptions about, once the queues are there that they feed.
    async fn subscribe(&self, native: &Native, outcome: &mut Outcome) -> Result<(), Trouble> {
        outcome.declared = outcome.declared.saturating_add(self.subscriptions.len());
        for one in &self.subscriptions {
            let made = self.subscribe_one(native, one).await;
            if made.map_err(|problem| self.complaint(one.mark, &problem))? {
                outcome.made.push(format!("subscription {}", one.name));
            }
        }
        Ok(())
    }

    /// Whether it is made now, or would be.
    async fn subscribe_one(
        &self,
        native: &Native,
        one: &subscription::Declared,
    ) -> Result<bool, Problem> {
        if !self.is_plan {
            return native.subscribe(&one.name, one.spec.clone()).await;
        }
        match native.would_subscribe(&one.name, one.spec.clone()).await? {
            Wish::New => Ok(true),
            Wish::Same => Ok(false),
            Wish::Otherwise => Err(Problem::new(
                Kind::ExistsOtherwise,
                "a subscription of this name is there, and is set otherwise",
            )),
        }
    }

    /// What cannot be is the file's mistake, unless the server cannot do it now.
    fn complaint(&self, mark: Mark, problem: &Problem) -> Trouble {
        let told = format!("{}:{mark}: {}", self.file.display(), problem.detail());
        match problem.kind().is_retryable() || problem.kind() == Kind::Internal {
            true => Trouble::Unable(told),
            false => Trouble::Mistake(told),
        }
    }

    /// Does a step for some queues, side by side.
    async fn work(
        &self,
        work: Work,
        some: &mut [One],
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        let mut running = JoinSet::new();
        for (index, one) in some.iter().enumerate() {
            let one = one.clone();
            running.spawn(async move { (index, one.run(work).await) });
        }
        let mut steps = Vec::new();
        while let Some(done) = running.join_next().await {
            steps.push(done.map_err(|panic| Trouble::Mistake(panic.to_string()))?);
        }
        // Told in the file's order, whoever was done first.
        steps.sort_unstable_by_key(|(index, _)| *index);
        for (index, step) in steps {
            match step.map_err(|failed| self.trouble(failed))? {
                Step::Nothing => {}
                Step::Made => {
                    if let Some(one) = some.get_mut(index) {
                        one.is_new = true;
                        outcome.made.push(format!("queue {}", one.queue.name));
                    }
                }
                Step::Changed(what) => outcome.changes.push(what),
            }
        }
        Ok(())
    }

    fn trouble(&self, (mark, failed): (Mark, CallError)) -> Trouble {
        let place = format!("{}:{mark}", self.file.display());
        match failed {
            CallError::Refused(refusal) => {
                Trouble::Mistake(format!("{place}: {}", sentence(&refusal)))
            }
            unable => Trouble::Unable(format!("{place}: {unable}")),
        }
    }
}

#[derive(Clone, Copy)]
enum Work {
    Queue,
    DeadLetter,
    Tags,
}

/// One queue on its way.
#[derive(Clone)]
struct One {
    engine: Handle,
    queue: Declared,
    /// Whether it was made in this start, so that nothing more about it is a change.
    is_new: bool,
    /// Nothing is done about it.
    is_plan: bool,
}

impl One {
    fn new(engine: &Handle, queue: &Declared, is_plan: bool) -> One {
        One { engine: engine.clone(), queue: queue.clone(), is_new: false, is_plan }
    }

    async fn run(self, work: Work) -> Result<Step, (Mark, CallError)> {
        if self.is_new && self.is_plan {
            // It is not there, so there is nothing to look at.
            return Ok(Step::Nothing);
        }
        let step = match work {
            Work::Queue => return self.make().await.map_err(|failed| (self.queue.mark, failed)),
            Work::DeadLetter => self.set_rule().await?,
            Work::Tags => self.tag().await.map_err(|failed| (self.queue.mark, failed))?,
        };
        Ok(if self.is_new { Step::Nothing } else { step })
    }

    /// Does something, unless this is a plan.
    async fn call(&self, command: Command) -> Result<(), CallError> {
        if self.is_plan {
            return Ok(());
        }
        self.engine.call(command).await.map(drop)
    }

    fn name(&self) -> Name {
        self.sibling(&self.queue.name)
    }

    /// Another queue of the same account and region.
    fn sibling(&self, queue: &str) -> Name {
        lineside_aws::sqs::resource(&self.queue.account, &self.queue.region, queue)
    }

    async fn description(&self) -> Result<Option<Description>, CallError> {
        let missing =
            |refusal: &Refusal| matches!(refusal, Refusal::Queue(QueueRefusal::Missing { .. }));
        match self.engine.call(Command::DescribeQueue { name: self.name() }).await {
            Ok(Reply::Description(description)) => Ok(Some(*description)),
            Err(CallError::Refused(refusal)) if missing(&refusal) => Ok(None),
            Ok(_) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    async fn make(&self) -> Result<Step, CallError> {
        let given = self.patch();
        if let Some(found) = self.description().await? {
            return self.change(&found.settings, given).await;
        }
        let (name, kind) = (self.name(), self.queue.kind);
        let tags = self.tags();
        self.call(Command::CreateQueue { name, kind, given, tags }).await?;
        Ok(Step::Made)
    }

    /// Sets what is otherwise; the change is told in the file's words.
    async fn change(&self, found: &QueueSettings, patch: SettingsPatch) -> Result<Step, CallError> {
        if patch.differs_from(found).is_none() {
            return Ok(Step::Nothing);
        }
        let (before, after) = (words(found), words(&patch.onto(found.clone())));
        let changed: Vec<String> = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after)
            .map(|((word, before), (_, after))| format!("{word} {before} -> {after}"))
            .collect();
        self.call(Command::ChangeQueue { name: self.name(), patch, only_if: None }).await?;
        let (queue, changed) = (&self.queue.name, changed.join(", "));
        Ok(Step::Changed(format!("queue {queue} changed to what the file says: {changed}")))
    }

    async fn set_rule(&self) -> Result<Step, (Mark, CallError)> {
        let Some(wanted) = &self.queue.dead_letter else { return Ok(Step::Nothing) };
        let mark = wanted.as_ref().map_or(self.queue.mark, |rule| rule.mark);
        let rule = wanted.as_ref().map(|rule| DeadLetterRule {
            target: self.sibling(&rule.queue),
            receives_max: rule.max_receives,
        });
        let patch = SettingsPatch { dead_letter: Some(rule), ..SettingsPatch::default() };
        let found = self.description().await.map_err(|failed| (mark, failed))?;
        let Some(found) = found else { return Ok(Step::Nothing) };
        self.change(&found.settings, patch).await.map_err(|failed| (mark, failed))
    }

    async fn tag(&self) -> Result<Step, CallError> {
        let tags = self.tags();
        if tags.is_empty() {
            return Ok(Step::Nothing);
        }
        let Reply::Tags(found) = self.engine.call(Command::ListTags { name: self.name() }).await?
        else {
            return Ok(Step::Nothing);
        };
        let new: Vec<(Label, Text)> =
            tags.into_iter().filter(|(key, value)| found.get(key) != Some(value)).collect();
        if new.is_empty() {
            return Ok(Step::Nothing);
        }
        let keys: Vec<&str> = new.iter().map(|(key, _)| key.as_str()).collect();
        let (queue, keys) = (&self.queue.name, keys.join(", "));
        let told = format!("queue {queue} changed to what the file says: tags {keys}");
        self.call(Command::TagQueue { name: self.name(), tags: new }).await?;
        Ok(Step::Changed(told))
    }

    fn tags(&self) -> Vec<(Label, Text)> {
        let tags = self.queue.tags.iter();
        tags.map(|(key, value)| (Label::new(key.as_str()), Text::new(value.as_str()))).collect()
    }

    /// All that is given, but for the dead-letter rule.
    fn patch(&self) -> SettingsPatch {
        let Given { content_deduplication: content_dedup, .. } = self.queue.given;
        let given = &self.queue.given;
        let seconds = |seconds: Option<u64>| seconds.map(Millis::seconds);
        SettingsPatch {
            visibility: seconds(given.visibility_seconds),
            delay: seconds(given.delay_seconds),
            retention: seconds(given.retention_seconds),
            message_bytes_max: given.max_message_bytes.and_then(|bytes| u32::try_from(bytes).ok()),
            receive_wait: seconds(given.wait_seconds),
            content_dedup,
            dedup_scope: given.deduplication_scope.map(scope),
            throughput: given.throughput_limit.map(scope),
            sources: given.dead_letter_sources.as_ref().map(|sources| match sources {
                Sources::All => DeadLetterSources::All,
                Sources::None => DeadLetterSources::None,
                Sources::Only(names) => {
                    DeadLetterSources::only(names.iter().map(|name| self.sibling(name)))
                }
            }),
            ..SettingsPatch::default()
        }
    }
}

fn scope(scope: Scope) -> queue::Scope {
    match scope {
        Scope::Queue => queue::Scope::Queue,
        Scope::Group => queue::Scope::Group,
    }
}

/// Settings in the file's words.
pub(super) fn words(settings: &QueueSettings) -> [(&'static str, String); 10] {
    let seconds = |millis: Millis| millis.as_seconds().to_string();
    [
        ("visibility_seconds", seconds(settings.visibility)),
        ("delay_seconds", seconds(settings.delay)),
        ("retention_seconds", seconds(settings.retention)),
        ("max_message_bytes", settings.message_bytes_max.to_string()),
        ("wait_seconds", seconds(settings.receive_wait)),
        ("dead_letter", settings.dead_letter.as_ref().map_or("none".to_owned(), rule_words)),
        ("dead_letter_sources", sources_words(&settings.sources)),
        ("content_deduplication", settings.content_dedup.to_string()),
        ("deduplication_scope", scope_word(settings.dedup_scope).to_owned()),
        ("throughput_limit", scope_word(settings.throughput).to_owned()),
    ]
}

fn rule_words(rule: &DeadLetterRule) -> String {
    format!("{} after {} receives", short(&rule.target), rule.receives_max)
}

fn sources_words(sources: &DeadLetterSources) -> String {
    match sources {
        DeadLetterSources::All => "all".to_owned(),
        DeadLetterSources::None => "none".to_owned(),
        DeadLetterSources::Only(names) => {
            format!("[{}]", names.iter().map(short).collect::<Vec<_>>().join(", "))
        }
    }
}

fn scope_word(scope: queue::Scope) -> &'static str {
    match scope {
        queue::Scope::Queue => "queue",
        queue::Scope::Group => "group",
    }
}

fn short(name: &Name) -> &str {
    name.as_str().rsplit('/').next().unwrap_or_default()
}

/// What a refusal means to who wrote the file.
fn sentence(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Queue(QueueRefusal::DeletedRecently { pause }) => format!(
            "a queue of this name was deleted less than {} seconds ago, and under the clouds' limits \
             the name rests so long: start later, or with --limits relaxed",
            pause.as_seconds()
        ),
        Refusal::Queue(QueueRefusal::DeadLetterTargetMissing { name }) => {
            let name = short(name);
            format!("there is no queue {name} to take dead letters: declare it in the file too")
        }
        Refusal::Queue(QueueRefusal::DeadLetterTargetForbids { name }) => format!(
            "the queue {} does not take this queue's dead letters: name this queue in its \
             dead_letter_sources",
            short(name)
        ),
        Refusal::Queue(QueueRefusal::TooManyTags { limit }) => format!(
            "with the tags that the queue has already it would have more than {limit}: take some away"
        ),
        other => format!("this cannot be: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{table, yaml};
    use super::*;

    #[test]
    fn changes_are_told_in_words_of_the_table() {
        let queues = table::KEYS.iter().find(|key| key.name == "queues").unwrap();
        for (word, default) in words(&QueueSettings::default()) {
            let key = queues.form.keys().iter().find(|key| key.name == word).unwrap();
            assert_eq!(default, key.default, "{word}");
        }
    }

    fn declarations(text: &str) -> Declarations {
        let root = yaml::read(text).unwrap();
        let queues = root.get("queues").unwrap().elements().iter().map(Declared::read).collect();
        let (models, subscriptions, is_plan) = (Vec::new(), Vec::new(), false);
        let file = "lineside.yaml".into();
        Declarations { file, queues, models, subscriptions, inbox: 64, is_plan, modules: None }
    }

    async fn engine() -> Handle {
        use std::sync::Arc;

        use lineside_engine::engine::{Options, Storage, start};
        let options = Options {
            partition: lineside_core::id::PartitionId(0),
            limits: lineside_core::limits::Limits::cloud(),
            steerable: false,
            inbox_max: 64,
            checkpoint_bytes: 1 << 20,
            state_bytes_max: u64::MAX,
            notice: |_| {},
        };
        let log = Arc::new(lineside_store::MemoryLog::new());
        let (engine, _ended) = start(options, async { Ok(Storage { log, blobs: None }) });
        assert!(engine.ready().await);
        engine
    }

    const TWO: &str = "queues:\n- {name: jobs, delay_seconds: 5, tags: {a: b}, dead_letter: {queue: \
                       dead, max_receives: 2}}\n- {name: dead, dead_letter_sources: [jobs]}\n";

    #[tokio::test]
    async fn what_is_declared_twice_is_made_once() {
        let engine = engine().await;
        let first = declarations(TWO).declare(&engine).await.unwrap();
        assert_eq!((first.declared, first.made.len(), first.changes), (2, 2, vec![]));
        let second = declarations(TWO).declare(&engine).await.unwrap();
        assert_eq!((second.declared, second.made.len(), second.changes), (2, 0, vec![]));
    }

    #[tokio::test]
    async fn what_is_otherwise_is_changed_and_what_is_left_out_stays() {
        let engine = engine().await;
        declarations(TWO).declare(&engine).await.unwrap();
        let other = "queues: [{name: jobs, wait_seconds: 3, dead_letter: none, tags: {a: c}}]\n";
        let outcome = declarations(other).declare(&engine).await.unwrap();
        assert_eq!(
            outcome.changes,
            [
                "queue jobs changed to what the file says: dead_letter dead after 2 receives -> none",
                "queue jobs changed to what the file says: tags a",
                "queue jobs changed to what the file says: wait_seconds 0 -> 3",
            ]
        );
        let name = lineside_aws::sqs::resource("000000000000", "us-east-1", "jobs");
        let Ok(Reply::Description(jobs)) = engine.call(Command::DescribeQueue { name }).await
        else {
            panic!("jobs is there");
        };
        assert_eq!((jobs.settings.delay, jobs.settings.dead_letter), (Millis::seconds(5), None));
    }

    #[tokio::test]
    async fn two_queues_may_take_each_others_dead_letters() {
        let text = "queues:\n- {name: a, dead_letter: {queue: b, max_receives: 1}}\n- {name: b, \
                    dead_letter: {queue: a, max_receives: 1}}\n";
        let outcome = declarations(text).declare(&engine().await).await.unwrap();
        assert_eq!((outcome.made.len(), outcome.changes), (2, vec![]));
    }

    #[tokio::test]
    async fn a_mistake_is_told_with_its_place() {
        let text = "queues:\n- name: a\n  dead_letter: {queue: nowhere, max_receives: 1}\n";
        let told = declarations(text).declare(&engine().await).await.unwrap_err();
        assert!(matches!(told, Trouble::Mistake(_)));
        assert_eq!(
            told.to_string(),
            "lineside.yaml:3:24: there is no queue nowhere to take dead letters: declare it in the \
             file too"
        );
        let text = "queues:\n- {name: a, dead_letter: {queue: b, max_receives: 1}}\n- {name: b, \
                    dead_letter_sources: none}\n";
        let told = declarations(text).declare(&engine().await).await.unwrap_err().to_string();
        assert!(told.contains("b does not take this queue's dead letters"), "{told}");
    }

    #[tokio::test]
    async fn many_queues_pass_a_small_inbox() {
        let lines: String = (0..300).map(|number| format!("- name: q{number}\n")).collect();
        let outcome = declarations(&format!("queues:\n{lines}")).declare(&engine().await).await;
        assert_eq!(outcome.unwrap().made.len(), 300);
    }

    #[tokio::test]
    async fn an_engine_that_has_ended_is_no_mistake_of_the_file() {
        let engine = engine().await;
        engine.dismiss();
        engine.finish();
        let told = loop {
            // It ends in its own time.
            if let Err(told) = declarations(TWO).declare(&engine).await {
                break told;
            }
        };
        assert!(matches!(told, Trouble::Unable(_)), "{told}");
    }
}
