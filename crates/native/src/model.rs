//! Models and states on the wire: definitions as they come and as they lie in the store, and the
//! answers with them.

use std::sync::Arc;

use bytes::Bytes;
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, Label, Version};
use lineside_core::stamp::Stamp;
use lineside_engine::events::{StateAt, Until};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::bounds::{ID_CHARS_MAX, MODEL_NAME_BYTES_MAX, SCRIPT_BYTES_MAX};
use crate::json::{self, Raw, Type};
use crate::params::{Params, invalid, whole};
use crate::problem::{Kind, Problem};
use crate::read::{moment, stream_of_path};
use crate::text::{misfit_of_category, misfit_of_stream, shown};
use crate::time;

/// What the streams of definitions begin with; the model's name follows.
pub(crate) const STREAM_PREFIX: &str = "$model-";

/// The category of those streams.
pub(crate) const CATEGORY: &str = "$model";

/// The type of an event that defines a model.
pub(crate) const DEFINED: &str = "lineside.model.defined.v1";

/// The type of an event that deletes one.
pub(crate) const DELETED: &str = "lineside.model.deleted.v1";

/// The parameters of GET /v1/state/{model}/{id}.
pub(crate) const STATE_PARAMETERS: [&str; 3] = ["version", "at", "diff"];

/// How the events of a stream become a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// The data of each event is a merge patch to the state (RFC 7396).
    Merge,
    /// A module of JavaScript.
    JavaScript(Arc<str>),
}

/// What a model is, beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The category of the streams that it folds: the state of `42` is that of the stream
    /// `category-42`.
    pub category: String,
    /// How.
    pub program: Program,
}

/// A model as it is defined now.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// What it is.
    pub definition: Definition,
    /// The version of its definition, over all that it had, deletions included.
    pub version: Version,
    /// The number of the event that says so.
    pub number: EventNumber,
    /// Since when.
    pub defined: Stamp,
}

/// How a definition lies in the store.
#[derive(Deserialize, Serialize)]
struct Stored {
    name: String,
    category: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    merge: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    javascript: Option<String>,
}

impl Definition {
    /// Reads the body of PUT /v1/models/{name}.
    pub(crate) fn read(body: &[u8]) -> Result<Definition, Problem> {
        let document = json::document(body)?;
        let misfit = |misfit| Problem::new(Kind::InvalidBody, misfit).next(FORM);
        let members = json::members(document, 16).map_err(misfit)?;
        let (mut category, mut merge, mut javascript) = (None, false, None);
        for (name, raw) in members {
            let at = json::pointer("", &name);
            let misfit = |misfit| Problem::new(Kind::InvalidBody, misfit).at(at.clone()).next(FORM);
            match name.as_str() {
                "category" => category = Some(json::text(raw).map_err(misfit)?),
                "javascript" => javascript = text(raw).map_err(misfit)?,
                "merge" => merge = flag(raw).map_err(misfit)?,
                _ => return Err(misfit(format!("A model has no member {}.", shown(&name)))),
            }
        }
        let program = match (merge, javascript) {
            (true, None) => Program::Merge,
            (false, Some(source)) => Program::JavaScript(source.into()),
            _ => return Err(misfit("A model has `merge`, or else `javascript`.".to_owned())),
        };
        let missing = || misfit("A model has a `category`.".to_owned());
        let definition = Definition { category: category.ok_or_else(missing)?, program };
        definition.check().map_err(|(at, misfit)| {
            Problem::new(Kind::InvalidBody, misfit).at(format!("/{at}")).next(FORM)
        })?;
        Ok(definition)
    }

    /// What cannot be, and in which of its members: the part that can be seen without loading it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(misfit) = misfit_of_category(&self.category) {
            return Err(("category", misfit));
        }
        match &self.program {
            Program::JavaScript(source) if source.len() > SCRIPT_BYTES_MAX => {
                let len = source.len();
                let rule = format!("A module has at most {SCRIPT_BYTES_MAX} bytes, not {len}.");
                Err(("javascript", rule))
            }
            _ => Ok(()),
        }
    }

    /// As the data of an event.
    pub(crate) fn data(&self, name: &str) -> Vec<u8> {
        let javascript = match &self.program {
            Program::Merge => None,
            Program::JavaScript(source) => Some(source.to_string()),
        };
        let (name, category) = (name.to_owned(), self.category.clone());
        let stored = Stored { name, category, merge: javascript.is_none(), javascript };
        written(&stored)
    }
}

const FORM: &str =
    "Send {\"category\": …, \"merge\": true} or {\"category\": …, \"javascript\": …}.";

