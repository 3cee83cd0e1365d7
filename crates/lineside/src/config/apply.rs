//! `lineside.yaml` on a running server: what it would change, changing it, and writing down what
//! there is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lineside_core::command::{Command, Description, Reply};
use lineside_core::id::Name;
use lineside_core::parts::Texts;
use lineside_engine::engine::Handle;
use lineside_engine::request::CallError;
use lineside_native::face::Native;
use lineside_native::model::Program;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::declare::{Declarations, Outcome, Trouble, words};
use super::layers::{Mistakes, load_text};
use super::model::{Folds, Modules};

/// A page of names.
const PAGE: usize = 1000;

/// A file on its way to a server, with the files that it names.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// How the file is called where it comes from.
    pub(crate) file: PathBuf,
    /// What is in it.
    pub(crate) text: String,
    /// The modules of models, by the files that they are in.
    #[serde(default)]
    pub(crate) modules: Modules,
    /// Only says what would be done.
    #[serde(default)]
    pub(crate) plan: bool,
}

/// What was done, or would be.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Done {
    /// How many things the file declares.
    pub(crate) declared: usize,
    /// What was not there.
    pub(crate) made: Vec<String>,
    /// What was set otherwise.
    pub(crate) changed: Vec<String>,
}

/// Does what a file says; the error is a sentence for who wrote it.
pub(crate) async fn apply(
    wish: Wish,
    engine: &Handle,
    native: Option<&Native>,
) -> Result<Done, Trouble> {
    let loaded = load_text(&wish.file, &wish.text);
    let loaded = loaded.map_err(|mistakes| Trouble::Mistake(mistakes.to_string()))?;
    let mut declarations = Declarations::of(&loaded);
    declarations.is_plan = wish.plan;
    declarations.modules = Some(wish.modules);
    let mut outcome = declarations.declare(engine).await?;
    match native {
        Some(native) => declarations.beside(native, &mut outcome).await?,
        None if declarations.has_more_than_queues() => {
            let why = "events cannot be served at the moment, see the server's log";
            return Err(Trouble::Unable(why.to_owned()));
        }
        None => {}
    }
    let Outcome { declared, made, changes } = outcome;
    Ok(Done { declared, made, changed: changes })
}

/// The files with modules that the models of a file name.
pub(crate) fn modules_of(file: &Path, text: &str) -> Result<Vec<PathBuf>, Mistakes> {
    let models = load_text(file, text)?.settings.models.into_iter();
    Ok(models
        .filter_map(|model| match model.folds {
            Folds::File(path) => Some(path),
            Folds::Merge | Folds::Module(_) => None,
        })
        .collect())
}

/// A file that declares all that there is.
pub(crate) async fn export(engine: &Handle, native: Option<&Native>) -> Result<String, Trouble> {
    let mut out = String::new();
    let queues = queues(engine).await.map_err(|error| Trouble::Unable(error.to_string()))?;
    section(&mut out, "queues", &queues);
    if let Some(native) = native {
        let found = native.all_subscriptions().await;
        let found = found.map_err(|problem| Trouble::Unable(problem.detail().to_owned()))?;
        let models = native.all_models().await;
        let models = models.map_err(|problem| Trouble::Unable(problem.detail().to_owned()))?;
        if !models.is_empty() {
            out.push_str("models:\n");
        }
        for model in &models {
            let category = text(&model.definition.category);
            let _ = write!(out, "  {}:\n    category: {category}\n", model.name);
            let _ = match &model.definition.program {
                Program::Merge => writeln!(out, "    merge: true"),
                Program::JavaScript(module) => writeln!(out, "    module: {}", text(module)),
            };
        }
        section(&mut out, "subscriptions", &found.iter().map(subscription).collect::<Vec<_>>());
    }
    Ok(out)
}

/// Keys of one thing with their values, in JSON, which YAML understands.
type Keys = Vec<(&'static str, String)>;

fn section(out: &mut String, name: &str, all: &[Keys]) {
    if all.is_empty() {
        return;
    }
    let _ = writeln!(out, "{name}:");
    for keys in all {
        for (index, (key, value)) in keys.iter().enumerate() {
            let dash = if index == 0 { "-" } else { " " };
            let _ = writeln!(out, "  {dash} {key}: {value}");
        }
    }
}

async fn queues(engine: &Handle) -> Result<Vec<Keys>, CallError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let prefix = Name::new("aws/");
        let list = Command::ListQueues { prefix, after, limit: PAGE };
        let Reply::Names { names, more } = engine.call(list).await? else { return Ok(all) };
        for name in &names {
            let described = engine.call(Command::DescribeQueue { name: name.clone() }).await;
            // One that is deleted meanwhile is not there.
            let Ok(Reply::Description(description)) = described else { continue };
            let tags = match engine.call(Command::ListTags { name: name.clone() }).await {
                Ok(Reply::Tags(tags)) => tags,
                _ => Texts::default(),
            };
            all.push(queue(name, &description, &tags));
        }
        match names.last() {
            Some(last) if more => after = Some(last.clone()),
            _ => return Ok(all),
        }
    }
}

/// What a queue is set to, where that is not what it would be anyway.
fn queue(name: &Name, description: &Description, tags: &Texts) -> Keys {
    let mut parts = name.as_str().split('/').skip(1);
    let mut part = |default: &str| {
        let part = parts.next().unwrap_or_default().to_owned();
        (part != default).then_some(part)
    };
    let (account, region) =
        (part(lineside_aws::DEFAULT_ACCOUNT), part(lineside_aws::DEFAULT_REGION));
    let short = name.as_str().rsplit('/').next().unwrap_or_default();
    let mut keys = vec![("name", text(short))];
    keys.extend(account.map(|account| ("account", text(&account))));
    keys.extend(region.map(|region| ("region", text(&region))));
    let defaults = words(&lineside_core::queue::QueueSettings::default());
    let own = words(&description.settings).into_iter().zip(defaults);
    keys.extend(own.filter(|(own, default)| own != default).map(|(own, _)| own).filter(
        |(key, _)| {
            // These are written below.
            *key != "dead_letter"
        },
    ));
    if let Some(rule) = &description.settings.dead_letter {
        let target = text(rule.target.as_str().rsplit('/').next().unwrap_or_default());
        let rule = format!("{{queue: {target}, max_receives: {}}}", rule.receives_max);
        keys.push(("dead_letter", rule));
    }
    if !tags.is_empty() {
        let tags = tags.iter().map(|(key, value)| {
            (key.as_str().to_owned(), Value::String(value.as_str().to_owned()))
        });
        keys.push(("tags", Value::Object(tags.collect()).to_string()));
    }
    keys
}

/// A subscription as the file says it, of what its wire form says.
fn subscription(one: &Value) -> Keys {
    let mut keys: Keys = Vec::new();
    let get = |key: &str| one.get(key).filter(|value| !value.is_null());
    keys.extend(get("name").map(|name| ("name", name.to_string())));
    match get("query") {
        Some(Value::Array(any)) if any.is_empty() => {}
        Some(any @ Value::Array(_)) => keys.push(("any", any.to_string())),
        item => {
            for key in ["types", "tags", "stream", "category", "correlation"] {
                let value = item.and_then(|item| item.get(key));
                keys.extend(value.map(|value| (key, value.to_string())));
            }
        }
    }
    let from = get("from").filter(|from| from.as_u64() != Some(1));
    keys.extend(from.map(|from| ("from", from.to_string())));
    for key in ["queue", "workers"] {
        keys.extend(get(key).map(|value| (key, value.to_string())));
    }
    keys
}

fn text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
