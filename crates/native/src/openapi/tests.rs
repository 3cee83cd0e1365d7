use std::collections::BTreeSet;

use super::*;
use crate::read;

/// The document as it lies beside the sources.
fn file() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json")
}

fn rendered() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap();
    text.push('\n');
    text
}

#[test]
fn the_file_is_the_document() {
    if std::env::var_os("LINESIDE_WRITE_OPENAPI").is_some() {
        std::fs::write(file(), rendered()).unwrap();
    }
    let text = std::fs::read_to_string(file()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document());
    assert_eq!(text, rendered(), "run this test with LINESIDE_WRITE_OPENAPI=1");
}

/// All references in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name == "$ref" {
                    found.insert(value.as_str().unwrap().to_owned());
                }
                references(value, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "{name} is not used");
    }
}

#[test]
fn every_operation_names_its_problems_by_their_statuses() {
    let document = document();
    let mut ids = BTreeSet::new();
    for operation in operations() {
        let method = operation.method.to_lowercase();
        let described = &document["paths"][operation.path][&method];
        assert!(ids.insert(described["operationId"].as_str().unwrap()));
        let responses = described["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')) && responses.len() > 3,
            "{}",
            operation.id
        );
        for kind in operation.problems {
            let response = &responses[kind.status().as_str()];
            let mut response = response.clone();
            if let Some(reference) = response["$ref"].as_str() {
                response = document.pointer(&reference[1..]).unwrap().clone();
            }
            let types = &response["content"][MEDIA_TYPE]["schema"]["allOf"][1]["properties"];
            let types = types["type"]["enum"].as_array().unwrap();
            assert!(types.contains(&kind.uri().into()), "{}: {kind:?}", operation.id);
        }
        let unique: BTreeSet<_> = operation.problems.iter().collect();
        assert_eq!(unique.len(), operation.problems.len());
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), 15);
}

/// What the document says that an operation takes is what its parser takes.
#[test]
fn the_parameters_are_those_that_are_read() {
    let named = |id: &str| {
        let operation = operations().find(|operation| operation.id == id).unwrap();
        let of_query = operation.parameters.iter().filter(|p| p.place == Place::Query);
        of_query.map(|parameter| parameter.name).collect::<Vec<_>>()
    };
    assert_eq!(named("readEvents"), read::EVENTS_PARAMETERS);
    assert_eq!(named("readStream"), read::STREAM_PARAMETERS);
    assert_eq!(named("readEvent"), read::EVENT_PARAMETERS);
    assert_eq!(named("readState"), crate::model::STATE_PARAMETERS);
    assert!(named("appendEvents").is_empty() && named("appendToStream").is_empty());
}

#[test]
fn what_stands_in_a_path_is_a_parameter() {
    for operation in operations() {
        let of_path = operation.parameters.iter().filter(|p| p.place == Place::Path);
        let names: Vec<String> = of_path.map(|p| format!("{{{}}}", p.name)).collect();
        let in_path = operation.path.split('/').filter(|part| part.starts_with('{'));
        assert_eq!(names, in_path.collect::<Vec<_>>(), "{}", operation.id);
        assert_eq!(operation.body.is_some(), matches!(operation.method, "POST" | "PUT"));
    }
}
