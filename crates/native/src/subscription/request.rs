//! What a request about a subscription says. What it does not say has a default, and what it should
//! not say is refused by its name.

use lineside_core::events::Query;
use lineside_core::id::EventNumber;
use lineside_core::stamp::Millis;
use lineside_engine::subscriptions::Order;

use crate::bounds::{
    ATTEMPTS_MAX, LEASE_SECONDS_MAX, PARKED_MAX, REASON_BYTES_MAX, RECEIPTS_MAX, RECEIVE_MAX,
    WAIT_SECONDS_MAX,
};
use crate::json::{self, Members, Raw, Type};
use crate::problem::{Kind, Problem};
use crate::query;
use crate::text::{is_string, shown};

/// Most members of an object here that are read: more than there are, so that one that is not known
/// is refused by its name.
const PARTS_MAX: usize = 16;

/// What a subscription is to be: the body of PUT /v1/subscriptions/{name}.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Which events; all of them, if it does not say.
    pub query: Query,
    /// From where on.
    pub begin: Option<Begin>,
    /// What is made of them.
    pub feeding: Feeding,
}

/// From where on a new subscription has events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// All that there are.
    Start,
    /// Those that are yet to come.
    End,
    /// From this number on.
    At(EventNumber),
}

/// What is made of the events.
#[derive(Clone, Debug, PartialEq)]
pub enum Feeding {
    /// Nothing: it is a cursor.
    Cursor,
    /// Messages in the queue of this name.
    Queue(String),
    /// Work for those who compete for it.
    Workers {
        /// How long one may take.
        lease: Millis,
        /// How often an event is handed out before it is parked.
        attempts: u32,
        /// Which events come one after another.
        order: Order,
    },
}

impl Spec {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Spec, Problem> {
        let mut spec = Spec { query: Query::all(), begin: None, feeding: Feeding::Cursor };
        for (name, value) in members(body)? {
            match name.as_str() {
                "query" => spec.query = query::read(value, "/query")?,
                "from" => spec.begin = Some(begin(value)?),
                "queue" | "workers" if spec.feeding != Feeding::Cursor => {
                    let detail = "A subscription feeds a queue or has workers, and not both.";
                    return Err(invalid(detail, "/queue"));
                }
                "queue" => spec.feeding = Feeding::Queue(text(value, "/queue", 512)?),
                "workers" => spec.feeding = workers(value)?,
                _ => return Err(unknown(&name, "query, from, queue and workers")),
            }
        }
        Ok(spec)
    }
}

fn begin(raw: Raw<'_>) -> Result<Begin, Problem> {
    let at = "/from";
    match Type::of(raw) {
        Type::Number => {
            let number = number(raw, at, (1, crate::bounds::NUMBER_MAX))?;
            Ok(Begin::At(EventNumber(number)))
        }
        Type::Text => match text(raw, at, 16)?.as_str() {
            "start" => Ok(Begin::Start),
            "end" => Ok(Begin::End),
            other => {
                let rule = "It begins at `start`, at `end`, or at an event's number";
                Err(invalid(format!("{rule}, and not at {}.", shown(other)), at))
            }
        },
        other => {
            let rule = "It begins at `start`, at `end`, or at an event's number";
            Err(invalid(format!("{rule}, and this is {other}."), at))
        }
    }
}

fn workers(raw: Raw<'_>) -> Result<Feeding, Problem> {
    let (mut lease, mut attempts, mut order) = (Millis::seconds(30), 5, Order::default());
    for (name, value) in json::members(raw, PARTS_MAX).map_err(|m| invalid(m, "/workers"))? {
        let at = json::pointer("/workers", &name);
        match name.as_str() {
            "lease_seconds" => {
                lease = Millis::seconds(number(value, &at, (1, LEASE_SECONDS_MAX))?);
            }
            "attempts" => {
                let number = number(value, &at, (1, ATTEMPTS_MAX))?;
                attempts = u32::try_from(number).unwrap_or(u32::MAX);
            }
            "order" => {
                let word = text(value, &at, 16)?;
                order = Order::of_word(&word).ok_or_else(|| {
                    let rule = "Events come in order by `stream`, by `correlation`, or by `none`";
                    invalid(format!("{rule}, and not by {}.", shown(&word)), &at)
                })?;
            }
            _ => {
                let known = "lease_seconds, attempts and order";
                let detail = format!("Workers have {known}, and no {}.", shown(&name));
                return Err(invalid(detail, &at));
            }
        }
    }
    Ok(Feeding::Workers { lease, attempts, order })
}

