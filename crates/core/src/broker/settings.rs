//! What a broker queue is set to.

use minicbor::{Decode, Encode};

use crate::stamp::Millis;

/// All settings of a broker queue; the face has checked the ranges, in its cloud's own words.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct BrokerSettings {
    /// Whether its messages are handed out session by session; fixed at creation.
    #[n(0)]
    pub sessions: bool,
    /// How long a message's or a session's lock lasts from its hand-out or renewal.
    #[n(1)]
    pub lock: Millis,
    /// After so many failed deliveries (abandoned, or the lock ran out) a message is dead-lettered;
    /// at least 1.
    #[n(2)]
    pub deliveries_max: u32,
    /// How long a message lives at most; a message may ask for less.
    #[n(3)]
    pub ttl: Option<Millis>,
    /// Whether a message that outlived its time is dead-lettered; otherwise it is gone.
    #[n(4)]
    pub dead_letter_on_expiry: bool,
    /// How long a message id is remembered to recognise duplicates; absent: they are not looked for.
    #[n(5)]
    pub dedup_window: Option<Millis>,
    /// Largest message, and largest session state, in bytes.
    #[n(6)]
    pub message_bytes_max: u32,
}

impl Default for BrokerSettings {
    /// Service Bus's documented defaults for a queue (its quotas page and the administration
    /// client's `CreateQueueOptions`): one minute of lock, ten deliveries, no end of life, 256 KiB.
    fn default() -> BrokerSettings {
        BrokerSettings {
            sessions: false,
            lock: Millis::seconds(60),
            deliveries_max: 10,
            ttl: None,
            dead_letter_on_expiry: false,
            dedup_window: None,
            message_bytes_max: 256 * 1024,
        }
    }
}
