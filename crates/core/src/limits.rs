//! Every limit of the product, as named values on one page, in two sets: the clouds' own
//! ([`Limits::cloud`], the default) and [`Limits::relaxed`]. Only `decide` and the faces look here;
//! `evolve` never does, so that a log means the same under any limits.

use crate::stamp::Millis;

/// What a client may ask for, and what one turn may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most messages one receive hands out (SQS: `MaxNumberOfMessages`, 10).
    pub receive_messages_max: usize,
    /// Most messages of a standard queue in flight (SQS quotas: about 120,000).
    pub standard_in_flight_max: usize,
    /// Most messages of a FIFO queue in flight (SQS quotas: 120,000).
    pub fifo_in_flight_max: usize,
    /// How long a lease may last in all, from its receive (SQS: 12 hours).
    pub lease_total_max: Millis,
    /// How long an explicit or content-based deduplication id is remembered (SQS: 5 minutes).
    pub dedup_window: Millis,
    /// How long a receive request attempt id is remembered (SQS: 5 minutes).
    pub receive_attempt_window: Millis,
    /// How long after a purge another is refused (SQS: 60 seconds).
    pub purge_pause: Millis,
    /// How long after its deletion a queue's name may not be used again (SQS: 60 seconds).
    pub recreate_pause: Millis,
    /// Most names one listing returns (SQS: `MaxResults`, 1,000).
    pub list_names_max: usize,
    /// Most messages one receive moves aside (dead letters, expired) before it stops looking; the
    /// rest is for the next receive, so that one command keeps its turn short. Of a million messages
    /// 1,000 took 1 ms to move in a standard queue and 4 ms in a FIFO queue of as many groups; a
    /// turn should take one.
    pub receive_scan_max: usize,
    /// Counts called "approximate" stop here: messages that are delayed, or whose delay or lease
    /// has ended and that nothing has met since. 100,000 took 2 to 5 ms to count; a turn should
    /// take one.
    pub approximate_count_max: usize,
    /// A tenant of a standard queue with fewer messages in flight is not noisy, whatever its share
    /// of all (SQS fair queues: 30).
    pub noisy_in_flight_min: usize,
    /// A tenant with more than so many of a hundred messages in flight, or of the time that
    /// receivers took lately, is noisy (SQS fair queues: 10 for both).
    pub noisy_percent: u64,
    /// So many ended leases that nothing has met since are told from running ones, when it is asked
    /// who is noisy; what is more counts as in flight.
    pub noisy_count_max: usize,
    /// Most queues that one names as those whose dead letters it takes (SQS: RedriveAllowPolicy, 10).
    pub dead_letter_sources_max: usize,
    /// Bytes of all notes of a queue, labels and texts. Each change of its settings writes them all.
    pub notes_bytes_max: usize,
    /// Most tags of a queue (SQS quotas: 50).
    pub tags_max: usize,
    /// Most messages a second that a move may be asked for (SQS: StartMessageMoveTask, 500).
    pub move_rate_max: u32,
    /// Most messages that one tick moves out of one queue; a move that was asked for without a rate
    /// goes on a millisecond later, so that it leaves half of the loop to others.
    pub move_step_max: usize,
    /// Most messages that one tick looks at, to find some to move; the rest is for the next.
    pub move_scan_max: usize,
    /// Most messages that one peek shows.
    pub peek_messages_max: usize,
    /// Most messages that one peek looks at; with most of them in flight it shows fewer.
    pub peek_scan_max: usize,
    /// Most messages of a session or a broker queue that one receiver may hold unsettled.
    pub unsettled_max: usize,
    /// Most messages one command to a broker queue hands out, or names. To decide and evolve 1,000
    /// takes about half of the millisecond that a turn should take, and 5,000, which is Service
    /// Bus's largest link credit, over two; a receiver with more credit is served by several.
    pub broker_receive_max: usize,
    /// Most bytes of an event's data: 1 MiB.
    pub event_data_bytes_max: usize,
    /// Most bytes of all that an event carries beside data, stream, type, tags and correlation: ids,
    /// source, extensions. The HTTP servers that events come through allow headers of about this.
    pub event_context_bytes_max: usize,
    /// Most tags of an event: one more than a face lets be named, for what it adds to make an append
    /// recognisable. Each is an entry in memory until the index has it, and one on disk.
    pub event_tags_max: usize,
    /// Most bytes of a tag; the least is 1.
    pub event_tag_bytes_max: usize,
    /// Most bytes of a type or a correlation id; the least is 1.
    pub event_label_bytes_max: usize,
    /// Most bytes of a stream's name; the least is 1.
    pub stream_name_bytes_max: usize,
    /// Most events of one append, and most streams that it has expectations of.
    pub append_events_max: usize,
    /// Most tags of all events of one append: each costs a turn about a third of a microsecond, and
    /// each event a whole one.
    pub append_tags_max: usize,
    /// Most bytes of all events of one append: they are copied once inside a turn, 1 MiB in about a
    /// third of a millisecond.
    pub append_bytes_max: usize,
    /// Most items of a query: one more than a face lets be named, for the same purpose.
    pub query_items_max: usize,
    /// Most types, tags, streams, categories and correlation ids of a query, all items together.
    pub query_terms_max: usize,
    /// Most events of a store that are kept in memory since the index has not said that it has them;
    /// beyond, appends wait for the index.
    pub recent_events_max: usize,
    /// Most of those that one command hands to whoever indexes them.
    pub recent_page_max: usize,
    /// Most look-ups that the queries of one append make among those; 10,000 took 0.4 ms. A query that
    /// would take more waits for the index.
    pub recent_scan_max: usize,
    /// Most entries of those that one command lets go (at least an append's); 4,000 took 0.7 ms. It
    /// says how far it came.
    pub indexed_step_max: usize,
    /// A subscription makes no more messages while its queue holds so many: what waits is cheaper in
    /// the log than in memory.
    pub subscription_window_max: usize,
    /// Most messages that one step of a subscription brings.
    pub subscription_step_max: usize,
}

