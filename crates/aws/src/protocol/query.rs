//! Query: parameters into the neutral form, by a table; from there into typed shapes.
//!
//! A list is `Name.1`, `Name.2`, … or `Name.member.1`, …; a map is `Name.1.Key` and `Name.1.Value`
//! or `Name.entry.1.key` …; a member of a structure is `Name.Member`. Lists may have gaps: the order
//! of the numbers counts. One item alone may stand without its number (`AttributeName=All`,
//! `Attribute.Name=…&Attribute.Value=…`), as SQS's first SDKs send it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map as Object, Value};

use super::error::WireError;
use super::form::{Params, invalid};
use super::shape::{List, Map, Service, Shape, Structure};

/// The action that parameters name, in the service's version.
pub(super) fn action(service: &Service, params: &Params) -> Result<String, WireError> {
    let Some(action) = params.get("Action").filter(|action| !action.is_empty()) else {
        let message = "The request must contain the parameter Action.";
        return Err(refuse("MissingAction", message));
    };
    match params.get("Version") {
        // SQS takes a request without a version for one of its latest.
        None => Ok(action.to_owned()),
        Some(version) if version == service.version => Ok(action.to_owned()),
        Some(version) => {
            let (shown, latest) = (shorten(version), service.version);
            let message = format!("The version {shown} is not served here; {latest} is.");
            Err(refuse("NoSuchVersion", message))
        }
    }
}

/// What an action that is none is answered with.
pub(super) fn invalid_action(action: &str) -> WireError {
    let shown = shorten(action);
    refuse("InvalidAction", format!("The action {shown} is not valid for this endpoint."))
}

/// Reads a typed input.
pub(super) fn read_typed<T: DeserializeOwned>(
    shape: &Structure,
    params: &Params,
) -> Result<T, WireError> {
    let value = read(shape, params)?;
    serde_json::from_value(value).map_err(|error| WireError::serialization(error.to_string()))
}

/// Reads the neutral form of a structure.
pub fn read(shape: &Structure, params: &Params) -> Result<Value, WireError> {
    Reader(params).structure(shape, "").map(Value::Object)
}

struct Reader<'a>(&'a Params);

