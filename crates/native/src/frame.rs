//! Events that leave one after the other: Server-Sent Events and lines of JSON; and pages.

use bytes::Bytes;
use http::HeaderMap;
use lineside_core::events::EventBody;
use lineside_core::id::EventNumber;

use crate::cloudevents::{write_array, write_to, write_value};
use crate::params::whole;
use crate::problem::{Kind, Problem};

/// The media type of Server-Sent Events (HTML, section 9.2).
pub const SSE_TYPE: &str = "text/event-stream";

/// The media type of lines of JSON.
pub const NDJSON_TYPE: &str = "application/x-ndjson";

/// The header by which a client that connects again says what it has (HTML, section 9.2.4).
pub const LAST_EVENT_ID: &str = "last-event-id";

/// What is said between events.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Everything up to this number, inclusive, was looked at; what comes next is new. Who connects
    /// again after it goes on from there, even if nothing of it matched.
    CaughtUp(EventNumber),
    /// More comes than this reader takes, so it reads what is stored again; up to here it has all.
    FellBehind(EventNumber),
    /// The server ends this, and why: a reader that stopped, a stop of the server.
    Ended(Problem),
}

impl Notice {
    /// Its name: the event's, or the member's `notice` of a line.
    pub fn name(&self) -> &'static str {
        match self {
            Notice::CaughtUp(_) => "caught-up",
            Notice::FellBehind(_) => "fell-behind",
            Notice::Ended(_) => "ended",
        }
    }

    /// The number up to which the reader has everything, if it says one.
    fn number(&self) -> Option<EventNumber> {
        match self {
            Notice::CaughtUp(number) | Notice::FellBehind(number) => Some(*number),
            Notice::Ended(_) => None,
        }
    }

    /// What it says besides its name, as JSON.
    fn text(&self) -> String {
        match self {
            Notice::CaughtUp(number) | Notice::FellBehind(number) => number.0.to_string(),
            Notice::Ended(problem) => problem.document().to_string(),
        }
    }
}

/// How events that leave one after the other are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Server-Sent Events: events of CloudEvents have no name (a browser's `onmessage` gets them),
    /// notices have theirs.
    Sse,
    /// A line of JSON for each event and each notice; a notice has a member `notice`, which no
    /// CloudEvent has beside a `specversion`.
    Lines,
}

impl Frames {
    /// The media type of the answer.
    pub fn media_type(self) -> &'static str {
        match self {
            Frames::Sse => SSE_TYPE,
            Frames::Lines => NDJSON_TYPE,
        }
    }

    /// Writes an event behind what is there. It is on one line: line ends between the tokens of its
    /// data become spaces, and inside of strings JSON has none.
    pub fn event(self, out: &mut Vec<u8>, event: &EventBody) {
        self.head(out, Some(event.assigned.number), None);
        let start = out.len();
        write_to(out, event);
        for byte in out.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        self.end(out);
    }

    /// Writes a notice.
    pub fn notice(self, out: &mut Vec<u8>, notice: &Notice) {
        self.head(out, notice.number(), Some(notice.name()));
        let member = if notice.number().is_some() { "eventnumber" } else { "problem" };
        out.push(b'{');
        if self == Frames::Lines {
            out.extend_from_slice(br#""notice":"#);
            write_value(out, notice.name());
            out.push(b',');
        }
        write_value(out, member);
        out.push(b':');
        out.extend_from_slice(notice.text().as_bytes());
        out.push(b'}');
        self.end(out);
    }

    /// Writes what shows that the connection lives, and says nothing: a comment, or a line with a
    /// notice of its own, since lines of JSON have no comments.
    pub fn heartbeat(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Frames::Sse => b":\n\n",
            Frames::Lines => b"{\"notice\":\"heartbeat\"}\n",
        });
    }

    /// Writes after how many milliseconds a client that was cut off shall connect again. Lines have
    /// no word for it.
    pub fn retry(self, out: &mut Vec<u8>, millis: u64) {
        if self == Frames::Sse {
            out.extend_from_slice(format!("retry: {millis}\n\n").as_bytes());
        }
    }

    /// Ids and names are ours, digits and letters, so they need no escape.
    fn head(self, out: &mut Vec<u8>, id: Option<EventNumber>, name: Option<&str>) {
        if self == Frames::Lines {
            return;
        }
        if let Some(id) = id {
            out.extend_from_slice(format!("id: {}\n", id.0).as_bytes());
        }
        if let Some(name) = name {
            out.extend_from_slice(format!("event: {name}\n").as_bytes());
        }
        out.extend_from_slice(b"data: ");
    }

    fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Frames::Sse => b"\n\n",
            Frames::Lines => b"\n",
        });
    }
}

