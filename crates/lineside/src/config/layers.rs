//! Default, file, environment, flag: each setting from the strongest that says it.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lineside_store::Durability;

use super::check::check;
use super::form::Form;
use super::queue::Declared;
use super::settings::{AccessKey, AuthMode, Settings};
use super::table::{self, KEYS, Key, Setting};
use super::yaml::{self, Complaint, Mark, Node};
use super::{Flags, model, near, queue, subscription};

/// A variable so like a setting's is worth a word; others of our prefix may be anybody's.
const LIKENESS_MIN: f64 = 0.9;

/// What everything comes to.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    /// Each setting with where it came from, in the table's order.
    pub(crate) values: Vec<Value>,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// What stands in it.
    pub(crate) root: Option<Node>,
    /// What is no mistake and yet worth a word.
    pub(crate) notes: Vec<String>,
}

impl Loaded {
    /// Whether the file says what is for its owner alone.
    pub(crate) fn has_secrets(&self) -> bool {
        let auth = self.root.as_ref().and_then(|root| root.get("auth"));
        auth.and_then(|auth| auth.get("keys")).is_some()
    }
}

/// A setting's value.
#[derive(Clone)]
pub(crate) struct Value {
    pub(crate) path: String,
    pub(crate) key: &'static Key,
    /// `None`: nobody says anything, and there is no default; or it is a list of the file.
    pub(crate) text: Option<OsString>,
    pub(crate) origin: Origin,
}

/// Where a value came from, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(PathBuf, Mark),
    Environment(String),
    Flag(&'static str),
}

impl Origin {
    fn strength(&self) -> u8 {
        match self {
            Origin::Default => 0,
            Origin::File(..) => 1,
            Origin::Environment(_) => 2,
            Origin::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, mark) => write!(f, "{}:{mark}", path.display()),
            Origin::Environment(name) => f.write_str(name),
            Origin::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// What is wrong, a sentence each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\nlineside: "))]
pub(crate) struct Mistakes(pub(crate) Vec<String>);

impl From<String> for Mistakes {
    fn from(mistake: String) -> Mistakes {
        Mistakes(vec![mistake])
    }
}

/// Reads what this process is told.
pub(crate) fn load(flags: &Flags) -> Result<Loaded, Mistakes> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        // A variable that is set to nothing says nothing, as where a shell hands on what it has not.
        (name.starts_with(table::PREFIX) && !value.is_empty()).then_some((name, value))
    });
    load_from(flags, &variables.collect::<Vec<_>>())
}

/// The same of given variables, whose names all begin with the prefix.
fn load_from(flags: &Flags, variables: &[(String, OsString)]) -> Result<Loaded, Mistakes> {
    let file = ReadFile::find(flags, variables)?;
    let mut sources = Sources { flags, variables, file, mistakes: Vec::new() };
    let mut settings = Settings::blank();
    let values: Vec<Value> =
        table::settings().iter().map(|setting| sources.value(setting, &mut settings)).collect();
    sources.auth(&mut settings, &values);
    sources.queues(&mut settings);
    sources.models(&mut settings);
    sources.data(&mut settings, &values);
    if !sources.mistakes.is_empty() {
        return Err(Mistakes(sources.mistakes));
    }
    let (file, root) = sources.file.map(|file| (file.path, file.root)).unzip();
    Ok(Loaded { settings, values, file, root, notes: strangers(variables) })
}

/// As many requests of an `apply` are under way as with an inbox of so many.
const SIDE_BY_SIDE: usize = 64;

/// What a text declares that came from elsewhere, as the content of a file of this name. What it says
/// of the server itself is for a start, and is left alone.
pub(crate) fn load_text(path: &Path, text: &str) -> Result<Loaded, Mistakes> {
    let file = ReadFile::of_text(path, text)?;
    let mut settings = Settings { inbox: SIDE_BY_SIDE, ..Settings::blank() };
    let flags = Flags::default();
    let sources = Sources { flags: &flags, variables: &[], file: Some(file), mistakes: Vec::new() };
    sources.queues(&mut settings);
    sources.models(&mut settings);
    let (file, root) = sources.file.map(|file| (file.path, file.root)).unzip();
    Ok(Loaded { settings, values: Vec::new(), file, root, notes: Vec::new() })
}

