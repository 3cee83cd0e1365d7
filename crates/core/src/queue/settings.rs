//! What a polled queue is set to.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::id::{Label, Name, Text};
use crate::parts::{DeadLetterRule, Texts};
use crate::refusal::Setting;
use crate::stamp::Millis;

/// The kind of a polled queue, fixed at its creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum QueueKind {
    /// Best-effort order, at-least-once.
    #[n(0)]
    Standard,
    /// Order inside a group, deduplication.
    #[n(1)]
    Fifo,
}

/// Whether something is of a queue as a whole, or of each group in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Scope {
    /// Of the whole queue.
    #[n(0)]
    #[default]
    Queue,
    /// Of each ordering group.
    #[n(1)]
    Group,
}

/// Which queues may name a queue in their dead-letter rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DeadLetterSources {
    /// Any.
    #[default]
    All,
    /// None.
    None,
    /// These, by name: in order, each once.
    Only(Arc<[Name]>),
}

impl DeadLetterSources {
    /// These and no others; in any order, which says the same as another.
    pub fn only(names: impl IntoIterator<Item = Name>) -> DeadLetterSources {
        let mut names: Vec<Name> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        match names.is_empty() {
            true => DeadLetterSources::None,
            false => DeadLetterSources::Only(names.into()),
        }
    }

    /// In the one form that says it.
    fn normal(&self) -> DeadLetterSources {
        match self {
            DeadLetterSources::All => DeadLetterSources::All,
            DeadLetterSources::None => DeadLetterSources::None,
            DeadLetterSources::Only(names) => DeadLetterSources::only(names.iter().cloned()),
        }
    }

    /// Whether a queue of this name may.
    pub fn allow(&self, source: &Name) -> bool {
        match self {
            DeadLetterSources::All => true,
            DeadLetterSources::None => false,
            DeadLetterSources::Only(names) => names.contains(source),
        }
    }

    /// How many are named.
    pub fn named(&self) -> usize {
        match self {
            DeadLetterSources::All | DeadLetterSources::None => 0,
            DeadLetterSources::Only(names) => names.len(),
        }
    }
}

/// All settings of a polled queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSettings {
    /// Default length of a lease: 0 to 12 hours.
    pub visibility: Millis,
    /// Default delay of a message: 0 to 15 minutes.
    pub delay: Millis,
    /// How long a message is kept: 1 minute to 14 days.
    pub retention: Millis,
    /// Largest message in bytes: 1,024 to 1,048,576.
    pub message_bytes_max: u32,
    /// Default patience of a receive: 0 to 20 seconds.
    pub receive_wait: Millis,
    /// Where messages go that were received too often.
    pub dead_letter: Option<DeadLetterRule>,
    /// Whether the body's digest serves as a deduplication id (FIFO).
    pub content_dedup: bool,
    /// Where a deduplication id counts (FIFO). What was remembered under one scope means nothing
    /// under the other.
    pub dedup_scope: Scope,
    /// What a limit on throughput would count (FIFO); it is kept, and nothing is limited.
    pub throughput: Scope,
    /// Which queues may send their dead letters here; looked at when a rule is set.
    pub sources: DeadLetterSources,
    /// A face's own texts, which the queue keeps and never looks into.
    pub notes: Texts,
}

impl Default for QueueSettings {
    /// SQS's documented defaults (API reference, CreateQueue).
    fn default() -> QueueSettings {
        QueueSettings {
            visibility: Millis::seconds(30),
            delay: Millis::ZERO,
            retention: Millis::seconds(4 * 24 * 3600),
            message_bytes_max: 1024 * 1024,
            receive_wait: Millis::ZERO,
            dead_letter: None,
            content_dedup: false,
            dedup_scope: Scope::Queue,
            throughput: Scope::Queue,
            sources: DeadLetterSources::All,
            notes: Texts::default(),
        }
    }
}

/// Settings as facts and checkpoints have them; the numbers are the format on disk. What came later
/// is absent where it has its default.
#[derive(Encode, Decode)]
struct Record {
    #[n(0)]
    visibility: Millis,
    #[n(1)]
    delay: Millis,
    #[n(2)]
    retention: Millis,
    #[n(3)]
    message_bytes_max: u32,
    #[n(4)]
    receive_wait: Millis,
    #[n(5)]
    dead_letter: Option<DeadLetterRule>,
    #[n(6)]
    content_dedup: bool,
    #[n(7)]
    dedup_scope: Option<Scope>,
    #[n(8)]
    throughput: Option<Scope>,
    /// Nobody at all, if none is named.
    #[n(9)]
    sources: Option<Vec<Name>>,
    #[n(10)]
    notes: Option<Vec<(Label, Text)>>,
}

impl From<&QueueSettings> for Record {
    fn from(settings: &QueueSettings) -> Record {
        let unless_default = |scope: Scope| (scope != Scope::default()).then_some(scope);
        Record {
            visibility: settings.visibility,
            delay: settings.delay,
            retention: settings.retention,
            message_bytes_max: settings.message_bytes_max,
            receive_wait: settings.receive_wait,
            dead_letter: settings.dead_letter.clone(),
            content_dedup: settings.content_dedup,
            dedup_scope: unless_default(settings.dedup_scope),
            throughput: unless_default(settings.throughput),
            sources: match &settings.sources {
                DeadLetterSources::All => None,
                DeadLetterSources::None => Some(Vec::new()),
                DeadLetterSources::Only(names) => Some(names.to_vec()),
            },
            notes: settings.notes.to_list(),
        }
    }
}