/// The event up to which a client that connects again has everything.
pub fn last_event_id(headers: &HeaderMap) -> Result<Option<EventNumber>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| whole(LAST_EVENT_ID, text).ok());
    number.map(|number| Some(EventNumber(number))).ok_or_else(|| {
        let detail = "Last-Event-ID is the number of an event, as the ids of events here are.";
        Problem::new(Kind::InvalidParameter, detail).at("header last-event-id")
    })
}

/// A page of events: `next` is what to give as `from` to go on, if there is more.
pub fn write_page(events: &[EventBody], next: Option<u64>) -> Bytes {
    let mut out = br#"{"events":"#.to_vec();
    write_array(&mut out, events);
    out.extend_from_slice(br#","next":"#);
    write_value(&mut out, &next);
    out.push(b'}');
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::cloudevents::read_structured;
    use crate::fuzzing::recorded;

    fn event(data: &str) -> EventBody {
        let body =
            format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"t","data":{data}}}"#);
        let event = read_structured(body.as_bytes()).unwrap();
        recorded(event.complete(|| "s".into(), String::new, String::new), 6)
    }

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    const HEAD: &str = concat!(
        r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","stream":"s","#,
        r#""streamversion":"7","eventnumber":"7","storedtime":"2026-11-23T15:48:41.070Z","data":"#,
    );

    /// HTML, section 9.2.6: a line end in data would end the field, or the event.
    #[test]
    fn an_event_is_on_one_line_whatever_its_data_has() {
        let event = event("{\r\n \"a\":\n\n\"\\n\"}");
        let data = r#"{   "a":  "\n"}"#;
        let sse = written(|out| Frames::Sse.event(out, &event));
        assert_eq!(sse, format!("id: 7\ndata: {HEAD}{data}}}\n\n"));
        let line = written(|out| Frames::Lines.event(out, &event));
        assert_eq!(line, format!("{HEAD}{data}}}\n"));
    }

    #[test]
    fn notices_are_told_from_events() {
        let of = |frames: Frames, notice: &Notice| written(|out| frames.notice(out, notice));
        let caught_up = Notice::CaughtUp(EventNumber(9));
        let sse = of(Frames::Sse, &caught_up);
        assert_eq!(sse, "id: 9\nevent: caught-up\ndata: {\"eventnumber\":9}\n\n");
        let line = of(Frames::Lines, &caught_up);
        assert_eq!(line, "{\"notice\":\"caught-up\",\"eventnumber\":9}\n");
        let fell = of(Frames::Sse, &Notice::FellBehind(EventNumber(3)));
        assert!(fell.starts_with("id: 3\nevent: fell-behind\n"), "{fell}");
        let problem = Problem::new(Kind::Unavailable, "The server\nstops.");
        let ended = of(Frames::Sse, &Notice::Ended(problem.clone()));
        assert!(ended.starts_with("event: ended\ndata: {\"problem\":{\"detail\":"), "{ended}");
        assert_eq!(ended.lines().count(), 3);
        let line = of(Frames::Lines, &Notice::Ended(problem));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["notice"], &line["problem"]["status"]), (&"ended".into(), &503.into()));
    }

    #[test]
    fn heartbeats_say_nothing() {
        let of = |frames: Frames| written(|out| frames.heartbeat(out));
        assert_eq!(of(Frames::Sse), ":\n\n");
        assert_eq!(of(Frames::Lines), "{\"notice\":\"heartbeat\"}\n");
        assert_eq!(written(|out| Frames::Sse.retry(out, 500)), "retry: 500\n\n");
        assert_eq!(written(|out| Frames::Lines.retry(out, 500)), "");
        assert_eq!(Frames::Sse.media_type(), "text/event-stream");
        assert_eq!(Frames::Lines.media_type(), "application/x-ndjson");
    }

    #[test]
    fn a_reader_comes_back_by_the_last_id() {
        let of = |value: &'static str| {
            let value = HeaderValue::from_static(value);
            let name = http::HeaderName::from_static(LAST_EVENT_ID);
            last_event_id(&HeaderMap::from_iter([(name, value)]))
        };
        assert_eq!(last_event_id(&HeaderMap::new()).unwrap(), None);
        assert_eq!(of("42").unwrap(), Some(EventNumber(42)));
        for value in ["", "x", "-1", "4 2", "9007199254740992"] {
            assert_eq!(of(value).unwrap_err().place(), Some("header last-event-id"), "{value}");
        }
    }

    #[test]
    fn a_page_says_where_the_next_one_begins() {
        let events = [event("1"), event("2")];
        let page = format!("{{\"events\":[{HEAD}1}},{HEAD}2}}],\"next\":8}}");
        assert_eq!(write_page(&events, Some(8)), page);
        assert_eq!(write_page(&[], None), r#"{"events":[],"next":null}"#);
    }
}
