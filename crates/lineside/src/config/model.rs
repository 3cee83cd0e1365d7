//! A declared model, and what makes it be there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lineside_native::bounds::SCRIPT_BYTES_MAX;
use lineside_native::face::Native;
use lineside_native::model::{Definition, Program};
use lineside_native::problem::Problem;

use super::declare::{Declarations, Outcome, Trouble};
use super::yaml::{Complaint, Entry, Mark, Node};

/// A model as the file says it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declared {
    pub(crate) mark: Mark,
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) folds: Folds,
}

/// How it comes to a state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Folds {
    Merge,
    /// By the module in this file.
    File(PathBuf),
    /// By this module.
    Module(String),
}

/// Modules by the files that they are in, when those are not files of this machine.
pub(crate) type Modules = BTreeMap<PathBuf, String>;

impl Declared {
    /// Reads a model that the table has let through, of a file in this directory.
    pub(super) fn read(entry: &Entry, directory: Option<&Path>) -> Declared {
        let text = |key: &str| entry.value.get(key).and_then(Node::text);
        let file = text("javascript").map(|path| match directory {
            Some(directory) => directory.join(path),
            None => path.into(),
        });
        let folds = match (file, text("module")) {
            (Some(file), _) => Folds::File(file),
            (None, Some(module)) => Folds::Module(module.to_owned()),
            (None, None) => Folds::Merge,
        };
        let category = text("category").unwrap_or_default().to_owned();
        Declared { mark: entry.mark, name: entry.key.clone(), category, folds }
    }

    /// Makes it be so, or only says whether it is, if this is a plan.
    async fn declare(
        &self,
        native: &Native,
        (is_plan, modules): (bool, Option<&Modules>),
    ) -> Result<Step, Trouble> {
        let program = self.program(modules).map_err(Trouble::Mistake)?;
        let definition = Definition { category: self.category.clone(), program };
        let found = native.defined(&self.name).await.map_err(trouble)?;
        let step = match found {
            Some(model) if model.definition == definition => return Ok(Step::Nothing),
            Some(_) => Step::Changed,
            None => Step::Made,
        };
        if !is_plan {
            native.define(&self.name, &definition).await.map_err(trouble)?;
        }
        Ok(step)
    }
}

impl Declared {
    fn program(&self, modules: Option<&Modules>) -> Result<Program, String> {
        Ok(match (&self.folds, modules) {
            (Folds::Merge, _) => Program::Merge,
            (Folds::Module(module), _) => Program::JavaScript(module.as_str().into()),
            (Folds::File(path), None) => Program::JavaScript(script(path)?.into()),
            (Folds::File(path), Some(modules)) => match modules.get(path) {
                Some(module) => Program::JavaScript(module.as_str().into()),
                None => return Err(format!("the module {} was not sent", path.display())),
            },
        })
    }
}