impl From<Record> for QueueSettings {
    fn from(record: Record) -> QueueSettings {
        QueueSettings {
            visibility: record.visibility,
            delay: record.delay,
            retention: record.retention,
            message_bytes_max: record.message_bytes_max,
            receive_wait: record.receive_wait,
            dead_letter: record.dead_letter,
            content_dedup: record.content_dedup,
            dedup_scope: record.dedup_scope.unwrap_or_default(),
            throughput: record.throughput.unwrap_or_default(),
            sources: match record.sources {
                None => DeadLetterSources::All,
                Some(names) => DeadLetterSources::only(names),
            },
            notes: Texts::of_list(record.notes),
        }
    }
}

impl<C> Encode<C> for QueueSettings {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        Record::from(self).encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for QueueSettings {
    fn decode(
        d: &mut minicbor::Decoder<'b>,
        ctx: &mut C,
    ) -> Result<QueueSettings, minicbor::decode::Error> {
        Record::decode(d, ctx).map(QueueSettings::from)
    }
}

/// Settings that were given; the others stay as they are. The face has checked the ranges, in its
/// cloud's own words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SettingsPatch {
    /// See [`QueueSettings::visibility`].
    pub visibility: Option<Millis>,
    /// See [`QueueSettings::delay`].
    pub delay: Option<Millis>,
    /// See [`QueueSettings::retention`].
    pub retention: Option<Millis>,
    /// See [`QueueSettings::message_bytes_max`].
    pub message_bytes_max: Option<u32>,
    /// See [`QueueSettings::receive_wait`].
    pub receive_wait: Option<Millis>,
    /// See [`QueueSettings::dead_letter`]; `Some(None)` removes the rule.
    pub dead_letter: Option<Option<DeadLetterRule>>,
    /// See [`QueueSettings::content_dedup`].
    pub content_dedup: Option<bool>,
    /// See [`QueueSettings::dedup_scope`].
    pub dedup_scope: Option<Scope>,
    /// See [`QueueSettings::throughput`].
    pub throughput: Option<Scope>,
    /// See [`QueueSettings::sources`].
    pub sources: Option<DeadLetterSources>,
    /// See [`QueueSettings::notes`]: what to set, and, without a text, what to take out.
    pub notes: Vec<(Label, Option<Text>)>,
}

impl SettingsPatch {
    /// The settings with this patch applied.
    pub fn onto(&self, mut settings: QueueSettings) -> QueueSettings {
        set(&mut settings.visibility, self.visibility);
        set(&mut settings.delay, self.delay);
        set(&mut settings.retention, self.retention);
        set(&mut settings.message_bytes_max, self.message_bytes_max);
        set(&mut settings.receive_wait, self.receive_wait);
        set(&mut settings.content_dedup, self.content_dedup);
        set(&mut settings.dedup_scope, self.dedup_scope);
        set(&mut settings.throughput, self.throughput);
        set(&mut settings.sources, self.sources.as_ref().map(DeadLetterSources::normal));
        if let Some(rule) = &self.dead_letter {
            settings.dead_letter = rule.clone();
        }
        if !self.notes.is_empty() {
            let notes = self.notes.iter().map(|(label, text)| (label, text.as_ref()));
            settings.notes = settings.notes.with(notes);
        }
        settings
    }

    /// The first setting given here that `settings` has otherwise.
    pub fn differs_from(&self, settings: &QueueSettings) -> Option<Setting> {
        let scope = |given: Option<Scope>, has| given.is_some_and(|given| given != has);
        let sources = self.sources.as_ref().is_some_and(|v| v.normal() != settings.sources);
        let differing = [
            (Setting::Visibility, self.visibility.is_some_and(|v| v != settings.visibility)),
            (Setting::Delay, self.delay.is_some_and(|v| v != settings.delay)),
            (Setting::Retention, self.retention.is_some_and(|v| v != settings.retention)),
            (
                Setting::MessageBytesMax,
                self.message_bytes_max.is_some_and(|v| v != settings.message_bytes_max),
            ),
            (Setting::ReceiveWait, self.receive_wait.is_some_and(|v| v != settings.receive_wait)),
            (
                Setting::DeadLetter,
                self.dead_letter.as_ref().is_some_and(|v| *v != settings.dead_letter),
            ),
            (
                Setting::ContentDedup,
                self.content_dedup.is_some_and(|v| v != settings.content_dedup),
            ),
            (Setting::DedupScope, scope(self.dedup_scope, settings.dedup_scope)),
            (Setting::Throughput, scope(self.throughput, settings.throughput)),
            (Setting::DeadLetterSources, sources),
        ];
        let found = differing.into_iter().find(|(_, differs)| *differs);
        found.map(|(setting, _)| setting).or_else(|| self.differing_note(&settings.notes))
    }

    /// The first note given here that is another; of one label the last counts, as it would be set.
    fn differing_note(&self, notes: &Texts) -> Option<Setting> {
        let given = self.notes.iter().map(|(label, text)| (label, text.as_ref()));
        let with = notes.with(given);
        let labels = self.notes.iter().map(|(label, _)| label);
        let mut differing = labels.filter(|label| with.get(label) != notes.get(label));
        differing.next().cloned().map(Setting::Note)
    }

    /// The name that a new dead-letter rule points to.
    pub fn dead_letter_target(&self) -> Option<&Name> {
        self.dead_letter.as_ref()?.as_ref().map(|rule| &rule.target)
    }

    /// Bytes of the notes that are given.
    pub fn note_bytes(&self) -> usize {
        let text = |text: &Option<Text>| text.as_ref().map_or(0, |text| text.as_str().len());
        self.notes.iter().map(|(label, note)| label.as_str().len() + text(note)).sum()
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}
