//! Subscriptions as JSON.

use bytes::Bytes;
use lineside_core::events::{Query, QueryItem};
use lineside_core::id::{EventNumber, Seq};
use lineside_core::receipt::Receipt;
use lineside_core::stamp::Stamp;
use lineside_core::subscription::Feeds;
use lineside_engine::subscriptions::{Delivered, Order, Parked, ParkedPage, Standing};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::cloudevents::write_structured;
use crate::time::text_of;

/// A subscription as it stands; `name` and the name of its queue are those of the wire.
pub fn write_standing(name: &str, queue: Option<&str>, standing: &Standing) -> Value {
    let description = &standing.description;
    let settings = &description.settings;
    let mut written = json!({
        "name": name,
        "query": query(&settings.query),
        "from": settings.after.next().0,
        "cursor": description.upto.0,
        "end": standing.end.0,
        "behind": standing.end.0.saturating_sub(description.upto.0),
        "created": moment(description.created_at),
        "moved": moment(description.moved_at),
    });
    let Value::Object(members) = &mut written else { return written };
    match &settings.feeds {
        Feeds::Nothing => {}
        Feeds::Queue(_) => put_queue(members, queue, standing),
        Feeds::Workers(workers) => {
            let (lease, order) = (workers.lease.as_seconds(), Order::of(settings).word());
            let attempts = workers.attempts;
            let workers = json!({"lease_seconds": lease, "attempts": attempts, "order": order});
            members.insert("workers".to_owned(), workers);
            let parked = standing.parked.as_ref().map_or(0, |queue| queue.visible);
            members.insert("parked".to_owned(), parked.into());
        }
    }
    if settings.feeds.queue().is_some() {
        let found = standing.queue.as_ref();
        let waiting = found.map_or(0, |queue| queue.visible + queue.delayed);
        members.insert("waiting".to_owned(), waiting.into());
        members.insert("in_flight".to_owned(), found.map_or(0, |q| q.in_flight).into());
        members.insert("fed".to_owned(), description.fed.into());
        members.insert("trouble".to_owned(), standing.trouble.clone().into());
    }
    written
}

fn put_queue(members: &mut Map<String, Value>, queue: Option<&str>, standing: &Standing) {
    members.insert("queue".to_owned(), queue.into());
    members.insert("queue_is_there".to_owned(), standing.queue.is_some().into());
}

/// Several of them, and the name to go on behind.
pub fn write_list(all: &[Value], next: Option<&str>) -> Bytes {
    json!({"subscriptions": all, "next": next}).to_string().into()
}

/// A query as it is read.
fn query(query: &Query) -> Value {
    match query.items.as_slice() {
        [one] => item(one),
        items => items.iter().map(item).collect(),
    }
}

fn item(item: &QueryItem) -> Value {
    let mut members = Map::new();
    for (name, labels) in [("types", &item.types), ("tags", &item.tags)] {
        if !labels.is_empty() {
            let labels: Vec<&str> = labels.iter().map(|label| label.as_str()).collect();
            members.insert(name.to_owned(), labels.into());
        }
    }
    let single = [
        ("stream", &item.stream),
        ("category", &item.category),
        ("correlation", &item.correlation),
    ];
    for (name, label) in single {
        if let Some(label) = label {
            members.insert(name.to_owned(), label.as_str().into());
        }
    }
    Value::Object(members)
}

/// What a worker was given.
pub fn write_deliveries(delivered: &[Delivered], seal: impl Fn(Receipt) -> String) -> Bytes {
    let all: Vec<Value> = delivered
        .iter()
        .map(|one| {
            let mut members = Map::new();
            members.insert("receipt".to_owned(), seal(one.receipt).into());
            members.insert("attempt".to_owned(), one.attempt.into());
            Value::Object(members)
        })
        .collect();
    let events = delivered.iter().map(|one| write_structured(&one.event));
    Bytes::from(with_events("deliveries", all, events, None))
}

/// What was given up.
pub fn write_parked(page: &ParkedPage) -> Bytes {
    let all = page.parked.iter().map(parked).collect();
    let events = page.parked.iter().map(|one| match &one.event {
        Ok(event) => write_structured(event),
        Err(_) => Bytes::from_static(b"null"),
    });
    Bytes::from(with_events("parked", all, events, Some(page.next.map(|Seq(next)| next))))
}

fn parked(one: &Parked) -> Value {
    let mut written = json!({
        "id": one.id.0,
        "attempts": one.attempts,
        "at": moment(one.at),
        "reason": one.reason.as_ref().map(|reason| reason.as_str()),
    });
    if let (Err((EventNumber(number), why)), Value::Object(members)) = (&one.event, &mut written) {
        members.insert("eventnumber".to_owned(), number.to_string().into());
        members.insert("unreadable".to_owned(), why.clone().into());
    }
    written
}

/// Objects with a member `event` each, whose data stays as it came.
fn with_events(
    name: &str,
    all: Vec<Value>,
    events: impl Iterator<Item = Bytes>,
    next: Option<Option<u64>>,
) -> String {
    let mut out = format!("{{\"{name}\":[");
    for (index, (one, event)) in all.into_iter().zip(events).enumerate() {
        let text = one.to_string();
        let event = str::from_utf8(&event).unwrap_or("null");
        out.push_str(if index > 0 { "," } else { "" });
        out.push_str(text.strip_suffix('}').unwrap_or(&text));
        out.push_str(",\"event\":");
        out.push_str(event);
        out.push('}');
    }
    out.push(']');
    if let Some(next) = next {
        let next = next.map_or("null".to_owned(), |next| next.to_string());
        out.push_str(&format!(",\"next\":{next}"));
    }
    out.push('}');
    debug_assert!(serde_json::from_str::<&RawValue>(&out).is_ok(), "it is JSON");
    out
}

/// How many were settled, and the receipts of those that were in somebody else's hands by then.
pub fn write_settled(settled: usize, lost: &[String]) -> Bytes {
    json!({"settled": settled, "lost": lost}).to_string().into()
}

fn moment(stamp: Stamp) -> Value {
    text_of(stamp).into()
}