impl Reader<'_> {
    fn structure(
        &self,
        shape: &Structure,
        prefix: &str,
    ) -> Result<Object<String, Value>, WireError> {
        let mut object = Object::new();
        for member in shape.members {
            let name = join(prefix, member.wire);
            if let Some(value) = self.value(&member.shape, &name)? {
                object.insert(member.name.to_owned(), value);
            }
        }
        Ok(object)
    }

    /// Goes no deeper than there are parameters, whose names are bounded.
    fn value(&self, shape: &Shape, name: &str) -> Result<Option<Value>, WireError> {
        match shape {
            Shape::List(list) => self.list(list, name),
            Shape::Map(map) => self.map(map, name),
            Shape::Structure(_) if !self.0.has_below(name) => Ok(None),
            Shape::Structure(shape) => self.structure(shape, name).map(|o| Some(Value::Object(o))),
            scalar => self.scalar(scalar, name),
        }
    }

    fn scalar(&self, shape: &Shape, name: &str) -> Result<Option<Value>, WireError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(_) if self.0.has_below(name) => Err(conflicting(name)),
            Some(text) => parse(shape, name, text).map(Some),
        }
    }

    fn list(&self, list: &List, name: &str) -> Result<Option<Value>, WireError> {
        let prefix = list.within.map_or(name.to_owned(), |within| join(name, within));
        let numbers = self.numbers(&prefix)?;
        match self.0.get(name) {
            Some(_) if !numbers.is_empty() => return Err(conflicting(name)),
            Some("") => return Ok(Some(Value::Array(Vec::new()))),
            Some(text) => {
                let item = parse(&list.item, name, text)?;
                return Ok(Some(Value::Array(vec![item])));
            }
            None if numbers.is_empty() => return Ok(None),
            None => {}
        }
        let items = numbers.into_iter().map(|number| {
            let item = self.value(&list.item, &join(&prefix, &number.to_string()))?;
            Ok(item.unwrap_or_else(|| nothing(&list.item)))
        });
        items.collect::<Result<_, WireError>>().map(|items| Some(Value::Array(items)))
    }

    fn map(&self, map: &Map, name: &str) -> Result<Option<Value>, WireError> {
        let prefix = map.within.map_or(name.to_owned(), |within| join(name, within));
        let mut object = Object::new();
        if self.0.get(&join(&prefix, map.key)).is_some() {
            self.entry(map, &prefix, &mut object)?;
            return Ok(Some(Value::Object(object)));
        }
        for number in self.numbers(&prefix)? {
            self.entry(map, &join(&prefix, &number.to_string()), &mut object)?;
        }
        Ok((!object.is_empty()).then_some(Value::Object(object)))
    }

    fn entry(
        &self,
        map: &Map,
        prefix: &str,
        object: &mut Object<String, Value>,
    ) -> Result<(), WireError> {
        let (key, value) = (join(prefix, map.key), join(prefix, map.value));
        let text = self.0.get(&key).ok_or_else(|| missing(&key))?;
        let value = match (self.value(&map.item, &value)?, &map.item) {
            (Some(value), _) => value,
            (None, Shape::Structure(_)) => nothing(&map.item),
            (None, _) => return Err(missing(&value)),
        };
        if object.insert(text.to_owned(), value).is_some() {
            return Err(invalid(&key, "Another entry has the same name."));
        }
        Ok(())
    }

    /// The numbers below a name, in order.
    fn numbers(&self, prefix: &str) -> Result<BTreeSet<u32>, WireError> {
        let parts = self.0.below(prefix).map(|rest| rest.split('.').next().unwrap_or_default());
        let number = |part: &str| match part.parse::<u32>() {
            // Only the plain form, so that no number has two names.
            Ok(number) if number > 0 && number.to_string() == part => Ok(number),
            _ => Err(invalid(&join(prefix, part), "Items are numbered from 1.")),
        };
        parts.map(number).collect()
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// What stands for an item that has a number and no value of the right form below it.
fn nothing(shape: &Shape) -> Value {
    match shape {
        Shape::Structure(_) | Shape::Map(_) => Value::Object(Object::new()),
        Shape::List(_) => Value::Array(Vec::new()),
        _ => Value::Null,
    }
}

fn parse(shape: &Shape, name: &str, text: &str) -> Result<Value, WireError> {
    let value = match shape {
        Shape::Text => Some(Value::from(text)),
        Shape::Integer => text.parse::<i32>().ok().map(Value::from),
        Shape::Long => text.parse::<i64>().ok().map(Value::from),
        Shape::Boolean => text.parse::<bool>().ok().map(Value::from),
        Shape::Float if matches!(text, "NaN" | "Infinity" | "-Infinity") => Some(Value::from(text)),
        Shape::Float => text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from),
        Shape::Blob => STANDARD.decode(text).ok().map(|_| Value::from(text)),
        Shape::List(_) | Shape::Map(_) | Shape::Structure(_) => None,
    };
    value.ok_or_else(|| {
        let message = format!(
            "Value {} for parameter {name} is invalid. Reason: {}",
            shorten(text),
            form(shape)
        );
        refuse("InvalidParameterValue", message)
    })
}