/// A file that passed the table.
struct ReadFile {
    path: PathBuf,
    root: Node,
}

impl ReadFile {
    fn find(flags: &Flags, variables: &[(String, OsString)]) -> Result<Option<ReadFile>, Mistakes> {
        let variable = format!("{}CONFIG", table::PREFIX);
        let from_variable = variables.iter().find(|(name, _)| *name == variable);
        let named = flags.file.clone().or(from_variable.map(|(_, path)| path.into()));
        if let Some(path) = named {
            return ReadFile::read(&path).map(Some);
        }
        let path = Path::new(table::FILE_DEFAULT);
        if path.exists() { ReadFile::read(path).map(Some) } else { Ok(None) }
    }

    fn read(path: &Path) -> Result<ReadFile, Mistakes> {
        ReadFile::of_text(path, &text_of(path)?)
    }

    /// The same of a text that is not a file here.
    fn of_text(path: &Path, text: &str) -> Result<ReadFile, Mistakes> {
        let shown = path.display();
        let told = |Complaint { mark, what }| format!("{shown}:{mark}: {what}");
        let root = yaml::read(text).map_err(told)?;
        let mut complaints = check(&root, KEYS);
        if complaints.is_empty() {
            complaints = queue::inspect(&root);
            complaints.extend(model::inspect(&root));
            complaints.extend(subscription::inspect(&root));
        }
        if !complaints.is_empty() {
            return Err(Mistakes(complaints.into_iter().map(told).collect()));
        }
        Ok(ReadFile { path: path.to_owned(), root })
    }

    /// What stands at a dotted path.
    fn at(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(&self.root, |node, name| node.get(name))
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let failed = |error| format!("the configuration file {shown} cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(yaml::BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > yaml::BYTES_MAX {
        let most = yaml::BYTES_MAX;
        return Err(format!("the configuration file {shown} has more than {most} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count().saturating_add(1);
        format!("{shown}:{line}: this is not UTF-8")
    })
}

/// Everything that says something, and what is wrong with it.
struct Sources<'a> {
    flags: &'a Flags,
    variables: &'a [(String, OsString)],
    file: Option<ReadFile>,
    mistakes: Vec<String>,
}

impl Sources<'_> {
    /// Brings a setting in from the strongest that says it.
    fn value(&mut self, setting: &Setting, settings: &mut Settings) -> Value {
        let (origin, text) = self.strongest(setting);
        if let Some(text) = &text {
            let taken = setting.check(text).and_then(|()| (setting.said.take)(settings, text));
            if let Err(why) = taken {
                self.mistakes.push(format!("{origin}: {why}"));
            }
        }
        Value { path: setting.path.clone(), key: setting.key, text, origin }
    }

    fn strongest(&self, setting: &Setting) -> (Origin, Option<OsString>) {
        if let Some(text) = self.flags.get(&setting.path) {
            return (Origin::Flag(setting.said.flag), Some(text.clone()));
        }
        let variable = setting.variable();
        if let Some((_, text)) = self.variables.iter().find(|(name, _)| *name == variable) {
            return (Origin::Environment(variable), Some(text.clone()));
        }
        if let Some(file) = &self.file
            && let Some(node) = file.at(&setting.path)
        {
            let text = node.text().map(|text| match setting.key.form {
                Form::Path(_) => from_the_file(&file.path, text),
                _ => text.into(),
            });
            return (Origin::File(file.path.clone(), node.mark), text);
        }
        let default = setting.key.default;
        (Origin::Default, (!default.is_empty()).then(|| default.into()))
    }