/// How work is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receive {
    /// At most so many events.
    pub max: usize,
    /// How long to wait for a first one.
    pub wait: Millis,
    /// How long it may take; else as the subscription says.
    pub lease: Option<Millis>,
}

impl Receive {
    /// Reads a body; an empty one asks for what is there.
    pub fn read(body: &[u8]) -> Result<Receive, Problem> {
        let mut receive = Receive { max: RECEIVE_MAX, wait: Millis::ZERO, lease: None };
        for (name, value) in members_if_any(body)? {
            match name.as_str() {
                "max" => {
                    let max = number(value, "/max", (1, RECEIVE_MAX as u64))?;
                    receive.max = usize::try_from(max).unwrap_or(RECEIVE_MAX);
                }
                "wait_seconds" => {
                    let seconds = number(value, "/wait_seconds", (0, WAIT_SECONDS_MAX))?;
                    receive.wait = Millis::seconds(seconds);
                }
                "lease_seconds" => {
                    let seconds = number(value, "/lease_seconds", (1, LEASE_SECONDS_MAX))?;
                    receive.lease = Some(Millis::seconds(seconds));
                }
                _ => return Err(unknown(&name, "max, wait_seconds and lease_seconds")),
            }
        }
        Ok(receive)
    }
}

/// What is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// Work, by its receipts.
    Receipts(Vec<String>),
    /// All events up to a number; if the cursor is at `after`, should that be given.
    Upto {
        /// Where the cursor goes.
        upto: EventNumber,
        /// Where it is believed to be.
        after: Option<EventNumber>,
    },
}

impl Ack {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Ack, Problem> {
        let (mut receipts, mut upto, mut after) = (None, None, None);
        let event = |value, at| number(value, at, (0, crate::bounds::NUMBER_MAX)).map(EventNumber);
        for (name, value) in members(body)? {
            match name.as_str() {
                "receipts" => receipts = Some(texts(value, "/receipts")?),
                "upto" => upto = Some(event(value, "/upto")?),
                "after" => after = Some(event(value, "/after")?),
                _ => return Err(unknown(&name, "receipts, or upto and after")),
            }
        }
        match (receipts, upto, after) {
            (Some(receipts), None, None) => Ok(Ack::Receipts(receipts)),
            (None, Some(upto), after) => Ok(Ack::Upto { upto, after }),
            _ => Err(invalid("It needs receipts, or else a number upto which all is done.", "")),
        }
    }
}

/// Work that is not done: given back, or given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Park {
    /// Whose.
    pub receipts: Vec<String>,
    /// Of what is given back: how long it rests.
    pub delay: Millis,
    /// Of what is given up: why.
    pub reason: Option<String>,
}

impl Park {
    /// Reads the body of a nack.
    pub fn read_nack(body: &[u8]) -> Result<Park, Problem> {
        Park::read(body, "delay_seconds", "receipts and delay_seconds")
    }

    /// Reads the body of a park.
    pub fn read_park(body: &[u8]) -> Result<Park, Problem> {
        Park::read(body, "reason", "receipts and reason")
    }

    fn read(body: &[u8], own: &str, known: &str) -> Result<Park, Problem> {
        let mut park = Park { receipts: Vec::new(), delay: Millis::ZERO, reason: None };
        for (name, value) in members(body)? {
            match name.as_str() {
                "receipts" => park.receipts = texts(value, "/receipts")?,
                "delay_seconds" if own == "delay_seconds" => {
                    let seconds = number(value, "/delay_seconds", (0, LEASE_SECONDS_MAX))?;
                    park.delay = Millis::seconds(seconds);
                }
                "reason" if own == "reason" => {
                    park.reason = Some(text(value, "/reason", REASON_BYTES_MAX)?);
                }
                _ => return Err(unknown(&name, known)),
            }
        }
        match park.receipts.is_empty() {
            true => Err(invalid("It needs receipts, at least one.", "/receipts")),
            false => Ok(park),
        }
    }
}

