//! Bodies, byte by byte.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::ExtensionValue;
use super::*;
use crate::partition::tests::codec::{hex, unhex};
use crate::payload::Payload;

fn full() -> EventBody {
    let content = EventContent {
        id: label("id-1"),
        source: text("/src"),
        kind: label("Paid"),
        subject: Some(text("sub")),
        time: Some(text("2026-01-01T00:00:00.10+01:00")),
        content_type: Some(text("application/json")),
        schema: Some(text("urn:s")),
        data: Some(b"{\"a\":1}".to_vec().into()),
        is_text: true,
        extensions: vec![
            (label("x"), ExtensionValue::Text(text("y"))),
            (label("b"), ExtensionValue::Bool(true)),
            (label("i"), ExtensionValue::Integer(-7)),
        ],
        causation: Some(label("c-1")),
        traceparent: Some(label("00-t")),
    };
    let assigned = Assigned {
        store: QueueId(3),
        number: EventNumber(1000),
        stream: label("account-42"),
        version: Version(7),
        recorded: Stamp(1_760_000_000_000),
        tags: labels(&["t", "u"]),
        correlation: Some(label("k")),
        index: 1,
        count: 2,
    };
    EventBody { content, assigned }
}

fn bare() -> EventBody {
    let content = EventContent::new(label("i"), text("s"), label("k"));
    let assigned = Assigned { tags: Vec::new(), correlation: None, ..full().assigned };
    EventBody { content, assigned }
}

/// A line that changes makes old logs unreadable.
#[test]
fn a_body_is_written_as_it_always_was() {
    assert_eq!([full(), bare()].map(|body| hex(&body.encode())), WRITTEN);
    for (body, written) in [full(), bare()].into_iter().zip(WRITTEN) {
        assert_eq!(EventBody::decode(&unhex(written)), Ok(body));
    }
}

#[rustfmt::skip]
const WRITTEN: [&str; 2] = [
    "d9ea9d828c6469642d31642f737263645061696463737562781c323032362d30312d30315430303a\
     30303a30302e31302b30313a3030706170706c69636174696f6e2f6a736f6e6575726e3a73477b22\
     61223a317df5838261788200816179826162820181f58261698202812663632d316430302d748903\
     1903e86a6163636f756e742d3432071b00000199c82cc0008261746175616b0102",
    "d9ea9d828a61696173616bf6f6f6f6f6f48089031903e86a6163636f756e742d3432071b00000199\
     c82cc00080f60102",
];

#[test]
fn the_body_of_a_message_is_none_of_an_event() {
    let payload = Payload {
        body: b"body".to_vec().into(),
        attributes: Vec::new(),
        group: None,
        dedup: None,
        trace: None,
        sender: None,
    };
    assert!(EventBody::decode(&payload.encode()).is_err());
    assert!(Payload::decode(&full().encode()).is_err());
}

#[test]
fn a_field_of_a_later_version_is_passed_over_and_what_is_behind_is_not() {
    let written = full().encode();
    // The tag is three bytes; the body is a list of two, and here of three.
    assert_eq!(written[3], 0x82);
    let mut later = written.to_vec();
    later[3] = 0x83;
    later.push(7);
    assert_eq!(EventBody::decode(&later), Ok(full()));
    let behind = [&written[..], &[7]].concat();
    let error = EventBody::decode(&behind).unwrap_err().to_string();
    assert!(error.ends_with("1 bytes after the event"), "{error}");
}

#[test]
fn a_body_tells_what_queries_look_at() {
    let body = full();
    let tags = labels(&["t", "u"]);
    let (stream, kind, correlation) = (&label("account-42"), &label("Paid"), Some(&label("k")));
    assert_eq!(body.head(), EventHead { stream, kind, tags: &tags, correlation });
}

/// The room for a body is taken once, so that a large one is not copied twice.
#[test]
fn the_room_for_a_body_is_enough() {
    let mut large = full();
    large.content.data = Some(vec![7; 1 << 20].into());
    large.assigned.tags = (0..64).map(|_| label(&"t".repeat(256))).collect();
    for body in [full(), bare(), large] {
        let EventBody { content, assigned } = &body;
        let own = content.data_bytes() + content.context_bytes();
        let tags: usize = assigned.tags.iter().map(|tag| tag.as_str().len() + 5).sum();
        let labels = content.kind.as_str().len() + assigned.stream.as_str().len();
        assert!(body.encode().len() <= own + tags + labels + super::super::event::FRAME_BYTES);
    }
}

fn any_label() -> impl Strategy<Value = Label> {
    "\\PC{0,6}".prop_map(Label::new)
}

fn any_text() -> impl Strategy<Value = Text> {
    "\\PC{0,6}".prop_map(Text::new)
}

fn any_value() -> impl Strategy<Value = ExtensionValue> {
    prop_oneof![
        any_text().prop_map(ExtensionValue::Text),
        any::<bool>().prop_map(ExtensionValue::Bool),
        any::<i32>().prop_map(ExtensionValue::Integer),
    ]
}

fn any_content() -> impl Strategy<Value = EventContent> {
    let names = (any_label(), any_text(), any_label());
    let texts = [(); 4].map(|()| option::of(any_text()));
    let data = (option::of(vec(any::<u8>(), 0..40)), any::<bool>());
    let more = (vec((any_label(), any_value()), 0..4), [(); 2].map(|()| option::of(any_label())));
    (names, texts, data, more).prop_map(|((id, source, kind), texts, (data, is_text), more)| {
        let [subject, time, content_type, schema] = texts;
        let (extensions, [causation, traceparent]) = more;
        EventContent {
            id,
            source,
            kind,
            subject,
            time,
            content_type,
            schema,
            data: data.map(Into::into),
            is_text,
            extensions,
            causation,
            traceparent,
        }
    })
}

fn any_assigned() -> impl Strategy<Value = Assigned> {
    let found_by = (any_label(), vec(any_label(), 0..4), option::of(any_label()));
    (found_by, any::<[u64; 4]>(), any::<[u32; 2]>()).prop_map(
        |((stream, tags, correlation), [store, number, version, recorded], [index, count])| {
            let (store, number) = (QueueId(store), EventNumber(number));
            let (version, recorded) = (Version(version), Stamp(recorded));
            Assigned { store, number, stream, version, recorded, tags, correlation, index, count }
        },
    )
}

fn any_body() -> impl Strategy<Value = EventBody> {
    (any_content(), any_assigned()).prop_map(|(content, assigned)| EventBody { content, assigned })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_comes_back_from_its_bytes(body in any_body()) {
        prop_assert_eq!(EventBody::decode(&body.encode()), Ok(body));
    }

    #[test]
    fn any_bytes_are_a_body_or_an_error(
        body in any_body(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        bytes in vec(any::<u8>(), 0..80),
    ) {
        let _ = EventBody::decode(&bytes);
        let mut damaged = body.encode().to_vec();
        *at.get_mut(&mut damaged) = byte;
        let _ = EventBody::decode(&damaged);
        let cut = Bytes::from(damaged);
        let _ = EventBody::decode(&cut[..at.index(cut.len())]);
    }
}