    /// The keys of the file, if nothing stronger gave any, and whether they go with the mode.
    fn auth(&mut self, settings: &mut Settings, values: &[Value]) {
        let origin =
            values.iter().find(|value| value.path == "auth.keys").map(|value| &value.origin);
        if let (Some(Origin::File(..)), Some(file)) = (origin, &self.file) {
            let keys = file.at("auth.keys").map(Node::elements).unwrap_or_default();
            settings.auth.keys = keys.iter().map(access_key).collect();
        }
        let auth = &settings.auth;
        for (index, key) in auth.keys.iter().enumerate() {
            if auth.keys.iter().take(index).any(|before| before.id == key.id) {
                self.mistakes.push(format!("auth.keys: the id {:?} is there twice", key.id));
            }
        }
        if auth.mode == AuthMode::Sigv4 && auth.keys.is_empty() {
            let why = "auth.mode is `sigv4` and there are no keys, so nobody could call: give \
                       auth.keys in the file, or --access-key ID:SECRET";
            self.mistakes.push(why.to_owned());
        }
    }

    fn queues(&self, settings: &mut Settings) {
        let queues = self.file.as_ref().and_then(|file| file.at("queues"));
        let queues = queues.map(Node::elements).unwrap_or_default();
        settings.queues = queues.iter().map(Declared::read).collect();
        let subscriptions = self.file.as_ref().and_then(|file| file.at("subscriptions"));
        let subscriptions = subscriptions.map(Node::elements).unwrap_or_default();
        settings.subscriptions = subscriptions.iter().map(subscription::Declared::read).collect();
    }

    fn models(&self, settings: &mut Settings) {
        let Some(file) = &self.file else { return };
        let models = file.at("models").map(Node::entries).unwrap_or_default();
        let directory = file.path.parent();
        let declared = models.iter().map(|entry| model::Declared::read(entry, directory));
        settings.models = declared.collect();
    }

    /// Nothing is kept in memory, so a directory that is asked for along with it is a mistake; one
    /// that something weaker than the wish for memory names is not meant.
    fn data(&mut self, settings: &mut Settings, values: &[Value]) {
        if settings.durability != Durability::Memory {
            return;
        }
        let origin =
            |path: &str| values.iter().find(|value| value.path == path).map(|value| &value.origin);
        let data = settings.data.take();
        if let (Some(data), Some(named), Some(wish)) = (data, origin("data"), origin("durability"))
            && named.strength() >= wish.strength()
        {
            self.mistakes.push(format!(
                "durability `memory` ({wish}) keeps nothing, so {} ({named}) would not be used: \
                 leave one of the two out",
                data.display()
            ));
        }
    }
}

/// A path in a file is meant from where the file is, so that it says the same wherever one stands.
fn from_the_file(file: &Path, text: &str) -> OsString {
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory.join(text).into(),
        _ => text.into(),
    }
}

fn access_key(node: &Node) -> AccessKey {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let (id, secret) = (text("id").unwrap_or_default(), text("secret").unwrap_or_default());
    AccessKey::new(id, secret, text("account"))
}

