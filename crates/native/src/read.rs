//! What a read asks for: which events, from where, in which direction, how many, in which form.

use http::HeaderMap;
use http::header::ACCEPT;
use lineside_core::events::{Query, QueryItem};
use lineside_core::id::{EventNumber, Version};
use lineside_core::stamp::Stamp;
use percent_encoding::percent_decode_str;

use crate::accept::Accept;
use crate::bounds::{LIMIT_DEFAULT, LIMIT_MAX, TAGS_MAX};
use crate::json;
use crate::params::{Params, invalid, whole};
use crate::problem::{Kind, Problem};
use crate::query::{self, Part};
use crate::text::misfit_of_stream;
use crate::time;

/// The parameters of GET /v1/events.
pub(crate) const EVENTS_PARAMETERS: [&str; 13] = [
    "type",
    "tag",
    "stream",
    "category",
    "correlation",
    "query",
    "from",
    "after",
    "at",
    "to",
    "limit",
    "backwards",
    "follow",
];

/// The parameters of GET /v1/streams/{stream}.
pub(crate) const STREAM_PARAMETERS: [&str; 4] = ["from", "to", "limit", "backwards"];

/// The parameters of GET /v1/events/{number}.
pub(crate) const EVENT_PARAMETERS: [&str; 1] = ["mode"];

/// A read of events by a query: GET /v1/events.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadEvents {
    /// Which events.
    pub query: Query,
    /// The number to begin at, inclusive. None is the first, or backwards the newest.
    pub from: Option<EventNumber>,
    /// Forwards, no event that was stored before this moment; backwards, none that was stored after
    /// it. It holds beside `from`.
    pub at: Option<Stamp>,
    /// The last number to read, inclusive; backwards it is the lowest.
    pub to: Option<EventNumber>,
    /// At most so many, 1 to [`LIMIT_MAX`]. None is [`LIMIT_DEFAULT`], or all of what is followed.
    pub limit: Option<usize>,
    /// From the newest to the oldest.
    pub backwards: bool,
    /// Stays open at the end, and goes on with what comes, until `to` or `limit` is reached. A read
    /// that goes backwards comes to its end at the first event, and then closes.
    pub follow: bool,
    /// The form of the answer.
    pub form: Form,
}

/// The form of an answer with several events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object with the events and where to go on.
    Page,
    /// A batch of CloudEvents.
    Batch,
    /// A line of JSON for each event.
    Lines,
    /// Server-Sent Events; for reads that follow.
    Sse,
}

/// A read of one stream: GET /v1/streams/{stream}.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadStream {
    /// The stream.
    pub stream: String,
    /// The version to begin at, inclusive; none is the first, or backwards the last.
    pub from: Option<Version>,
    /// The last version to read, inclusive; backwards it is the lowest.
    pub to: Option<Version>,
    /// At most so many: 1 to [`LIMIT_MAX`].
    pub limit: usize,
    /// From the last version to the first.
    pub backwards: bool,
    /// The form of the answer, which is not [`Form::Sse`].
    pub form: Form,
}

/// A read of one event: GET /v1/events/{number}.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadEvent {
    /// Its number.
    pub number: EventNumber,
    /// Whether it is answered in binary mode; else it is structured.
    pub is_binary: bool,
}

impl ReadEvents {
    /// Reads a query string, and the header Accept. Last-Event-ID is read by
    /// [`crate::frame::last_event_id`], and goes before `from` and `after`, as a client that
    /// connects again repeats the address that it began with.
    pub fn parse(query: Option<&str>, headers: &HeaderMap) -> Result<ReadEvents, Problem> {
        let params = Params::read(query, &EVENTS_PARAMETERS)?;
        let (backwards, follow) = (params.flag("backwards")?, params.flag("follow")?);
        Ok(ReadEvents {
            query: queried(&params)?,
            from: from(&params, backwards)?,
            at: at(&params)?,
            to: params.number("to")?.map(EventNumber),
            limit: limit(&params)?,
            backwards,
            follow,
            form: form(headers, follow)?,
        })
    }
}