/// What is brought back of what was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// These.
    Ids(Vec<u64>),
    /// The oldest, at most so many of those that there are now.
    Oldest(u64),
}

impl Replay {
    /// Reads a body; an empty one means all.
    pub fn read(body: &[u8]) -> Result<Replay, Problem> {
        let (mut ids, mut max) = (None, None);
        for (name, value) in members_if_any(body)? {
            match name.as_str() {
                "ids" => {
                    let all = json::elements(value, PARKED_MAX).map_err(|m| invalid(m, "/ids"))?;
                    let one = |raw| number(raw, "/ids", (1, crate::bounds::NUMBER_MAX));
                    ids = Some(all.into_iter().map(one).collect::<Result<_, _>>()?);
                }
                "max" => max = Some(number(value, "/max", (1, crate::bounds::NUMBER_MAX))?),
                _ => return Err(unknown(&name, "ids, or max")),
            }
        }
        match (ids, max) {
            (Some(ids), None) => Ok(Replay::Ids(ids)),
            (None, max) => Ok(Replay::Oldest(max.unwrap_or(u64::MAX))),
            (Some(_), Some(_)) => Err(invalid("It takes ids or max, and not both.", "/max")),
        }
    }
}

/// A subscription's name out of a path: letters and digits, and inside `-`, `_` and `.`; at most 128.
pub fn name_of_path(part: &str) -> Result<&str, Problem> {
    let letter = |c: char| c.is_ascii_alphanumeric();
    let fits = (1..=128).contains(&part.len())
        && part.chars().all(|c| letter(c) || "-_.".contains(c))
        && part.starts_with(letter);
    fits.then_some(part).ok_or_else(|| {
        let rule = "A subscription's name has 1 to 128 letters, digits, `-`, `_` and `.`, and begins \
                    with a letter or a digit";
        let detail = format!("{rule}; {} is none.", shown(part));
        Problem::new(Kind::InvalidParameter, detail).at("parameter name")
    })
}

fn members(body: &[u8]) -> Result<Members<'_>, Problem> {
    json::members(json::document(body)?, PARTS_MAX).map_err(|misfit| invalid(misfit, ""))
}

fn members_if_any(body: &[u8]) -> Result<Members<'_>, Problem> {
    if body.is_empty() { Ok(Vec::new()) } else { members(body) }
}

fn number(raw: Raw<'_>, at: &str, (least, most): (u64, u64)) -> Result<u64, Problem> {
    let number = json::number(raw).map_err(|misfit| invalid(misfit, at))?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(invalid(format!("It is from {least} to {most}, and this is {number}."), at))
}

fn text(raw: Raw<'_>, at: &str, longest: usize) -> Result<String, Problem> {
    let text = json::text(raw).map_err(|misfit| invalid(misfit, at))?;
    if (1..=longest).contains(&text.len()) && is_string(&text) {
        return Ok(text);
    }
    let rule = format!("It has 1 to {longest} bytes and no control characters");
    Err(invalid(format!("{rule}, and {} has not.", shown(&text)), at))
}

fn texts(raw: Raw<'_>, at: &str) -> Result<Vec<String>, Problem> {
    let all = json::elements(raw, RECEIPTS_MAX).map_err(|misfit| invalid(misfit, at))?;
    all.into_iter().map(|raw| receipt(raw, at)).collect()
}

/// A receipt is what base64 for URLs makes (RFC 4648, section 5).
fn receipt(raw: Raw<'_>, at: &str) -> Result<String, Problem> {
    let text = text(raw, at, 256)?;
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    fits.then_some(text).ok_or_else(|| invalid("A receipt has letters, digits, `-` and `_`.", at))
}

fn unknown(name: &str, known: &str) -> Problem {
    invalid(format!("It has {known}, and no {}.", shown(name)), "")
}