/// A text; null is as if it were not there.
fn text(raw: Raw<'_>) -> Result<Option<String>, String> {
    if Type::of(raw) == Type::Null { Ok(None) } else { json::text(raw).map(Some) }
}

fn flag(raw: Raw<'_>) -> Result<bool, String> {
    match raw.get() {
        "true" => Ok(true),
        "false" | "null" => Ok(false),
        _ => Err(format!("`merge` is true or false, and not {}.", json::cut(raw))),
    }
}

impl Model {
    /// The model that the newest event of its stream says; none if that deletes it.
    pub(crate) fn read(event: &EventBody) -> Result<Option<Model>, Problem> {
        if event.content.kind.as_str() != DEFINED {
            return Ok(None);
        }
        let data = event.content.data.as_ref().map(|data| data.as_slice());
        let stored: Stored = serde_json::from_slice(data.unwrap_or_default()).map_err(|error| {
            let number = event.assigned.number.0;
            let detail = format!("Event {number} defines a model, and cannot be read: {error}.");
            Problem::new(Kind::Internal, detail)
        })?;
        let program = match stored.javascript {
            None => Program::Merge,
            Some(source) => Program::JavaScript(source.into()),
        };
        Ok(Some(Model {
            name: stored.name,
            definition: Definition { category: stored.category, program },
            version: event.assigned.version,
            number: event.assigned.number,
            defined: event.assigned.recorded,
        }))
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("name".into(), self.name.as_str().into());
        members.insert("category".into(), self.definition.category.as_str().into());
        members.insert("version".into(), self.version.0.into());
        members.insert("number".into(), self.number.0.into());
        members.insert("defined".into(), time::text_of(self.defined).into());
        members
    }

    /// As an answer, with its program.
    pub(crate) fn write(&self) -> Bytes {
        let mut members = self.members();
        match &self.definition.program {
            Program::Merge => members.insert("merge".into(), true.into()),
            Program::JavaScript(source) => members.insert("javascript".into(), (**source).into()),
        };
        Value::Object(members).to_string().into()
    }

    /// As one of several: of a module, only that it is one.
    fn line(&self) -> Value {
        let mut members = self.members();
        let kind = match &self.definition.program {
            Program::Merge => "merge",
            Program::JavaScript(_) => "javascript",
        };
        members.insert("kind".into(), kind.into());
        Value::Object(members)
    }
}

/// Models as an answer.
pub(crate) fn write_models(models: &[Model]) -> Bytes {
    let lines: Vec<Value> = models.iter().map(Model::line).collect();
    json!({ "models": lines }).to_string().into()
}

/// What a deletion answers.
pub(crate) fn write_deleted(name: &str, version: Version, number: EventNumber) -> Bytes {
    json!({ "name": name, "version": version.0, "number": number.0 }).to_string().into()
}

/// Why a text cannot be a model's name, if it cannot.
pub fn misfit_of_name(name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = (1..=MODEL_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain);
    let rule =
        format!("A model's name is 1 to {MODEL_NAME_BYTES_MAX} letters, digits, `-` and `_`");
    (!fits).then(|| format!("{rule}, and not {}.", shown(name)))
}

/// A model's name out of its part of a path.
pub(crate) fn name_of_path(part: &str) -> Result<String, Problem> {
    let name = stream_of_path(part).map_err(|problem| problem.at("parameter model"))?;
    match misfit_of_name(&name) {
        Some(misfit) => Err(invalid("model", misfit)),
        None => Ok(name),
    }
}

/// What GET /v1/state/{model}/{id} asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadState {
    pub(crate) model: String,
    pub(crate) id: String,
    pub(crate) until: Until,
    /// The other side of a difference.
    pub(crate) diff: Option<Until>,
}

impl ReadState {
    /// Reads what the path has behind `/v1/state/`, and a query string.
    pub(crate) fn parse(rest: &str, query: Option<&str>) -> Result<ReadState, Problem> {
        let params = Params::read(query, &STATE_PARAMETERS)?;
        let (model, id) = rest.split_once('/').unwrap_or((rest, ""));
        let model = name_of_path(model)?;
        let id = stream_of_path(id).map_err(|problem| problem.at("parameter id"))?;
        let chars = id.chars().count();
        if chars > ID_CHARS_MAX {
            let rule = format!("An id has at most {ID_CHARS_MAX} characters, not {chars}.");
            return Err(invalid("id", rule));
        }
        let version = params.number("version")?.map(Version);
        let at = params.one("at")?.map(|text| moment("at", text)).transpose()?;
        let diff = params.one("diff")?.map(point).transpose()?;
        Ok(ReadState { model, id, until: Until { version, at }, diff })
    }

