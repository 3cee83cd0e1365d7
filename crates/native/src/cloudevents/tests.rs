//! By rule of the specification: "core" is CloudEvents 1.0.2, "http" its HTTP binding, "json" its
//! JSON format, each with the section.

use http::{HeaderMap, HeaderName, HeaderValue};
use lineside_core::events::{EventBody, ExtensionValue};
use lineside_core::id::{Label, Text};
use proptest::prelude::*;

use super::*;
use crate::fuzzing::recorded;
use crate::problem::{Kind, Problem};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

const REQUIRED: [(&str, &str); 4] =
    [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/a"), ("ce-type", "t")];

/// Binary mode, with what is required and some more.
fn binary(more: &[(&'static str, &str)], body: &[u8]) -> Result<Proposed, Problem> {
    let mut all = headers(&REQUIRED);
    all.extend(headers(more));
    read_binary(&all, body)
}

/// Structured mode, with what is required and some more members.
fn structured(more: &str) -> Result<Proposed, Problem> {
    let required = r#""specversion":"1.0","id":"1","source":"/a","type":"t""#;
    let comma = if more.is_empty() { "" } else { "," };
    read_structured(format!("{{{required}{comma}{more}}}").as_bytes())
}

fn stored(event: Proposed) -> EventBody {
    recorded(event.complete(|| "s-1".into(), || "/".into(), || "id".into()), 0)
}

fn text(value: &str) -> ExtensionValue {
    ExtensionValue::Text(Text::new(value))
}

#[track_caller]
fn refused(result: Result<Proposed, Problem>, at: &str, detail: &str) {
    let problem = result.unwrap_err();
    assert_eq!(problem.place(), Some(at), "{problem}");
    assert!(problem.detail().contains(detail), "{problem}");
}

/// http 3: the mode is told by the media type.
#[test]
fn the_mode_is_told_by_the_media_type_and_then_by_headers() {
    let of = |pairs: &[(&'static str, &str)]| Mode::of(&headers(pairs));
    let json = "application/cloudevents+json; charset=UTF-8";
    assert_eq!(of(&[("content-type", json)]), Mode::Structured);
    assert_eq!(of(&[("content-type", json), ("ce-id", "1")]), Mode::Structured);
    let batch = "Application/CloudEvents-Batch+JSON";
    assert_eq!(of(&[("content-type", batch)]), Mode::Batch);
    assert_eq!(of(&[("content-type", "application/json"), ("ce-id", "1")]), Mode::Binary);
    assert_eq!(of(&[("ce-id", "1")]), Mode::Binary);
    assert_eq!(of(&[("content-type", "application/json")]), Mode::Native);
    assert_eq!(of(&[("content-type", "application/cloudevents+avro")]), Mode::Unknown);
    assert_eq!(of(&[("content-type", "text/plain")]), Mode::Unknown);
    assert_eq!(of(&[]), Mode::Unknown);
}

/// core "REQUIRED Attributes".
#[test]
fn what_is_required_has_to_be_there_and_not_empty() {
    assert!(read_binary(&headers(&REQUIRED), b"").is_ok());
    for left_out in 0..REQUIRED.len() {
        let mut pairs = REQUIRED.to_vec();
        let (name, _) = pairs.remove(left_out);
        refused(read_binary(&headers(&pairs), b""), &format!("header {name}"), "is missing");
        let mut pairs = REQUIRED.to_vec();
        pairs[left_out].1 = "";
        let problem = read_binary(&headers(&pairs), b"").unwrap_err();
        assert_eq!(problem.kind(), Kind::InvalidEvent, "{name}: {problem}");
    }
    refused(read_structured(b"{}"), "/specversion", "`specversion` is missing");
    refused(structured(r#""subject":"""#), "/subject", "is empty");
    let old = read_structured(br#"{"specversion":"0.3","id":"1","source":"/","type":"t"}"#);
    refused(old, "/specversion", "not `0.3`");
}

/// core "Context Attributes": each at most once.
#[test]
fn an_attribute_is_there_at_most_once() {
    refused(binary(&[("ce-a", "1"), ("ce-a", "1")], b""), "header ce-a", "twice");
    let types = [("content-type", "text/plain"), ("content-type", "text/html")];
    refused(binary(&types, b""), "header content-type", "twice");
    refused(structured(r#""a":1,"a":1"#), "", "twice");
}

/// core "Naming Conventions".
#[test]
fn names_are_lower_case_letters_and_digits() {
    assert!(structured(r#""comexampleextension1":"x""#).is_ok());
    refused(structured(r#""comExample":"x""#), "/comExample", "lower-case");
    refused(structured(r#""a/b":"x""#), "/a~1b", "lower-case");
    refused(binary(&[("ce-a-b", "x")], b""), "header ce-a-b", "lower-case");
    refused(binary(&[("ce-data", "x")], b""), "header ce-data", "lower-case");
    let long = "a".repeat(65);
    assert_eq!(structured(&format!(r#""{long}":"x""#)).unwrap_err().place(), Some(""));
}

/// core "Type System", json 2.2: JSON tells three types apart, headers none.
#[test]
fn extensions_keep_the_type_that_their_mode_tells() {
    let event = structured(r#""b":true,"i":-2147483648,"t":"5","n":null,"a":false"#).unwrap();
    let expected = [
        ("a", ExtensionValue::Bool(false)),
        ("b", ExtensionValue::Bool(true)),
        ("i", ExtensionValue::Integer(i32::MIN)),
        ("t", text("5")),
    ];
    assert_eq!(event.extensions, expected.map(|(name, value)| (Label::new(name), value)));
    for bad in ["1.5", "1e2", "2147483648", "-2147483649"] {
        refused(structured(&format!(r#""i":{bad}"#)), "/i", "is whole");
    }
    refused(structured(r#""o":{}"#), "/o", "an object");
    refused(structured(r#""tags":["a"]"#), "/tags", "an array");
    refused(structured(r#""subject":5"#), "/subject", "`subject` is a string");
    let event = binary(&[("ce-i", "5"), ("ce-b", "true"), ("ce-e", "")], b"").unwrap();
    let texts = [("b", text("true")), ("e", text("")), ("i", text("5"))];
    assert_eq!(event.extensions, texts.map(|(name, value)| (Label::new(name), value)));
}

/// core "Type System", String.
#[test]
fn texts_have_no_control_characters() {
    refused(structured(r#""subject":"a\nb""#), "/subject", "control character");
    refused(structured(r#""a":"\ufffe""#), "/a", "no character");
    refused(structured(r#""a":"\ud800""#), "/a", "surrogate");
    assert_eq!(structured(r#""subject":"\ud83d\ude00""#).unwrap().subject.unwrap(), "😀");
    refused(binary(&[("ce-subject", "a%0Ab")], b""), "header ce-subject", "control character");
}

/// core "source", "time", "dataschema", "datacontenttype": each has a form.
#[test]
fn what_has_a_form_is_of_it_and_kept_as_it_came() {
    for (name, good, bad) in [
        ("source", "urn:x:%7e", "a b"),
        ("time", "2018-04-05T17:31:00.120+01:00", "yesterday"),
        ("dataschema", "HTTP://Example.com:80/a", "/a"),
        ("datacontenttype", "Text/Plain;  charset=UTF-8", "text"),
        ("stream", "account-42", ""),
        ("correlationid", "c", ""),
        ("causationid", "c", ""),
    ] {
        let body = |value: &str| {
            let others = [("specversion", "1.0"), ("id", "1"), ("source", "/"), ("type", "t")];
            let others = others.iter().filter(|(other, _)| *other != name);
            let all: Vec<_> =
                others.chain([&(name, value)]).map(|(n, v)| format!("\"{n}\":\"{v}\"")).collect();
            read_structured(format!("{{{}}}", all.join(",")).as_bytes())
        };
        let written = write_structured(&stored(body(good).unwrap()));
        let written = String::from_utf8_lossy(&written).into_owned();
        assert!(written.contains(&format!("\"{name}\":\"{good}\"")), "{written}");
        assert_eq!(body(bad).unwrap_err().place(), Some(format!("/{name}").as_str()), "{name}");
    }
}

/// http 3.1.1: Content-Type is `datacontenttype`.
#[test]
fn in_binary_mode_the_media_type_is_the_content_type() {
    let event = binary(&[("content-type", "text/plain; charset=utf-8")], b"x").unwrap();
    assert_eq!(event.content_type.unwrap(), "text/plain; charset=utf-8");
    let both = binary(&[("ce-datacontenttype", "text/plain")], b"");
    refused(both, "header ce-datacontenttype", "in Content-Type");
    refused(binary(&[("content-type", "text")], b""), "header content-type", "media type");
}

/// http 3.1.3.2, decoding.
#[test]
fn values_of_headers_are_unquoted_and_then_decoded_once() {
    let subject = |value: &str| binary(&[("ce-subject", value)], b"").map(|e| e.subject.unwrap());
    for (value, decoded) in [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("%41", "A"),
        ("%2541", "%41"),
        ("a b", "a b"),
        (r#""a \"b\" \\ %20c""#, r#"a "b" \  c"#),
        (r#"say "hi" there"#, r#"say "hi" there"#),
        (r#"""#, r#"""#),
        ("100%", "100%"),
        ("%zz", "%zz"),
    ] {
        assert_eq!(subject(value).unwrap(), decoded, "{value}");
    }
    // "%C0%A0" is an overlong space, and MUST be rejected.
    refused(binary(&[("ce-subject", "%C0%A0")], b""), "header ce-subject", "not UTF-8");
    refused(binary(&[("ce-subject", "%ff")], b""), "header ce-subject", "not UTF-8");
    refused(binary(&[("ce-subject", "é")], b""), "header ce-subject", "beyond ASCII");
}

/// http 3.1.3.2, encoding; http 3.1.2: the data is the body.
#[test]
fn a_record_leaves_in_binary_mode_escaped_where_it_has_to_be() {
    let body = br#"{ "a" : 1.0 }"#;
    let mut event = binary(&[("content-type", "application/json")], body).unwrap();
    event.subject = Some("Euro € 😀 \"100%\" ~/!".to_owned());
    event.tags = vec!["a b".to_owned(), "c".to_owned()];
    event.correlation = Some("corr".to_owned());
    event.extensions.push((Label::new("flag"), ExtensionValue::Bool(true)));
    let (headers, data) = write_binary(&stored(event));
    assert_eq!(data.as_ref(), body);
    let mut got: Vec<String> =
        headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
    got.sort();
    let golden = [
        "ce-correlationid: corr",
        "ce-eventnumber: 1",
        "ce-flag: true",
        "ce-id: 1",
        "ce-source: /a",
        "ce-specversion: 1.0",
        "ce-storedtime: 2026-11-23T15:48:41.070Z",
        "ce-stream: s-1",
        "ce-streamversion: 1",
        "ce-subject: Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22%20~/!",
        "ce-tags: a%20b,c",
        "ce-type: t",
        "content-type: application/json",
    ];
    assert_eq!(got, golden);
}

/// json 3 and 3.1.1: data of JSON is a value, and here the bytes that came.
#[test]
fn a_record_leaves_in_structured_mode_with_its_data_as_it_came() {
    let more = r#""data": { "b" : 1.0, "a":[1E2,"\u00e9"] } ,"flag":true,"n":5,"subject":"é\"""#;
    let golden = concat!(
        r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","subject":"é\"","stream":"s-1","#,
        r#""streamversion":"1","eventnumber":"1","storedtime":"2026-11-23T15:48:41.070Z","#,
        r#""flag":true,"n":5,"data":{ "b" : 1.0, "a":[1E2,"\u00e9"] }}"#,
    );
    let record = stored(structured(more).unwrap());
    assert_eq!(write_structured(&record), golden);
    assert_eq!(write_batch(&[record.clone(), record]), format!("[{golden},{golden}]"));
    assert_eq!(write_batch(&[]), "[]");
}

/// json 3.1.1 and 3.1.2: which member the data is, by its content type.
#[test]
fn data_is_a_value_a_text_or_base64() {
    let data = |more: &str| structured(more).unwrap().data.unwrap();
    let of = |bytes: &[u8], is_text| Data { bytes: bytes.to_vec(), is_text };
    assert_eq!(data(r#""data":"I'm just a string""#), of(br#""I'm just a string""#, true));
    assert_eq!(data(r#""data":null"#), of(b"null", true));
    let xml = r#""datacontenttype":"application/xml","data":"<much wow=\"xml\"/>""#;
    assert_eq!(data(xml), of(br#"<much wow="xml"/>"#, true));
    let late = r#""data":"<a/>","datacontenttype":"text/xml""#;
    assert_eq!(data(late), of(b"<a/>", true), "whatever comes first");
    let vendor = r#""datacontenttype":"application/vnd.a+json; v=1","data":{"a":1}"#;
    assert_eq!(data(vendor), of(br#"{"a":1}"#, true));
    assert_eq!(data(r#""data_base64":"AP/+""#), of(&[0, 255, 254], false));
    assert_eq!(data(r#""data_base64":"""#), of(b"", false));
    assert_eq!(data(r#""data_base64":"AB==""#), of(&[0], false));
    assert_eq!(structured(r#""data_base64":null"#).unwrap().data, None);
    assert_eq!(structured("").unwrap().data, None);
    refused(structured(r#""data":1,"data_base64":"AA==""#), "/data_base64", "only one");
    refused(
        structured(r#""datacontenttype":"text/plain","data":{}"#),
        "/data",
        "this is an object",
    );
    refused(structured(r#""data_base64":"A""#), "/data_base64", "no base64");
    refused(structured(r#""data_base64":7"#), "/data_base64", "A string is needed");
}

/// json 3.1.1: what came as bytes leaves as what its content type says, if that is true of it.
#[test]
fn bytes_leave_as_what_they_are() {
    let leaves = |kind: &'static str, body: &[u8]| {
        let event = binary(&[("content-type", kind)], body).unwrap();
        let written = write_structured(&stored(event)).to_vec();
        let members: serde_json::Value = serde_json::from_slice(&written).unwrap();
        (members["data"].clone(), members["data_base64"].clone())
    };
    use serde_json::{Value::Null, json};
    assert_eq!(leaves("application/json", b"[1]"), (json!([1]), Null));
    assert_eq!(leaves("application/json", b"[1"), (Null, json!("WzE=")));
    assert_eq!(leaves("application/json", b" [1]\n"), (Null, json!("IFsxXQo=")));
    assert_eq!(leaves("text/plain", "é".as_bytes()), (json!("é"), Null));
    assert_eq!(leaves("text/plain", b"\xff"), (Null, json!("/w==")));
    assert_eq!(leaves("text/plain; charset=latin1", b"a"), (Null, json!("YQ==")));
    assert_eq!(leaves("application/octet-stream", b"a"), (Null, json!("YQ==")));
    let bare = binary(&[], b"a").unwrap();
    assert_eq!(bare.data, Some(Data { bytes: b"a".to_vec(), is_text: false }));
    let (headers, _) = write_binary(&stored(bare));
    assert!(!headers.contains_key("content-type"));
    let implied = binary(&[], b"[1]").unwrap();
    assert_eq!(implied.data, Some(Data { bytes: b"[1]".to_vec(), is_text: true }));
    let (headers, _) = write_binary(&stored(implied));
    assert_eq!(headers["content-type"], "application/json");
}

/// json 3.1.2: who writes data of JSON in another way says what it is.
#[test]
fn the_implied_media_type_is_said_in_binary_mode() {
    let (headers, body) = write_binary(&stored(structured(r#""data":"x""#).unwrap()));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(body.as_ref(), b"\"x\"");
    let (headers, body) = write_binary(&stored(structured("").unwrap()));
    assert!(!headers.contains_key("content-type") && body.is_empty());
}

/// http 3.3.2, json 4: a batch is an array, and may be empty.
#[test]
fn a_batch_is_an_array_of_events() {
    let one = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t"}"#;
    assert_eq!(read_batch(format!("[{one},{one}]").as_bytes()).unwrap().len(), 2);
    assert_eq!(read_batch(b"[]").unwrap(), []);
    let problem = read_batch(format!(r#"[{one},{{"specversion":"1.0"}}]"#).as_bytes()).unwrap_err();
    assert_eq!(problem.place(), Some("/1/id"));
    assert_eq!(read_batch(one.as_bytes()).unwrap_err().kind(), Kind::InvalidBody);
    let many = format!("[{}]", vec![one; 1001].join(","));
    assert!(read_batch(many.as_bytes()).unwrap_err().detail().contains("more than 1000"));
}

/// What was read here may be sent as it is; the store gives its own again.
#[test]
fn what_the_store_gave_is_left_out_and_a_recorded_time_is_kept() {
    let more = r#""eventnumber":"7","streamversion":5,"storedtime":true,"recordedtime":"x""#;
    let event = structured(more).unwrap();
    assert_eq!(event.extensions, [(Label::new("recordedtime"), text("x"))]);
}

#[test]
fn tags_are_an_extension_with_commas() {
    let tags = |value: &str| binary(&[("ce-tags", value)], b"").map(|event| event.tags);
    assert_eq!(tags("a, b c,,a").unwrap(), ["a", "b c"]);
    assert_eq!(tags("").unwrap(), [""; 0]);
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(tags(&many(64)).unwrap().len(), 64);
    assert_eq!(tags(&many(65)).unwrap_err().kind(), Kind::LimitExceeded);
    assert_eq!(tags(&many(1000)).unwrap_err().kind(), Kind::LimitExceeded);
    refused(tags(&"t".repeat(257)).map(|_| Proposed::default()), "header ce-tags", "256 bytes");
}

#[test]
fn sizes_are_bounded() {
    let max = crate::bounds::DATA_BYTES_MAX;
    assert!(binary(&[], &vec![0; max]).is_ok());
    assert_eq!(binary(&[], &vec![0; max + 1]).unwrap_err().kind(), Kind::TooLarge);
    let data = |len: usize| structured(&format!(r#""data":"{}""#, "x".repeat(len - 2)));
    assert!(data(max).is_ok());
    assert_eq!(data(max + 1).unwrap_err().kind(), Kind::TooLarge);
    let long = |len: usize| structured(&format!(r#""subject":"{}""#, "x".repeat(len)));
    assert!(long(4096).is_ok());
    assert_eq!(long(4097).unwrap_err().kind(), Kind::LimitExceeded);
    let correlated = |len: usize| structured(&format!(r#""correlationid":"{}""#, "x".repeat(len)));
    assert!(correlated(1024).is_ok());
    assert_eq!(correlated(1025).unwrap_err().kind(), Kind::LimitExceeded);
    let extensions = |count: usize| {
        let all: Vec<_> = (0..count).map(|n| format!("\"x{n}\":{n}")).collect();
        structured(&all.join(","))
    };
    assert_eq!(extensions(64).unwrap().extensions.len(), 64);
    assert_eq!(extensions(65).unwrap_err().kind(), Kind::LimitExceeded);
    assert_eq!(extensions(500).unwrap_err().kind(), Kind::InvalidEvent);
}

fn some_text() -> impl Strategy<Value = String> {
    "[ -~é€😀\u{a0}]{1,20}"
}

fn some_data() -> impl Strategy<Value = (Option<String>, Option<Data>)> {
    let json = prop_oneof![Just(r#"{ "a" : [1.0, "é"] }"#), Just("null"), Just("\"x\"")];
    prop_oneof![
        Just((None, None)),
        (json, prop::option::of(Just("application/json".to_owned())))
            .prop_map(|(json, kind)| (kind, Some(Data { bytes: json.into(), is_text: true }))),
        some_text().prop_map(|text| {
            let data = Data { bytes: text.into(), is_text: true };
            (Some("text/plain".to_owned()), Some(data))
        }),
        prop::collection::vec(any::<u8>(), 1..20).prop_map(|bytes| {
            (Some("application/octet-stream".to_owned()), Some(Data { bytes, is_text: false }))
        }),
    ]
}

prop_compose! {
    fn some_event()(
        (id, kind) in (some_text(), some_text()),
        subject in prop::option::of(some_text()),
        time in prop::option::of(Just("2018-04-05T17:31:00.120+01:00".to_owned())),
        schema in prop::option::of(Just("urn:a#b".to_owned())),
        (content_type, data) in some_data(),
        tags in prop::collection::btree_set("[a-z:é][a-z é]{0,3}[a-z]", 0..4),
        correlation in prop::option::of(some_text()),
        causation in prop::option::of(some_text()),
        traceparent in prop::option::of(some_text()),
        extensions in prop::collection::btree_map("x[a-z0-9]{1,5}", some_text(), 0..4),
    ) -> Proposed {
        let extensions = extensions.into_iter();
        Proposed {
            id: Some(id),
            source: Some("https://a/b?c#d".to_owned()),
            kind, subject, time, content_type, schema, data,
            stream: Some("account-42".to_owned()),
            tags: tags.into_iter().collect(),
            correlation, causation, traceparent,
            extensions: extensions.map(|(name, value)| (Label::new(name), text(&value))).collect(),
        }
    }
}

proptest! {
    /// What leaves in any mode is, when it comes back, what it was: binary to structured to batch
    /// to binary.
    #[test]
    fn events_come_back_as_they_left(event in some_event()) {
        let record = stored(event.clone());
        prop_assert_eq!(read_structured(&write_structured(&record)).unwrap(), event.clone());
        let batch = read_batch(&write_batch(&[record.clone(), record.clone()])).unwrap();
        prop_assert_eq!(batch, vec![event.clone(); 2]);
        let (headers, body) = write_binary(&record);
        let mut expected = event;
        // In binary mode what JSON implies is said.
        if expected.data.as_ref().is_some_and(|data| data.is_text) {
            expected.content_type.get_or_insert("application/json".to_owned());
        }
        prop_assert_eq!(read_binary(&headers, &body).unwrap(), expected);
    }
}
