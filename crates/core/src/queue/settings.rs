//! What a polled queue is set to.

use minicbor::{Decode, Encode};

use crate::id::Name;
use crate::parts::DeadLetterRule;
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

/// All settings of a polled queue.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct QueueSettings {
    /// Default length of a lease: 0 to 12 hours.
    #[n(0)]
    pub visibility: Millis,
    /// Default delay of a message: 0 to 15 minutes.
    #[n(1)]
    pub delay: Millis,
    /// How long a message is kept: 1 minute to 14 days.
    #[n(2)]
    pub retention: Millis,
    /// Largest message in bytes: 1,024 to 1,048,576.
    #[n(3)]
    pub message_bytes_max: u32,
    /// Default patience of a receive: 0 to 20 seconds.
    #[n(4)]
    pub receive_wait: Millis,
    /// Where messages go that were received too often.
    #[n(5)]
    pub dead_letter: Option<DeadLetterRule>,
    /// Whether the body's digest serves as a deduplication id (FIFO).
    #[n(6)]
    pub content_dedup: bool,
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
        }
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
        if let Some(rule) = &self.dead_letter {
            settings.dead_letter = rule.clone();
        }
        settings
    }

    /// The first setting given here that `settings` has otherwise.
    pub fn differs_from(&self, settings: &QueueSettings) -> Option<Setting> {
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
        ];
        differing.into_iter().find(|(_, differs)| *differs).map(|(setting, _)| setting)
    }

    /// The name that a new dead-letter rule points to.
    pub fn dead_letter_target(&self) -> Option<&Name> {
        self.dead_letter.as_ref()?.as_ref().map(|rule| &rule.target)
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}