    /// The stream of the entity, which is of the model's category.
    pub(crate) fn stream(&self, category: &str) -> Result<Label, Problem> {
        let stream = format!("{category}-{}", self.id);
        match misfit_of_stream(&stream) {
            Some(misfit) => Err(invalid("id", misfit)),
            None => Ok(Label::new(stream)),
        }
    }
}

/// A version, or a moment: a moment has other letters than digits.
fn point(text: &str) -> Result<Until, Problem> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Until { version: Some(Version(whole("diff", text)?)), at: None });
    }
    Ok(Until { version: None, at: Some(moment("diff", text)?) })
}

/// One side of a difference, or all of an answer.
#[derive(Serialize)]
struct Side<'a> {
    version: u64,
    number: u64,
    recorded: Option<String>,
    state: &'a RawValue,
}

#[derive(Serialize)]
struct OneState<'a> {
    model: &'a str,
    id: &'a str,
    stream: &'a str,
    #[serde(flatten)]
    side: Side<'a>,
}

#[derive(Serialize)]
struct Difference<'a> {
    model: &'a str,
    id: &'a str,
    stream: &'a str,
    from: Side<'a>,
    to: Side<'a>,
    diff: json_patch::Patch,
}

/// A state as an answer.
pub(crate) fn write_state(
    ask: &ReadState,
    stream: &Label,
    found: &StateAt,
) -> Result<Bytes, Problem> {
    let (model, id, stream) = (ask.model.as_str(), ask.id.as_str(), stream.as_str());
    Ok(written(&OneState { model, id, stream, side: side(found)? }).into())
}

/// The difference between two states as an answer. It takes time with the size of the states.
pub(crate) fn write_difference(
    ask: &ReadState,
    stream: &Label,
    (from, to): (&StateAt, &StateAt),
) -> Result<Bytes, Problem> {
    let (before, after) = (value(from)?, value(to)?);
    let difference = Difference {
        model: &ask.model,
        id: &ask.id,
        stream: stream.as_str(),
        from: side(from)?,
        to: side(to)?,
        diff: json_patch::diff(&before, &after),
    };
    Ok(written(&difference).into())
}

fn written<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let written = serde_json::to_writer(&mut out, value);
    assert!(written.is_ok(), "texts, numbers and what is JSON already can be written to memory");
    out
}

fn side(found: &StateAt) -> Result<Side<'_>, Problem> {
    let state = serde_json::from_slice(&found.state).map_err(|error| no_json(&error))?;
    let recorded = found.recorded.and_then(time::text_of);
    Ok(Side { version: found.version.0, number: found.number.0, recorded, state })
}

fn value(found: &StateAt) -> Result<Value, Problem> {
    serde_json::from_slice(&found.state).map_err(|error| no_json(&error))
}