/// Variables that nobody reads, and that are nearly one that somebody would.
fn strangers(variables: &[(String, OsString)]) -> Vec<String> {
    let file = format!("{}CONFIG", table::PREFIX);
    let known: Vec<String> =
        table::settings().iter().map(Setting::variable).chain([file]).collect();
    let suffix = |name: &str| name.strip_prefix(table::PREFIX).map(str::to_owned);
    let suffixes: Vec<String> = known.iter().filter_map(|name| suffix(name)).collect();
    let mut notes = Vec::new();
    for (name, _) in variables.iter().filter(|(name, _)| !known.contains(name)) {
        let near =
            suffix(name).and_then(|own| near::nearest(&own, suffixes.iter().map(String::as_str)));
        if let Some((near, likeness)) = near
            && likeness >= LIKENESS_MIN
        {
            let prefix = table::PREFIX;
            notes.push(format!("{name} is no setting: did you mean {prefix}{near}?"));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use lineside_core::queue::QueueKind;

    use super::super::settings::{Auth, ClockKind, LimitSet};
    use super::*;

    /// A directory with this file in it.
    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lineside.yaml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn flags(file: Option<&Path>, given: &[(&str, &str)]) -> Flags {
        let given = given.iter().map(|(path, text)| ((*path).to_owned(), text.into())).collect();
        Flags { file: file.map(Path::to_owned), given }
    }

    fn variables(given: &[(&str, &str)]) -> Vec<(String, OsString)> {
        given.iter().map(|(name, text)| ((*name).to_owned(), text.into())).collect()
    }

    fn mistakes(text: &str, given: &[(&str, &str)]) -> Vec<String> {
        let (_folder, path) = file(text);
        load_from(&flags(Some(&path), given), &[]).err().unwrap().0
    }

    fn origin(loaded: &Loaded, path: &str) -> String {
        loaded.values.iter().find(|value| value.path == path).unwrap().origin.to_string()
    }

    #[test]
    fn a_flag_is_stronger_than_a_variable_than_a_file_than_the_default() {
        let text = "inbox_requests: 10\nlimits: relaxed\nclock: steerable\n";
        let (_folder, path) = file(text);
        let variables =
            variables(&[("LINESIDE_INBOX_REQUESTS", "20"), ("LINESIDE_LIMITS", "cloud")]);
        let given = flags(Some(&path), &[("inbox_requests", "30")]);
        let loaded = load_from(&given, &variables).unwrap();
        let settings = &loaded.settings;
        assert_eq!((settings.inbox, settings.limits), (30, LimitSet::Cloud));
        assert_eq!((settings.clock, settings.listen.port()), (ClockKind::Steerable, 4566));
        assert_eq!(origin(&loaded, "inbox_requests"), "--inbox-requests");
        assert_eq!(origin(&loaded, "limits"), "LINESIDE_LIMITS");
        assert_eq!(origin(&loaded, "clock"), format!("{}:3:8", path.display()));
        assert_eq!(origin(&loaded, "listen"), "default");
    }

    #[test]
    fn every_default_passes_its_own_check() {
        for setting in table::settings() {
            let default = setting.key.default;
            if !default.is_empty() {
                assert_eq!(setting.check(OsStr::new(default)), Ok(()), "{}", setting.path);
            }
        }
        let settings = load_from(&Flags::default(), &[]).unwrap().settings;
        assert_eq!(settings.inbox, lineside_engine::engine::INBOX_MAX);
        assert_eq!(settings.state_bytes_max, lineside_engine::engine::STATE_BYTES_MAX);
        assert_eq!(settings.durability, Durability::default());
        assert_eq!(settings.auth, Auth::default());
    }

    #[test]
    fn a_path_of_a_file_is_meant_from_where_the_file_is() {
        let (folder, path) = file("data: ./kept\nready_file: /srv/ready\n");
        let settings = load_from(&flags(Some(&path), &[]), &[]).unwrap().settings;
        assert_eq!(settings.data, Some(folder.path().join("./kept")));
        assert_eq!(settings.ready_file, Some(PathBuf::from("/srv/ready")));
    }

    #[test]
    fn a_wrong_variable_is_refused_by_its_name() {
        let wrong = variables(&[("LINESIDE_LISTEN", "here"), ("LINESIDE_INBOX_REQUESTS", "0")]);
        let told = load_from(&Flags::default(), &wrong).err().unwrap().0;
        assert_eq!(told.len(), 2);
        assert!(told[0].starts_with("LINESIDE_LISTEN: \"here\" is no address"), "{told:?}");
        assert!(told[1].starts_with("LINESIDE_INBOX_REQUESTS: \"0\" is not allowed"), "{told:?}");
    }

    #[test]
    fn a_variable_that_is_nearly_a_setting_is_worth_a_word() {
        let given = variables(&[
            ("LINESIDE_LISTN", "x"),
            ("LINESIDE_SERVICE_HOST", "10.0.0.1"),
            ("LINESIDE_BIN", "x"),
            ("LINESIDE_ENDPOINT", "x"),
        ]);
        let notes = load_from(&Flags::default(), &given).unwrap().notes;
        assert_eq!(notes, ["LINESIDE_LISTN is no setting: did you mean LINESIDE_LISTEN?"]);
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let told = load_from(&flags(Some(Path::new("/not/here.yaml")), &[]), &[]).err().unwrap().0;
        assert!(told[0].contains("/not/here.yaml cannot be read: No such file"), "{told:?}");
        let by_variable = variables(&[("LINESIDE_CONFIG", "/nor/here.yaml")]);
        let told = load_from(&Flags::default(), &by_variable).err().unwrap().0;
        assert!(told[0].contains("/nor/here.yaml"), "{told:?}");
    }

    #[test]
    fn a_file_is_bounded_and_is_text() {
        let told = mistakes(&format!("#{}\n", "x".repeat(1 << 20)), &[]);
        assert!(told[0].contains("more than 1048576 bytes"), "{told:?}");
        let (_folder, path) = file("");
        std::fs::write(&path, b"data: x\nlisten: \xff\n").unwrap();
        let told = load_from(&flags(Some(&path), &[]), &[]).err().unwrap().0;
        assert!(told[0].ends_with("lineside.yaml:2: this is not UTF-8"), "{told:?}");
    }

    #[test]
    fn memory_with_a_directory_is_refused_unless_the_directory_is_the_weaker_wish() {
        let both = mistakes("data: ./d\ndurability: memory\n", &[]);
        assert!(both[0].contains("keeps nothing") && both[0].contains(":1:7"), "{both:?}");
        let (_folder, path) = file("data: ./d\n");
        let memory = flags(Some(&path), &[("durability", "memory")]);
        assert_eq!(load_from(&memory, &[]).unwrap().settings.data, None);
        let told = mistakes("durability: memory\n", &[("data", "d")]);
        assert!(told[0].contains("(--data) would not be used"), "{told:?}");
    }

    #[test]
    fn keys_come_from_the_strongest_as_a_whole() {
        let text =
            "auth:\n  mode: sigv4\n  keys:\n  - {id: A, secret: x, account: \"000000000007\"}\n";
        let (_folder, path) = file(text);
        let auth = load_from(&flags(Some(&path), &[]), &[]).unwrap().settings.auth;
        let from_file = vec![AccessKey::new("A", "x", Some("000000000007"))];
        assert_eq!(auth, Auth { mode: AuthMode::Sigv4, keys: from_file });
        let given = flags(Some(&path), &[("auth.keys", "B:y")]);
        let auth = load_from(&given, &[]).unwrap().settings.auth;
        assert_eq!(auth.keys, [AccessKey::new("B", "y", None)]);
    }

    #[test]
    fn signatures_without_keys_and_keys_of_one_id_are_refused() {
        let told = mistakes("auth: {mode: sigv4}\n", &[]);
        assert!(told[0].contains("there are no keys"), "{told:?}");
        let told = mistakes("auth: {keys: [{id: a, secret: x}, {id: a, secret: y}]}\n", &[]);
        assert_eq!(told, ["auth.keys: the id \"a\" is there twice"]);
    }

    #[test]
    fn queues_are_read_as_they_are_said() {
        let text = "queues:\n- {name: a.fifo, wait_seconds: 5}\n- {name: b, tags: {x: y}}\n";
        let (_folder, path) = file(text);
        let queues = load_from(&flags(Some(&path), &[]), &[]).unwrap().settings.queues;
        assert_eq!(queues[0].address(), ("000000000000", "us-east-1", "a.fifo"));
        assert_eq!((queues[0].kind, queues[0].given.wait_seconds), (QueueKind::Fifo, Some(5)));
        assert_eq!(queues[1].tags, [("x".to_owned(), "y".to_owned())]);
        assert_eq!(queues[1].given.wait_seconds, None);
    }
}