impl ReadStream {
    /// Reads the stream's part of the path as it came, a query string, and the header Accept.
    pub fn parse(
        stream: &str,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<ReadStream, Problem> {
        let params = Params::read(query, &STREAM_PARAMETERS)?;
        Ok(ReadStream {
            stream: stream_of_path(stream)?,
            from: params.number("from")?.map(Version),
            to: params.number("to")?.map(Version),
            limit: limit(&params)?.unwrap_or(LIMIT_DEFAULT),
            backwards: params.flag("backwards")?,
            form: form(headers, false)?,
        })
    }
}

impl ReadEvent {
    /// Reads the number's part of the path, and a query string.
    pub fn parse(number: &str, query: Option<&str>) -> Result<ReadEvent, Problem> {
        let params = Params::read(query, &EVENT_PARAMETERS)?;
        let is_binary = match params.one("mode")? {
            None | Some("structured") => false,
            Some("binary") => true,
            Some(other) => {
                let other = crate::text::shown(other);
                let detail = format!("`mode` is structured or binary, and not {other}.");
                return Err(invalid("mode", detail));
            }
        };
        Ok(ReadEvent { number: EventNumber(whole("number", number)?), is_binary })
    }
}

/// The name of a stream from its part of a path, percent-encoded.
pub fn stream_of_path(part: &str) -> Result<String, Problem> {
    let decoded = percent_decode_str(part).decode_utf8();
    let name = decoded.map_err(|_| {
        invalid("stream", "The escapes in the stream's name do not stand for UTF-8.")
    })?;
    match misfit_of_stream(&name) {
        Some(misfit) => Err(invalid("stream", misfit)),
        None => Ok(name.into_owned()),
    }
}

/// The query: its items in JSON, and one more out of parameters of its own.
///
/// Nothing here is refused because something else is there: the document of the API cannot say
/// that parameters exclude each other, so together they mean what is nearest.
fn queried(params: &Params) -> Result<Query, Problem> {
    let mut item = QueryItem::default();
    for (name, part) in [
        ("type", Part::Type),
        ("tag", Part::Tag),
        ("stream", Part::Stream),
        ("category", Part::Category),
        ("correlation", Part::Correlation),
    ] {
        if matches!(part, Part::Type | Part::Tag) {
            params.at_most(name, TAGS_MAX)?;
        } else {
            params.one(name)?;
        }
        for value in params.all(name) {
            part.put(&mut item, value.to_owned()).map_err(|misfit| invalid(name, misfit))?;
        }
    }
    let items = if item == QueryItem::default() { Vec::new() } else { vec![item] };
    let Some(text) = params.one("query")? else { return Ok(Query { items }) };
    let invalid = |problem: Problem| problem.at("parameter query");
    let raw = json::document(text.as_bytes()).map_err(invalid)?;
    let mut query = query::read(raw, "").map_err(invalid)?;
    // A query without items means everything, and more of them cannot make that less.
    if !query.items.is_empty() {
        query.items.extend(items);
    }
    Ok(query)
}

/// `from` and `after` as one; of both, the one that leaves fewer.
fn from(params: &Params, backwards: bool) -> Result<Option<EventNumber>, Problem> {
    let from = params.number("from")?;
    let after = params.number("after")?;
    let number = if backwards {
        let after = after.map(|after| after.saturating_sub(1));
        from.into_iter().chain(after).min()
    } else {
        let after = after.map(|after| after.saturating_add(1));
        from.into_iter().chain(after).max()
    };
    Ok(number.map(EventNumber))
}

fn at(params: &Params) -> Result<Option<Stamp>, Problem> {
    params.one("at")?.map(|text| moment("at", text)).transpose()
}

/// A moment as a parameter has it.
pub(crate) fn moment(name: &str, at: &str) -> Result<Stamp, Problem> {
    time::stamp_of(at).ok_or_else(|| {
        let shown = crate::text::shown(at);
        let plus = if at.contains(' ') { " A plus sign is written %2B in an address." } else { "" };
        let rule = format!("`{name}` is a moment of RFC 3339, like 2026-01-31T12:00:00Z");
        invalid(name, format!("{rule}, and not {shown}.{plus}"))
    })
}

fn limit(params: &Params) -> Result<Option<usize>, Problem> {
    let Some(limit) = params.number("limit")? else { return Ok(None) };
    let fits = usize::try_from(limit).ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let next = "Read in pages: each says where the next one begins.";
    let detail = format!("`limit` is 1 to {LIMIT_MAX}, and not {limit}.");
    fits.map(Some).ok_or_else(|| invalid("limit", detail).next(next))
}

fn form(headers: &HeaderMap, follow: bool) -> Result<Form, Problem> {
    let page = ("application/json", Form::Page);
    let batch = (crate::cloudevents::BATCH_TYPE, Form::Batch);
    let lines = (crate::frame::NDJSON_TYPE, Form::Lines);
    let sse = (crate::frame::SSE_TYPE, Form::Sse);
    let offers: &[_] = if follow { &[sse, lines] } else { &[page, batch, lines] };
    let mut values = Vec::new();
    for value in headers.get_all(ACCEPT) {
        values.push(value.to_str().map_err(|_| {
            Problem::new(Kind::NotAcceptable, "Accept has letters beyond ASCII.")
                .at("header accept")
        })?);
    }
    let accept = Accept::read(&values.join(","));
    accept.choose(offers).ok_or_else(|| {
        let names: Vec<&str> = offers.iter().map(|(name, _)| *name).collect();
        let detail = format!("This read is given as {}.", names.join(", "));
        let problem = Problem::new(Kind::NotAcceptable, detail).at("header accept");
        let sse = Accept::read(crate::frame::SSE_TYPE);
        if !follow && sse == accept {
            return problem.next("Add the parameter follow: what is followed is sent as events.");
        }
        problem
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use lineside_core::id::Label;

    use super::*;

    fn events(query: &str) -> Result<ReadEvents, Problem> {
        ReadEvents::parse(Some(query), &HeaderMap::new())
    }

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))])
    }

    fn labels(texts: &[&str]) -> Vec<Label> {
        texts.iter().map(|text| Label::new(*text)).collect()
    }

    #[test]
    fn without_parameters_the_first_events_are_read() {
        let read = ReadEvents::parse(None, &HeaderMap::new()).unwrap();
        let all = ReadEvents {
            query: Query::all(),
            from: None,
            at: None,
            to: None,
            limit: None,
            backwards: false,
            follow: false,
            form: Form::Page,
        };
        assert_eq!(read, all);
    }

    #[test]
    fn parameters_make_one_item_and_a_query_more() {
        let read = events("type=a&type=b&tag=x&tag=y&stream=s-1&category=s&correlation=c").unwrap();
        let item = QueryItem {
            types: labels(&["a", "b"]),
            tags: labels(&["x", "y"]),
            stream: Some(Label::new("s-1")),
            category: Some(Label::new("s")),
            correlation: Some(Label::new("c")),
        };
        assert_eq!(read.query, Query::of(item));
        let read = events("query=[{\"types\":[\"a\"]}]&tag=t").unwrap();
        let item = QueryItem { types: labels(&["a"]), ..QueryItem::default() };
        let more = QueryItem { tags: labels(&["t"]), ..QueryItem::default() };
        assert_eq!(read.query.items, [item, more]);
        assert_eq!(events("query=[]&tag=t").unwrap().query, Query::all());
    }

    #[test]
    fn a_read_begins_where_all_that_is_said_holds() {
        let from = |query: &str| events(query).unwrap().from.map(|number| number.0);
        assert_eq!(from("from=7"), Some(7));
        assert_eq!(from("after=7"), Some(8));
        assert_eq!(from("from=7&after=9"), Some(10));
        assert_eq!(from("after=9&backwards"), Some(8));
        assert_eq!(from("after=0&backwards"), Some(0));
        assert_eq!(from("from=3&after=9&backwards"), Some(3));
        assert_eq!(events("at=1970-01-01T00:00:01Z").unwrap().at, Some(Stamp(1000)));
        assert_eq!(events("at=1970-01-01T01:00:00%2B01:00").unwrap().at, Some(Stamp(0)));
        let plus = events("at=1970-01-01T01:00:00+01:00").unwrap_err();
        assert!(plus.detail().contains("%2B"), "{plus}");
        assert_eq!(events("to=9").unwrap().to, Some(EventNumber(9)));
    }

    #[test]
    fn what_a_read_does_not_take_is_refused_by_its_name() {
        for (query, at) in [
            ("limit=0", "parameter limit"),
            ("limit=1001", "parameter limit"),
            ("limit=x", "parameter limit"),
            ("from=-1", "parameter from"),
            ("from=9007199254740992", "parameter from"),
            ("at=yesterday", "parameter at"),
            ("stream=", "parameter stream"),
            ("stream=a&stream=b", "parameter stream"),
            ("tag=a,b", "parameter tag"),
            ("category=a-b", "parameter category"),
            ("types=a", "parameter `types`"),
            ("query=1", "parameter query"),
            ("query={", "parameter query"),
            ("query={}&query={}", "parameter query"),
        ] {
            let problem = events(query).unwrap_err();
            assert_eq!(problem.place(), Some(at), "{query}: {problem}");
        }
        assert_eq!(events("limit=1000").unwrap().limit, Some(1000));
    }

    #[test]
    fn the_texts_of_an_item_are_counted_in_an_address_as_in_a_body() {
        for name in ["type", "tag"] {
            let named = |count: usize| vec![format!("{name}=x"); count].join("&");
            assert!(events(&named(TAGS_MAX)).is_ok());
            let problem = events(&named(TAGS_MAX + 1)).unwrap_err();
            assert_eq!(problem.place(), Some(format!("parameter {name}").as_str()));
            assert!(problem.detail().contains("65 times; at most 64 fit"), "{problem}");
        }
    }

    #[test]
    fn the_form_is_one_that_the_client_takes() {
        let form = |query, accept| {
            ReadEvents::parse(Some(query), &accepting(accept)).map(|read| read.form)
        };
        assert_eq!(form("", "*/*").unwrap(), Form::Page);
        assert_eq!(form("", "application/x-ndjson").unwrap(), Form::Lines);
        assert_eq!(form("", "application/cloudevents-batch+json").unwrap(), Form::Batch);
        assert_eq!(form("follow", "*/*").unwrap(), Form::Sse);
        assert_eq!(form("follow", "text/event-stream").unwrap(), Form::Sse);
        assert_eq!(form("follow", "application/x-ndjson").unwrap(), Form::Lines);
        let sse = form("", "text/event-stream").unwrap_err();
        assert_eq!(sse.kind(), Kind::NotAcceptable);
        assert!(sse.document()["next"].as_str().unwrap().contains("follow"));
        assert!(form("follow", "application/json").is_err());
    }

    #[test]
    fn a_stream_is_read_by_its_versions() {
        let read = |stream, query| ReadStream::parse(stream, Some(query), &HeaderMap::new());
        let got = read("account-4%2F2", "from=3&to=9&backwards&limit=5").unwrap();
        let expected = ReadStream {
            stream: "account-4/2".to_owned(),
            from: Some(Version(3)),
            to: Some(Version(9)),
            limit: 5,
            backwards: true,
            form: Form::Page,
        };
        assert_eq!(got, expected);
        assert_eq!(read("a", "").unwrap().limit, LIMIT_DEFAULT);
        assert!(read("a", "after=1").is_err() && read("a", "follow").is_err());
        assert!(read("", "").is_err() && read("%ff", "").is_err() && read("%0a", "").is_err());
    }

    #[test]
    fn one_event_is_read_by_its_number() {
        let binary = ReadEvent::parse("7", Some("mode=binary")).unwrap();
        assert_eq!(binary, ReadEvent { number: EventNumber(7), is_binary: true });
        assert!(!ReadEvent::parse("7", None).unwrap().is_binary);
        assert!(ReadEvent::parse("7", Some("mode=batch")).is_err());
        for number in ["", "x", "-1", "1.0", "+1", "99999999999999999999"] {
            assert!(ReadEvent::parse(number, None).is_err(), "{number}");
        }
    }
}
