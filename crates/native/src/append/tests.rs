use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn json_with(pairs: &[(&'static str, &str)], body: &str, stream: Option<&str>) -> Answered {
    let mut all = headers(&[("content-type", "application/json; charset=utf-8")]);
    all.extend(headers(pairs));
    Proposal::read(&all, body.as_bytes(), stream)
}

type Answered = Result<Proposal, Problem>;

fn everywhere(body: &str) -> Answered {
    json_with(&[], body, None)
}

const EVENT: &str = r#"{"type":"Opened","stream":"account-1"}"#;

#[test]
fn our_own_form_is_an_event_or_events_or_events_under_a_condition() {
    let one = everywhere(EVENT).unwrap();
    assert_eq!(one.events.len(), 1);
    assert_eq!(one.events[0].kind, "Opened");
    assert_eq!((&one.events[0].id, &one.events[0].source), (&None, &None));
    let array = everywhere(&format!("[{EVENT},{EVENT}]")).unwrap();
    assert_eq!(array.events.len(), 2);
    let body = format!(
        r#"{{"events":[{EVENT}],
            "expected":{{"account-1":3,"account-2":"empty","a/b":"exists","c":"any"}},
            "boundary":{{"query":{{"tags":["seat:1"]}},"after":7}},
            "unless":[{{"types":["Opened"]}}]}}"#
    );
    let whole = everywhere(&body).unwrap();
    let tags = vec![Label::new("seat:1")];
    let query = Query::of(QueryItem { tags, ..QueryItem::default() });
    assert_eq!(whole.boundary, Some(Boundary { query, after: EventNumber(7) }));
    let types = vec![Label::new("Opened")];
    assert_eq!(whole.unless, Some(Query::of(QueryItem { types, ..QueryItem::default() })));
    let expected = [
        ("account-1", Expected::At(Version(3))),
        ("account-2", Expected::Empty),
        ("a/b", Expected::Exists),
        ("c", Expected::Any),
    ];
    assert_eq!(whole.expected, expected.map(|(name, version)| (Label::new(name), version)));
}