/// What was done about a model, or would be.
enum Step {
    Nothing,
    Made,
    Changed,
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn trouble(problem: Problem) -> Trouble {
    let why = problem.detail().to_owned();
    if problem.kind().is_retryable() { Trouble::Unable(why) } else { Trouble::Mistake(why) }
}

/// The text of a module. A longer one is not read to its end.
fn script(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let failed = |error| format!("the module {shown} cannot be read: {error}");
    let mut text = Vec::new();
    let most = u64::try_from(SCRIPT_BYTES_MAX).unwrap_or(u64::MAX);
    let file = File::open(path).map_err(failed)?;
    file.take(most.saturating_add(1)).read_to_end(&mut text).map_err(failed)?;
    if text.len() > SCRIPT_BYTES_MAX {
        return Err(format!("the module {shown} has more than {SCRIPT_BYTES_MAX} bytes"));
    }
    String::from_utf8(text).map_err(|_| format!("the module {shown} is not UTF-8"))
}

impl Declarations {
    /// Brings the declared models about, or says what would be done, if that is a plan.
    pub(super) async fn define(
        &self,
        native: &Native,
        outcome: &mut Outcome,
    ) -> Result<(), Trouble> {
        outcome.declared = outcome.declared.saturating_add(self.models.len());
        for model in &self.models {
            let place = format!("{}:{}: the model {}", self.file.display(), model.mark, model.name);
            match model.declare(native, (self.is_plan, self.modules.as_ref())).await {
                Ok(Step::Nothing) => {}
                Ok(Step::Made) => outcome.made.push(format!("model {}", model.name)),
                Ok(Step::Changed) => {
                    let name = &model.name;
                    outcome.changes.push(format!("model {name} changed to what the file says"));
                }
                Err(Trouble::Mistake(why)) => {
                    return Err(Trouble::Mistake(format!("{place}: {why}")));
                }
                Err(Trouble::Unable(why)) => {
                    return Err(Trouble::Unable(format!("{place}: {why}")));
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with the models of a file, beyond what the table sees: each has one way to fold.
pub(super) fn inspect(root: &Node) -> Vec<Complaint> {
    let models = root.get("models").map(Node::entries).unwrap_or_default();
    let misfit = |entry: &Entry| {
        let merges = entry.value.get("merge").and_then(Node::text) == Some("true");
        let modules = ["javascript", "module"].into_iter();
        let modules = modules.filter(|key| entry.value.get(key).is_some()).count();
        let rule = "a model has either `merge: true`, or `javascript: FILE`, or a `module`";
        (usize::from(merges) + modules != 1)
            .then(|| Complaint::new(entry.mark, format!("{}: {rule}", entry.key)))
    };
    models.iter().filter_map(misfit).collect()
}

pub(super) const NAME: &str = "1 to 100 letters, digits, hyphens and underscores";

/// As the API has it.
pub(super) fn check_name(text: &str) -> Result<(), String> {
    let shown = || format!("{} is not allowed: it is {NAME}", super::yaml::shown(text));
    lineside_native::model::misfit_of_name(text).map_or(Ok(()), |_| Err(shown()))
}

pub(super) const CATEGORY: &str = "what streams have before the first hyphen of their names";

/// As the API has it.
pub(super) fn check_category(text: &str) -> Result<(), String> {
    let program = Program::Merge;
    let definition = Definition { category: text.to_owned(), program };
    let shown = || format!("{} is not allowed: it is {CATEGORY}", super::yaml::shown(text));
    definition.check().map_err(|_| shown())
}

pub(super) const MODULE: &str = "a module of at most 262,144 bytes";

pub(super) fn check_module(text: &str) -> Result<(), String> {
    let fits = (1..=SCRIPT_BYTES_MAX).contains(&text.len());
    if fits { Ok(()) } else { Err(format!("it is {MODULE}")) }
}

#[cfg(test)]
mod tests {
    use super::super::{check, table, yaml};
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let root = yaml::read(text).unwrap();
        let mut complaints = check::check(&root, table::KEYS);
        if complaints.is_empty() {
            complaints = inspect(&root);
        }
        let complaints = complaints.into_iter();
        complaints.map(|Complaint { mark, what }| format!("{mark}: {what}")).collect()
    }

    #[test]
    fn a_model_is_named_and_has_one_way_to_fold() {
        let right = "models:\n  a: {category: account, javascript: a.js}\n  b-2: {category: b, merge: true}\n";
        assert_eq!(told(right), Vec::<String>::new());
        for (model, says) in [
            ("a: {category: x}", "2:3: a: a model has either"),
            ("a: {category: x, merge: false}", "a: a model has either"),
            ("a: {category: x, module: m, javascript: a.js}", "a: a model has either"),
            ("a: {category: x, merge: true, javascript: a.js}", "a: a model has either"),
            ("a: {merge: true}", "models.a: `category` is missing"),
            ("a: {category: x-y, merge: true}", "before the first hyphen"),
            ("a.b: {category: x, merge: true}", "\"a.b\" is not allowed: it is 1 to 100 letters"),
            ("a: {category: x, merg: true}", "did you mean `merge`?"),
            ("a: merge", "models.a: this is a single value"),
        ] {
            let told = told(&format!("models:\n  {model}\n"));
            assert!(told.len() == 1 && told[0].contains(says), "{told:?}");
        }
        assert!(told("models: [a]\n")[0].contains("this is a list, and should be"));
    }

    #[test]
    fn a_module_lies_beside_the_file() {
        let root = yaml::read("models: {a: {category: x, javascript: js/a.js}}\n").unwrap();
        let entry = &root.get("models").unwrap().entries()[0];
        let declared = Declared::read(entry, Some(Path::new("/srv")));
        assert_eq!(declared.folds, Folds::File(PathBuf::from("/srv/js/a.js")));
        let root = yaml::read("models: {a: {category: x, module: 'a\nb'}}\n").unwrap();
        let declared = Declared::read(&root.get("models").unwrap().entries()[0], None);
        assert!(matches!(declared.folds, Folds::Module(_)));
        assert!(script(Path::new("/nowhere/a.js")).unwrap_err().contains("cannot be read"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.js");
        std::fs::write(&path, "x".repeat(SCRIPT_BYTES_MAX + 1)).unwrap();
        assert!(script(&path).unwrap_err().contains("more than 262144 bytes"));
        std::fs::write(&path, b"\xff").unwrap();
        assert!(script(&path).unwrap_err().contains("not UTF-8"));
    }
}