fn form(shape: &Shape) -> &'static str {
    match shape {
        Shape::Integer | Shape::Long => "Must be an integer.",
        Shape::Boolean => "Must be true or false.",
        Shape::Float => "Must be a number.",
        Shape::Blob => "Must be base64.",
        Shape::Text | Shape::List(_) | Shape::Map(_) | Shape::Structure(_) => {
            "Its structure is not that of the parameter."
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}

fn refuse(code: &str, message: impl Into<String>) -> WireError {
    WireError::common(StatusCode::BAD_REQUEST, code, message)
}

fn missing(name: &str) -> WireError {
    refuse("MissingParameter", format!("The request must contain the parameter {name}."))
}

fn conflicting(name: &str) -> WireError {
    let message = format!(
        "The query parameter {name} is invalid. Its structure conflicts with that of another \
         parameter."
    );
    refuse("ConflictingQueryParameter", message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::shape::member;

    static LIST: List = List { item: Shape::Integer, within: None };
    static NAMED_LIST: List = List { item: Shape::Text, within: Some("member") };
    static MAP: Map = Map { key: "Name", value: "Value", item: Shape::Text, within: None };
    static MAP_OF_TREES: Map =
        Map { key: "Name", value: "Value", item: Shape::Structure(&TREE), within: Some("entry") };
    static TREE: Structure = Structure {
        name: "Tree",
        members: &[
            member("text", "Text", Shape::Text),
            member("numbers", "Number", Shape::List(&LIST)),
            member("names", "Names", Shape::List(&NAMED_LIST)),
            member("map", "Map", Shape::Map(&MAP)),
            member("branches", "Branch", Shape::Map(&MAP_OF_TREES)),
            member("next", "Next", Shape::Structure(&TREE)),
        ],
    };

    fn tree(form: &str) -> Result<Value, String> {
        let params =
            Params::read(None, form.as_bytes()).map_err(|error| error.code().to_owned())?;
        read(&TREE, &params).map_err(|error| error.code().to_owned())
    }

    #[test]
    fn reads_each_form_of_a_value() {
        assert_eq!(tree("Text=a+b&Other=x"), Ok(json!({ "text": "a b" })));
        assert_eq!(tree("Number.10=3&Number.2=1&Number.3=2"), Ok(json!({ "numbers": [1, 2, 3] })));
        assert_eq!(tree("Number=7"), Ok(json!({ "numbers": [7] })));
        assert_eq!(tree("Names.member.1=a"), Ok(json!({ "names": ["a"] })));
        assert_eq!(tree("Names="), Ok(json!({ "names": [] })));
        assert_eq!(tree("Map.1.Name=a&Map.1.Value=b"), Ok(json!({ "map": { "a": "b" } })));
        assert_eq!(tree("Map.Name=a&Map.Value=b"), Ok(json!({ "map": { "a": "b" } })));
        let deep = "Next.Next.Branch.entry.1.Name=k&Next.Next.Branch.entry.1.Value.Text=x";
        let branch = json!({ "branches": { "k": { "text": "x" } } });
        assert_eq!(tree(deep), Ok(json!({ "next": { "next": branch } })));
        assert_eq!(tree(""), Ok(json!({})));
    }

    #[test]
    fn refuses_what_is_none() {
        for (form, code) in [
            ("Number.1=x", "InvalidParameterValue"),
            ("Number.1=2147483648", "InvalidParameterValue"),
            ("Number.0=1", "InvalidQueryParameter"),
            ("Number.01=1", "InvalidQueryParameter"),
            ("Number.4294967296=1", "InvalidQueryParameter"),
            ("Number=1&Number.1=1", "ConflictingQueryParameter"),
            ("Text=a&Text.1=b", "ConflictingQueryParameter"),
            ("Map.1.Value=b", "MissingParameter"),
            ("Map.1.Name=a", "MissingParameter"),
            ("Map.1.Name=a&Map.1.Value=b&Map.2.Name=a&Map.2.Value=c", "InvalidQueryParameter"),
        ] {
            assert_eq!(tree(form), Err(code.to_owned()), "{form}");
        }
    }

    /// A recursive structure is read as deep as a name may go, and no name goes deeper.
    #[test]
    fn depth_is_that_of_the_names() {
        let deep = |dots: usize| format!("{}Text=x", "Next.".repeat(dots));
        assert!(tree(&deep(16)).is_ok());
        assert_eq!(tree(&deep(17)), Err("MalformedQueryString".to_owned()));
    }
}