#[test]
fn tags_may_be_an_array_in_our_own_form_alone() {
    let event = r#"{"type":"a","tags":["x","y z","x"]}"#;
    assert_eq!(everywhere(event).unwrap().events[0].tags, ["x", "y z"]);
    let commas = everywhere(r#"{"type":"a","tags":"x, y z,,"}"#).unwrap();
    assert_eq!(commas.events[0].tags, ["x", "y z"]);
    let body = r#"{"specversion":"1.0","id":"1","source":"/","type":"a","tags":["x"]}"#;
    let cloud = headers(&[("content-type", "application/cloudevents+json")]);
    let refused = Proposal::read(&cloud, body.as_bytes(), None).unwrap_err();
    assert_eq!(refused.place(), Some("/tags"));
}

#[test]
fn the_path_names_the_stream_of_all_events() {
    let to = |stream, body: &str| json_with(&[], body, Some(stream));
    let proposal = to("account-1", &format!(r#"[{EVENT},{{"type":"b"}}]"#)).unwrap();
    let streams: Vec<_> = proposal.events.iter().map(|event| event.stream.as_deref()).collect();
    assert_eq!(streams, [Some("account-1"); 2]);
    let other = to("account-2", EVENT).unwrap_err();
    assert_eq!(other.kind(), Kind::InvalidEvent);
    assert!(other.detail().contains("`account-1`, not `account-2`"), "{other}");
}

#[test]
fn an_expected_version_is_of_the_stream_in_the_path() {
    let with =
        |value: &str, stream| json_with(&[("expected-version", value)], r#"{"type":"a"}"#, stream);
    for (value, expected) in [
        ("0", Expected::At(Version(0))),
        ("42", Expected::At(Version(42))),
        ("any", Expected::Any),
        ("empty", Expected::Empty),
        ("exists", Expected::Exists),
    ] {
        let proposal = with(value, Some("s")).unwrap();
        assert_eq!(proposal.expected, [(Label::new("s"), expected)], "{value}");
    }
    for value in ["-1", "Empty", "1.0", ""] {
        let problem = with(value, Some("s")).unwrap_err();
        assert_eq!(problem.place(), Some("header expected-version"), "{value}");
    }
    assert!(with("1", None).unwrap_err().detail().contains("path of none"));
    let bare = r#"{"events":[{"type":"a"}],"expected":5}"#;
    let proposal = json_with(&[], bare, Some("s")).unwrap();
    assert_eq!(proposal.expected, [(Label::new("s"), Expected::At(Version(5)))]);
    assert!(
        json_with(&[], bare, None).unwrap_err().document()["next"].to_string().contains("Name")
    );
    let both = json_with(&[("expected-version", "exists")], bare, Some("s")).unwrap();
    let all = [Expected::At(Version(5)), Expected::Exists];
    assert_eq!(both.expected, all.map(|expected| (Label::new("s"), expected)));
}

#[test]
fn an_idempotency_key_is_a_tag_and_a_query_for_it() {
    let with = |pairs: &[(&'static str, &str)], stream| {
        json_with(pairs, r#"[{"type":"a"},{"type":"b"}]"#, stream)
    };
    for value in ["k 1", "\"k 1\""] {
        let proposal = with(&[("idempotency-key", value)], Some("s")).unwrap();
        let tags = vec![Label::new("idempotency:k 1")];
        let item = QueryItem { tags, stream: Some(Label::new("s")), ..QueryItem::default() };
        assert_eq!(proposal.unless, Some(Query::of(item)));
        assert_eq!(proposal.events[0].tags, ["idempotency:k 1"]);
        assert!(proposal.events[1].tags.is_empty());
    }
    let anywhere = with(&[("idempotency-key", "k")], None).unwrap();
    assert_eq!(anywhere.unless.unwrap().items[0].stream, None);
    for value in ["", "a,b", "\"\"", &"k".repeat(201)] {
        let problem = with(&[("idempotency-key", value)], None).unwrap_err();
        assert_eq!(problem.place(), Some("header idempotency-key"), "{value}");
    }
    let twice = with(&[("idempotency-key", "a"), ("idempotency-key", "b")], None);
    assert!(twice.unwrap_err().detail().contains("twice"));
}

#[test]
fn a_key_joins_what_else_says_that_it_was_done() {
    let key = [("idempotency-key", "k")];
    let unless = |query: &str| {
        let body = format!(r#"{{"events":[{EVENT}],"unless":{query}}}"#);
        json_with(&key, &body, None).unwrap().unless.unwrap()
    };
    assert_eq!(unless(r#"{"types":["a"]}"#).items.len(), 2);
    assert_eq!(unless("[]"), Query::all(), "what matches everything stays so");
    let tags: Vec<String> = (0..64).map(|n| format!("\"t{n}\"")).collect();
    let full = format!(r#"{{"type":"a","tags":[{}]}}"#, tags.join(","));
    assert_eq!(json_with(&key, &full, None).unwrap().events[0].tags.len(), 65);
}

#[test]
fn what_is_no_append_is_refused_where_it_is_wrong() {
    let event = r#"{"type":"a"}"#;
    for (body, kind, at) in [
        ("", Kind::MalformedJson, None),
        ("7", Kind::InvalidBody, Some("")),
        ("[]", Kind::InvalidBody, Some("")),
        (r#"{"events":[]}"#, Kind::InvalidBody, Some("/events")),
        (r#"{"events":{}}"#, Kind::InvalidBody, Some("/events")),
        (r#"{"events":[7]}"#, Kind::InvalidEvent, Some("/events/0")),
        ("[{}]", Kind::InvalidEvent, Some("/0/type")),
        ("{}", Kind::InvalidEvent, Some("/type")),
        (&format!(r#"{{"events":[{event}],"guard":1}}"#), Kind::InvalidBody, Some("")),
        (
            &format!(r#"{{"events":[{event}],"expected":{{"a/b":-1}}}}"#),
            Kind::InvalidBody,
            Some("/expected/a~1b"),
        ),
        (
            &format!(r#"{{"events":[{event}],"expected":{{"":1}}}}"#),
            Kind::InvalidBody,
            Some("/expected/"),
        ),
        (
            &format!(r#"{{"events":[{event}],"expected":null}}"#),
            Kind::InvalidBody,
            Some("/expected"),
        ),
        (
            &format!(r#"{{"events":[{event}],"expected":{{"a":"none"}}}}"#),
            Kind::InvalidBody,
            Some("/expected/a"),
        ),
        (
            &format!(r#"{{"events":[{event}],"boundary":{{"query":[]}}}}"#),
            Kind::InvalidBody,
            Some("/boundary"),
        ),
        (
            &format!(r#"{{"events":[{event}],"boundary":{{"after":1,"query":7}}}}"#),
            Kind::InvalidQuery,
            Some("/boundary/query"),
        ),
        (
            &format!(r#"{{"events":[{event}],"boundary":{{"after":"1"}}}}"#),
            Kind::InvalidBody,
            Some("/boundary/after"),
        ),
        (
            &format!(r#"{{"events":[{event}],"unless":{{"a":1}}}}"#),
            Kind::InvalidQuery,
            Some("/unless/a"),
        ),
    ] {
        let problem = everywhere(body).unwrap_err();
        assert_eq!((problem.kind(), problem.place()), (kind, at), "{body}: {problem}");
    }
    let many = format!("[{}]", vec![event; 1001].join(","));
    assert!(everywhere(&many).unwrap_err().detail().contains("more than 1000"));
}

#[test]
fn a_body_of_another_form_is_told_how_to_say_what_it_is() {
    let form = headers(&[("content-type", "application/x-www-form-urlencoded")]);
    let problem = Proposal::read(&form, EVENT.as_bytes(), None).unwrap_err();
    assert_eq!(problem.kind(), Kind::UnsupportedMediaType);
    assert!(problem.document()["next"].as_str().unwrap().contains("--json"));
    let nothing = Proposal::read(&HeaderMap::new(), EVENT.as_bytes(), None).unwrap_err();
    assert!(nothing.detail().contains("no Content-Type"));
    let avro = headers(&[("content-type", "application/cloudevents+avro"), ("ce-id", "1")]);
    assert_eq!(Proposal::read(&avro, b"", None).unwrap_err().kind(), Kind::UnsupportedMediaType);
}

#[test]
fn the_answer_says_numbers_and_versions() {
    let reply = AppendReply {
        first: EventNumber(5),
        last: EventNumber(7),
        streams: vec![(Label::new("b"), Version(2)), (Label::new("a\""), Version(1))],
        again: true,
    };
    let golden = r#"{"first":5,"last":7,"again":true,"streams":{"b":2,"a\"":1}}"#;
    assert_eq!(write_reply(&reply), golden);
    let nothing: serde_json::Value = serde_json::from_slice(&write_nothing()).unwrap();
    let something: serde_json::Value = serde_json::from_slice(golden.as_bytes()).unwrap();
    let names =
        |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&nothing), names(&something));
}