fn invalid(detail: impl Into<String>, at: &str) -> Problem {
    Problem::new(Kind::InvalidBody, detail).at(at).next("Correct what is named, and send it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_a_default() {
        let cursor = Spec::read(b"{}").unwrap();
        assert_eq!((cursor.query, cursor.begin), (Query::all(), None));
        assert_eq!(cursor.feeding, Feeding::Cursor);
        let workers = Spec::read(br#"{"workers":{},"from":"end"}"#).unwrap();
        let (lease, order) = (Millis::seconds(30), Order::Stream);
        assert_eq!(workers.feeding, Feeding::Workers { lease, attempts: 5, order });
        assert_eq!(workers.begin, Some(Begin::End));
        let (max, wait) = (10, Millis::ZERO);
        assert_eq!(Receive::read(b"").unwrap(), Receive { max, wait, lease: None });
        assert_eq!(Replay::read(b"").unwrap(), Replay::Oldest(u64::MAX));
    }

    #[test]
    fn what_is_said_is_taken() {
        let spec = br#"{"query":{"types":["a"]},"from":7,"queue":"orders"}"#;
        let spec = Spec::read(spec).unwrap();
        assert_eq!(spec.begin, Some(Begin::At(EventNumber(7))));
        assert_eq!(spec.feeding, Feeding::Queue("orders".to_owned()));
        let body = br#"{"workers":{"lease_seconds":1,"attempts":1000,"order":"none"}}"#;
        let (lease, order) = (Millis::seconds(1), Order::None);
        let workers = Feeding::Workers { lease, attempts: 1000, order };
        assert_eq!(Spec::read(body).unwrap().feeding, workers);
        let ack = Ack::read(br#"{"upto":9,"after":3}"#).unwrap();
        assert_eq!(ack, Ack::Upto { upto: EventNumber(9), after: Some(EventNumber(3)) });
        assert_eq!(Replay::read(br#"{"ids":[1,2]}"#).unwrap(), Replay::Ids(vec![1, 2]));
        let park = Park::read_park(br#"{"receipts":["a"],"reason":"no"}"#).unwrap();
        assert_eq!(park.reason.as_deref(), Some("no"));
    }

    #[test]
    fn what_cannot_be_is_refused_where_it_is_wrong() {
        let spec = |body: &str| Spec::read(body.as_bytes()).unwrap_err();
        let cases = [
            (r#"{"querry":{}}"#, "", "no `querry`"),
            (r#"{"query":1}"#, "/query", "this is a number"),
            (r#"{"from":0}"#, "/from", "from 1 to"),
            (r#"{"from":"now"}"#, "/from", "not at `now`"),
            (r#"{"from":[]}"#, "/from", "this is an array"),
            (r#"{"queue":"a","workers":{}}"#, "/queue", "not both"),
            (r#"{"queue":""}"#, "/queue", "1 to 512"),
            (r#"{"workers":{"lease":1}}"#, "/workers/lease", "no `lease`"),
            (r#"{"workers":{"lease_seconds":0}}"#, "/workers/lease_seconds", "from 1 to 43200"),
            (r#"{"workers":{"attempts":1001}}"#, "/workers/attempts", "from 1 to 1000"),
            (r#"{"workers":{"order":"key"}}"#, "/workers/order", "not by `key`"),
            ("[]", "", "this is an array"),
        ];
        for (body, at, detail) in cases {
            let problem = spec(body);
            assert_eq!(problem.place(), Some(at), "{body}");
            assert!(problem.detail().contains(detail), "{body}: {problem}");
        }
        assert!(Ack::read(br#"{"upto":1,"receipts":[]}"#).is_err());
        assert!(Ack::read(br#"{"after":1}"#).is_err());
        assert!(Park::read_nack(br#"{"receipts":["a"],"reason":"x"}"#).is_err());
        assert!(Park::read_nack(br#"{"receipts":[]}"#).is_err());
        assert!(Replay::read(br#"{"ids":[1],"max":2}"#).is_err());
        assert!(Receive::read(br#"{"max":11}"#).is_err());
    }

    #[test]
    fn names_are_plain() {
        for name in ["a", "mail.eu-1_b", &"a".repeat(128)] {
            assert_eq!(name_of_path(name).unwrap(), name);
        }
        for name in ["", "-a", ".a", "a/b", "a%20b", "ä", &"a".repeat(129)] {
            assert_eq!(name_of_path(name).unwrap_err().kind(), Kind::InvalidParameter, "{name}");
        }
    }
}
