//! /v1/models: how the events of streams become states. Definitions are events of streams of their
//! own, `$model-…`, so that their history is there as that of all else.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use lineside_core::events::{EventContent, EventRefusal, Expected, NewEvent, Query, QueryItem};
use lineside_core::id::{EventNumber, Label, Text, Version};
use lineside_core::refusal::Refusal;
use lineside_engine::events::{
    EventsFault, Fold, FoldBlock, FoldFault, FoldFaultKind, PAGE_BYTES_MAX, ReadAsk, States, Wish,
};
use lineside_engine::request::CallError;
use minicbor::bytes::ByteVec;

use super::append::fresh_id;
use super::{Answered, Native, TOKEN, answer, token_of, with, wrong_method};
use crate::model::{
    CATEGORY, DEFINED, DELETED, Definition, Model, Program, STREAM_PREFIX, misfit_of_name,
    name_of_path, write_deleted, write_models,
};
use crate::params::Params;
use crate::problem::{Kind, Problem};

/// The source of events by which the server keeps its own affairs.
const SOURCE: &str = "urn:lineside:models";
/// How often a definition is tried again when another one came in between.
const ATTEMPTS_MAX: u32 = 8;
/// Most events that one look at the definitions reads at a time.
const PAGE_EVENTS: usize = 256;

/// What the face needs to serve models and states.
#[derive(Clone)]
pub struct Folding {
    /// The states of the streams.
    pub states: States,
    /// Makes a fold of a program; cheap, nothing of the program is looked at before it folds.
    pub open: fn(&Program) -> Arc<dyn Fold>,
}

/// The newest event of a model's stream.
struct Newest {
    /// 0 if there is none.
    version: Version,
    model: Option<Model>,
    /// All events up to here were looked at.
    end: EventNumber,
}

/// What a definition came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Defined {
    /// As it is now.
    pub model: Model,
    /// Whether it was otherwise before, or not there.
    pub is_changed: bool,
    end: EventNumber,
}

impl Native {
    /// Everything at and below /v1/models.
    pub(super) async fn models(&self, rest: Option<&str>, head: &Parts, body: &Bytes) -> Answered {
        let Some(rest) = rest else {
            return match head.method {
                Method::GET => self.list_models(head).await,
                _ => Err(wrong_method("GET")),
            };
        };
        let known = [Method::GET, Method::PUT, Method::DELETE];
        if !known.contains(&head.method) {
            return Err(wrong_method("GET, PUT, DELETE"));
        }
        Params::read(head.uri.query(), &[])?;
        let name = name_of_path(rest)?;
        match head.method {
            Method::GET => {
                self.wait_for_token(&head.headers).await?;
                let newest = self.newest(&name).await?;
                Ok(answer_model(&newest.model.ok_or_else(|| missing(&name))?, newest.end))
            }
            Method::PUT => {
                let defined = self.define(&name, &Definition::read(body)?).await?;
                Ok(answer_model(&defined.model, defined.end))
            }
            _ => self.delete_model(&name).await,
        }
    }

    /// Makes a model be what is said, if it is not; what it folds from then on are all events, those
    /// before too.
    pub async fn define(&self, name: &str, definition: &Definition) -> Result<Defined, Problem> {
        let invalid =
            |at: &str, misfit| Problem::new(Kind::InvalidModel, misfit).at(format!("/{at}"));
        if let Some(misfit) = misfit_of_name(name) {
            return Err(Problem::new(Kind::InvalidParameter, misfit));
        }
        definition.check().map_err(|(at, misfit)| invalid(at, misfit))?;
        let mut is_changed = false;
        for _ in 0..ATTEMPTS_MAX {
            let Newest { version, model, end } = self.newest(name).await?;
            if let Some(model) = model.filter(|model| model.definition == *definition) {
                return Ok(Defined { model, is_changed, end });
            }
            if !is_changed {
                self.try_out(&definition.program).await?;
            }
            let data = Some(definition.data(name));
            is_changed |= self.append_definition(name, DEFINED, data, version).await?.is_some();
        }
        Err(contested(name))
    }

    /// The model of this name as it is defined now.
    pub async fn defined(&self, name: &str) -> Result<Option<Model>, Problem> {
        Ok(self.newest(name).await?.model)
    }

    /// Loads a program, and makes its first state.
    async fn try_out(&self, program: &Program) -> Result<(), Problem> {
        let fold = (self.folding.open)(program);
        let spent = std::time::Duration::ZERO;
        let block = FoldBlock { from: None, events: Vec::new(), spent };
        fold.fold(block).await.map(drop).map_err(|fault| of_program(&fault))
    }