impl Limits {
    /// The clouds' own values; each is documented at its field.
    pub const fn cloud() -> Limits {
        Limits {
            receive_messages_max: 10,
            standard_in_flight_max: 120_000,
            fifo_in_flight_max: 120_000,
            lease_total_max: Millis::seconds(12 * 3600),
            dedup_window: Millis::seconds(300),
            receive_attempt_window: Millis::seconds(300),
            purge_pause: Millis::seconds(60),
            recreate_pause: Millis::seconds(60),
            list_names_max: 1000,
            receive_scan_max: 250,
            approximate_count_max: 20_000,
            noisy_in_flight_min: 30,
            noisy_percent: 10,
            noisy_count_max: 1000,
            dead_letter_sources_max: 10,
            notes_bytes_max: 32 * 1024,
            tags_max: 50,
            move_rate_max: 500,
            move_step_max: 64,
            move_scan_max: 1000,
            peek_messages_max: 1000,
            peek_scan_max: 1000,
            unsettled_max: 5000,
            broker_receive_max: 1000,
            event_data_bytes_max: 1024 * 1024,
            event_context_bytes_max: 32 * 1024,
            event_tags_max: 65,
            event_tag_bytes_max: 256,
            event_label_bytes_max: 1024,
            stream_name_bytes_max: 1024,
            append_events_max: 1000,
            append_tags_max: 4000,
            append_bytes_max: 4 * 1024 * 1024,
            query_items_max: 33,
            query_terms_max: 256,
            recent_events_max: 262_144,
            recent_page_max: 1024,
            recent_scan_max: 10_000,
            indexed_step_max: 4000,
            subscription_window_max: 10_000,
            subscription_step_max: 256,
        }
    }

    /// For tests against a throw-away server: no pauses after purge and delete, wide bounds.
    pub const fn relaxed() -> Limits {
        Limits {
            standard_in_flight_max: usize::MAX,
            fifo_in_flight_max: usize::MAX,
            purge_pause: Millis::ZERO,
            recreate_pause: Millis::ZERO,
            ..Limits::cloud()
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::cloud()
    }
}
