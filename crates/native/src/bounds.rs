//! What the wire may bring, on one page: nothing is trusted before it is bounded. What concerns
//! state (how many tags, how long a name) floor 0 decides again, by its own limits; these are wide
//! enough to let it.

/// Most bytes of a request's body; the port has the same bound.
pub const BODY_BYTES_MAX: usize = 8 << 20;

/// Most bytes of the data of one event.
pub const DATA_BYTES_MAX: usize = 1 << 20;

/// How deep arrays and objects may be nested in a body, data included. The common parsers refuse
/// what is deeper, so an event with such data could be written and never read.
pub const DEPTH_MAX: usize = 128;

/// Most events of one request.
pub const EVENTS_MAX: usize = 1_000;

/// Most bytes of the value of one attribute. Headers of 8 KiB are refused by many peers, and
/// percent-encoding makes a value up to three times as long.
pub const ATTRIBUTE_BYTES_MAX: usize = 4_096;

/// Most bytes of a type and of a correlation id, which events are found by.
pub const LABEL_BYTES_MAX: usize = 1_024;

/// Most bytes of an attribute's name. The specification asks for at most 20 ("SHOULD NOT exceed"),
/// which some senders do not heed.
pub const NAME_BYTES_MAX: usize = 64;

/// Most extensions of one event.
pub const EXTENSIONS_MAX: usize = 64;

/// Most members of any object that we look into: an event's extensions, its other attributes, and
/// those that the store gives it.
pub const MEMBERS_MAX: usize = 128;

/// Most tags of one event, or of one item of a query.
pub const TAGS_MAX: usize = 64;

/// Most bytes of a tag.
pub const TAG_BYTES_MAX: usize = 256;

/// Most bytes of a stream's name.
pub const STREAM_BYTES_MAX: usize = 1_024;

/// Most items of a query, and most types of an item.
pub const QUERY_ITEMS_MAX: usize = 32;

/// Most bytes of a query string.
pub const QUERY_BYTES_MAX: usize = 32 << 10;

/// Most parameters of a query string.
pub const PARAMETERS_MAX: usize = 256;

/// Most bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 200;

/// Most events that one read answers with.
pub const LIMIT_MAX: usize = 1_000;

/// So many events a read answers with when it does not say.
pub const LIMIT_DEFAULT: usize = 100;

/// Most bytes of a model's name.
pub const MODEL_NAME_BYTES_MAX: usize = 100;

/// Most characters of an entity's id, so that its stream's name has room for a category too.
pub const ID_CHARS_MAX: usize = 200;

/// Most bytes of a model's module of JavaScript.
pub const SCRIPT_BYTES_MAX: usize = 256 << 10;

/// The largest number that is read: beyond, not every reader of JSON tells a number from the next
/// one (RFC 7493, section 2.2).
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Most events that one call hands to a worker, as many as one receive of a queue.
pub const RECEIVE_MAX: usize = 10;

/// Most receipts that one call settles.
pub const RECEIPTS_MAX: usize = 100;

/// Longest that a call waits for work, in seconds.
pub const WAIT_SECONDS_MAX: u64 = 20;

/// Longest that a worker may take, in seconds: 12 hours, as of any message of a queue.
pub const LEASE_SECONDS_MAX: u64 = 12 * 3600;

/// Most times that an event is handed out before it is parked.
pub const ATTEMPTS_MAX: u64 = 1_000;

/// Most bytes of a reason for giving an event up.
pub const REASON_BYTES_MAX: usize = 1_024;

/// Most parked events that are named in one call.
pub const PARKED_MAX: usize = 1_000;