fn no_json(error: &serde_json::Error) -> Problem {
    Problem::new(Kind::Internal, format!("A fold gave a state that is no JSON: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_a_category_and_one_way() {
        let read = |text: &str| Definition::read(text.as_bytes());
        let merge = read(r#"{"category":"profile","merge":true,"javascript":null}"#).unwrap();
        assert_eq!(merge, Definition { category: "profile".into(), program: Program::Merge });
        let script = read(r#"{"category":"a","javascript":"x","merge":false}"#).unwrap();
        assert_eq!(script.program, Program::JavaScript("x".into()));
        for (wrong, at) in [
            ("{}", None),
            (r#"{"category":"a"}"#, None),
            (r#"{"category":"a","merge":true,"javascript":"x"}"#, None),
            (r#"{"merge":true}"#, None),
            (r#"{"category":"a-b","merge":true}"#, Some("/category")),
            (r#"{"category":"","merge":true}"#, Some("/category")),
            (r#"{"category":1,"merge":true}"#, Some("/category")),
            (r#"{"category":"a","merge":1}"#, Some("/merge")),
            (r#"{"category":"a","javascript":[]}"#, Some("/javascript")),
            (r#"{"category":"a","merge":true,"sql":"x"}"#, Some("/sql")),
            ("[]", None),
        ] {
            let problem = read(wrong).unwrap_err();
            assert_eq!((problem.kind(), problem.place()), (Kind::InvalidBody, at), "{wrong}");
        }
        let long = json!({ "category": "a", "javascript": "x".repeat(SCRIPT_BYTES_MAX + 1) });
        assert_eq!(read(&long.to_string()).unwrap_err().place(), Some("/javascript"));
    }

    #[test]
    fn a_definition_comes_back_from_the_store_as_it_was() {
        for program in [Program::Merge, Program::JavaScript("export \"é\"\n".into())] {
            let definition = Definition { category: "account".into(), program };
            let stored: Stored = serde_json::from_slice(&definition.data("a")).unwrap();
            let again = match stored.javascript {
                None => Program::Merge,
                Some(source) => Program::JavaScript(source.into()),
            };
            assert_eq!(
                (again, stored.merge),
                (definition.program.clone(), definition.program == Program::Merge)
            );
        }
    }

    #[test]
    fn names_and_ids_are_read_from_paths() {
        for good in ["a", "Account_2", "a-b", &"x".repeat(100)] {
            assert_eq!(name_of_path(good).unwrap(), good);
        }
        for bad in ["", ".", "..", "a.b", "a%20b", "%24a", "%ff", &"x".repeat(101)] {
            assert_eq!(name_of_path(bad).unwrap_err().place(), Some("parameter model"), "{bad}");
        }
        let read = ReadState::parse("account/a%2Fb%20c", None).unwrap();
        assert_eq!((read.model.as_str(), read.id.as_str()), ("account", "a/b c"));
        assert_eq!(read.stream("account").unwrap().as_str(), "account-a/b c");
        for bad in ["account", "account/", "account/%00"] {
            assert_eq!(ReadState::parse(bad, None).unwrap_err().place(), Some("parameter id"));
        }
        let long = ReadState::parse(&format!("m/{}", "x".repeat(200)), None).unwrap();
        assert!(long.stream(&"a".repeat(823)).is_ok() && long.stream(&"a".repeat(824)).is_err());
        assert!(ReadState::parse(&format!("m/{}", "x".repeat(201)), None).is_err());
    }

    #[test]
    fn a_point_is_a_version_or_a_moment() {
        let read = |query: &str| ReadState::parse("m/1", Some(query));
        let both = read("version=7&at=1970-01-01T00:00:01Z").unwrap();
        assert_eq!(both.until, Until { version: Some(Version(7)), at: Some(Stamp(1000)) });
        let version = Until { version: Some(Version(3)), at: None };
        assert_eq!(read("diff=3").unwrap().diff, Some(version));
        let at = Until { version: None, at: Some(Stamp(0)) };
        assert_eq!(read("diff=1970-01-01T00:00:00Z").unwrap().diff, Some(at));
        for (bad, at) in
            [("diff=x", "diff"), ("diff=-1", "diff"), ("at=5", "at"), ("version=x", "version")]
        {
            assert_eq!(
                read(bad).unwrap_err().place(),
                Some(format!("parameter {at}").as_str()),
                "{bad}"
            );
        }
        assert_eq!(read("from=1").unwrap_err().kind(), Kind::UnknownParameter);
    }

    fn state(version: u64, json: &'static str) -> StateAt {
        let recorded = (version > 0).then_some(Stamp(version * 1000));
        let (number, state) = (EventNumber(version * 2), Bytes::from_static(json.as_bytes()));
        StateAt { version: Version(version), number, recorded, state, end: EventNumber(99) }
    }

    #[test]
    fn a_state_stays_as_the_fold_wrote_it() {
        let ask = ReadState::parse("m/1", None).unwrap();
        let written =
            write_state(&ask, &Label::new("c-1"), &state(2, r#"{"z":1.10,"a":1e2}"#)).unwrap();
        let golden = concat!(
            r#"{"model":"m","id":"1","stream":"c-1","version":2,"number":4,"#,
            r#""recorded":"1970-01-01T00:00:02.000Z","state":{"z":1.10,"a":1e2}}"#,
        );
        assert_eq!(str::from_utf8(&written).unwrap(), golden);
        let first = write_state(&ask, &Label::new("c-1"), &state(0, "null")).unwrap();
        assert!(
            str::from_utf8(&first).unwrap().contains(r#""number":0,"recorded":null,"state":null"#)
        );
    }

    #[test]
    fn a_difference_is_a_patch_from_one_side_to_the_other() {
        let ask = ReadState::parse("m/1", None).unwrap();
        let (from, to) = (state(1, r#"{"a":1,"b":[1,2]}"#), state(3, r#"{"a":2,"b":[1],"c":{}}"#));
        let written = write_difference(&ask, &Label::new("c-1"), (&from, &to)).unwrap();
        let written: Value = serde_json::from_slice(&written).unwrap();
        assert_eq!((&written["from"]["version"], &written["to"]["number"]), (&1.into(), &6.into()));
        let mut patched = written["from"]["state"].clone();
        let patch: json_patch::Patch = serde_json::from_value(written["diff"].clone()).unwrap();
        json_patch::patch(&mut patched, &patch).unwrap();
        assert_eq!(patched, written["to"]["state"]);
        assert_eq!(patch.0.len(), 3);
    }
}