    async fn delete_model(&self, name: &str) -> Answered {
        for _ in 0..ATTEMPTS_MAX {
            let Newest { version, model, .. } = self.newest(name).await?;
            model.ok_or_else(|| missing(name))?;
            let done = self.append_definition(name, DELETED, None, version).await?;
            if let Some((version, number)) = done {
                let body = write_deleted(name, version, number);
                let response = answer(StatusCode::OK, "application/json", body);
                return Ok(with(response, TOKEN, &token_of(number)));
            }
        }
        Err(contested(name))
    }

    /// Appends to a model's stream, if it still has this version; none if it has not.
    async fn append_definition(
        &self,
        name: &str,
        kind: &str,
        data: Option<Vec<u8>>,
        version: Version,
    ) -> Result<Option<(Version, EventNumber)>, Problem> {
        let stream = stream_of(name);
        let (id, kind) = (Label::new(fresh_id()), Label::new(kind));
        let mut content = EventContent::new(id, Text::new(SOURCE), kind);
        content.content_type = data.as_ref().map(|_| Text::new("application/json"));
        content.is_text = data.is_some();
        content.data = data.map(ByteVec::from);
        let event =
            NewEvent { stream: stream.clone(), tags: Vec::new(), correlation: None, content };
        let expected = vec![(stream, Expected::At(version))];
        let wish = Wish { events: [event].into(), expected, boundary: None, unless: None };
        match self.events.append(&wish).await {
            Ok(reply) => Ok(Some((version.next(), reply.last))),
            Err(EventsFault::Call(CallError::Refused(Refusal::Events(EventRefusal::Moved(_))))) => {
                Ok(None)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// The model of this name.
    pub(super) async fn model(&self, name: &str) -> Result<Model, Problem> {
        self.newest(name).await?.model.ok_or_else(|| missing(name))
    }

    async fn newest(&self, name: &str) -> Result<Newest, Problem> {
        let all = (Version(1), Version(u64::MAX));
        let page = self.events.read_stream(&stream_of(name), all, true, 1).await?;
        let Some(event) = page.events.first() else {
            return Ok(Newest { version: Version(0), model: None, end: page.end });
        };
        let (version, end) = (event.assigned.version, page.end);
        Ok(Newest { version, model: Model::read(event)?, end })
    }

    async fn list_models(&self, head: &Parts) -> Answered {
        Params::read(head.uri.query(), &[])?;
        self.wait_for_token(&head.headers).await?;
        let (models, end) = self.models_and_end().await?;
        let response = answer(StatusCode::OK, "application/json", write_models(&models));
        Ok(with(response, TOKEN, &token_of(end)))
    }

    /// All models, by name.
    pub async fn all_models(&self) -> Result<Vec<Model>, Problem> {
        Ok(self.models_and_end().await?.0)
    }

    /// Their streams are read from the newest event back, so this takes time with how often models
    /// were changed.
    async fn models_and_end(&self) -> Result<(Vec<Model>, EventNumber), Problem> {
        let category = Some(Label::new(CATEGORY));
        let query = Query::of(QueryItem { category, ..QueryItem::default() });
        let (from, mut to) = (EventNumber(1), EventNumber(u64::MAX));
        let (mut newest, mut first_end) = (BTreeMap::new(), None);
        loop {
            let (limit, bytes, query) = (PAGE_EVENTS, PAGE_BYTES_MAX, query.clone());
            let ask = ReadAsk { query, from, to, backwards: true, limit, bytes };
            let page = self.events.read(ask).await?;
            for event in &page.events {
                let stream = event.assigned.stream.clone();
                newest.entry(stream).or_insert(Model::read(event)?);
            }
            let end = *first_end.get_or_insert(page.end);
            match page.next {
                Some(next) => to = next,
                None => return Ok((newest.into_values().flatten().collect(), end)),
            }
        }
    }
}

fn stream_of(name: &str) -> Label {
    Label::new(format!("{STREAM_PREFIX}{name}"))
}

fn answer_model(model: &Model, end: EventNumber) -> http::Response<super::Body> {
    let response = answer(StatusCode::OK, "application/json", model.write());
    with(response, TOKEN, &token_of(end.max(model.number)))
}

fn missing(name: &str) -> Problem {
    Problem::new(Kind::NoSuchModel, format!("No model has the name `{name}`.")).with("model", name)
}

fn contested(name: &str) -> Problem {
    let detail = format!("The model `{name}` was changed by others each time that it was tried.");
    Problem::new(Kind::Busy, detail)
}

/// Why a program is none.
fn of_program(fault: &FoldFault) -> Problem {
    if fault.kind == FoldFaultKind::Passing {
        return super::state::of_fold(fault);
    }
    let detail = super::fault::sentence(fault);
    let problem = Problem::new(Kind::InvalidModel, detail).at("/javascript");
    super::state::placed(problem.with("reason", fault.word), fault)
}
