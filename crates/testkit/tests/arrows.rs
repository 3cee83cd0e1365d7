//! The floors, held: who may depend on whom, what floor 0 may not know, how long things may be.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each crate of ours with those that it may know, by the name of its folder.
const FLOORS: [(&str, &[&str]); 11] = [
    ("core", &[]),
    ("client", &[]),
    ("fold", &[]),
    ("index", &["core"]),
    ("engine", &["core", "index"]),
    ("store", &["core", "engine"]),
    ("aws", &["core", "engine"]),
    ("native", &["core", "engine"]),
    ("lineside", &["core", "index", "engine", "store", "aws", "native", "fold", "client"]),
    ("testkit", &["core", "index", "engine", "store"]),
    ("bench", &["core", "engine", "store", "aws"]),
];

/// What floor 0 takes from outside: nothing that does input or output.
const CORE_TAKES: [&str; 3] = ["bytes", "minicbor", "siphasher"];

/// What floor 0 may not say: clocks, executors, chance, and collections whose order is chance.
const CORE_SAYS_NOT: [&str; 12] = [
    "tokio",
    "futures",
    "async",
    "await",
    "Instant",
    "SystemTime",
    "rand",
    "HashMap",
    "HashSet",
    "Mutex",
    "println",
    "eprintln",
];

/// Parts of the standard library that floor 0 may not enter: clocks, files, sockets, threads.
const CORE_ENTERS_NOT: [&str; 6] =
    ["std::time", "std::fs", "std::net", "std::thread", "std::env", "std::process"];

/// Vendors and their products; floors 0 and 1 speak of none of them, faces do.
const VENDORS: [&str; 13] = [
    "aws",
    "amazon",
    "sqs",
    "sns",
    "lambda",
    "eventbridge",
    "azure",
    "microsoft",
    "servicebus",
    "service_bus",
    "eventgrid",
    "event_grid",
    "botocore",
];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("metadata is JSON")
}

/// The folder's name of one of our packages.
fn short(package: &str) -> &str {
    package.strip_prefix("lineside-").unwrap_or(package)
}

/// A package's dependencies: its name, and whether it is for tests only.
fn dependencies(package: &Value) -> Vec<(String, bool)> {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    let one = |dependency: &Value| {
        let name = dependency["name"].as_str().expect("a name").to_owned();
        (name, dependency["kind"] == "dev")
    };
    dependencies.iter().map(one).collect()
}

/// What is wrong with the arrows of one package.
fn wrong_arrows(package: &Value) -> Vec<String> {
    let name = short(package["name"].as_str().expect("a name"));
    let Some((_, allowed)) = FLOORS.iter().find(|(floor, _)| *floor == name) else {
        return vec![format!("{name} is on no floor")];
    };
    let mut wrong = Vec::new();
    for (dependency, is_dev) in dependencies(package) {
        let ours = short(&dependency);
        let is_ours = FLOORS.iter().any(|(floor, _)| *floor == ours);
        // A crate may name itself to switch features on for its tests.
        let for_tests = is_dev && (ours == name || ours == "testkit");
        if is_ours && !for_tests && !allowed.contains(&ours) {
            wrong.push(format!("{name} depends on {ours}"));
        }
        if name == "core" && !is_ours && !is_dev && !CORE_TAKES.contains(&dependency.as_str()) {
            wrong.push(format!("floor 0 depends on {dependency}"));
        }
    }
    wrong
}

#[test]
fn arrows_point_down() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    assert_eq!(packages.len(), FLOORS.len(), "a floor without a crate");
    let wrong: Vec<String> = packages.iter().flat_map(wrong_arrows).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn an_arrow_that_points_up_is_seen() {
    let package = |name: &str, dependency: &str, kind: Value| {
        let dependency = serde_json::json!({ "name": dependency, "kind": kind });
        serde_json::json!({ "name": name, "dependencies": [dependency] })
    };
    let wrong = |name, dependency, kind| wrong_arrows(&package(name, dependency, kind)).len();
    assert_eq!(wrong("lineside-core", "lineside-engine", Value::Null), 1);
    assert_eq!(wrong("lineside-aws", "lineside-store", Value::Null), 1);
    assert_eq!(wrong("lineside", "lineside-testkit", Value::Null), 1);
    assert_eq!(wrong("lineside", "lineside-testkit", "dev".into()), 0);
    assert_eq!(wrong("lineside-store", "lineside-aws", "dev".into()), 1);
    assert_eq!(wrong("lineside-core", "tokio", Value::Null), 1);
    assert_eq!(wrong("lineside-elsewhere", "bytes", Value::Null), 1);
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The files of the named folders of all crates.
fn all_sources(folders: &[&str]) -> Vec<PathBuf> {
    let crates = FLOORS.iter().map(|(floor, _)| root().join("crates").join(floor));
    crates.flat_map(|path| folders.iter().flat_map(move |f| sources(&path.join(f)))).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A line without its comment and without what stands in quotation marks.
fn code_of(line: &str) -> String {
    let mut code = String::new();
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for letter in line.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if before == '/' && !quoted => {
                code.pop();
                return code;
            }
            _ if quoted => {}
            _ => code.push(letter),
        }
        before = letter;
    }
    code
}

/// The words of a line of code.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

fn impure_words(code: &str) -> Vec<&str> {
    let paths = CORE_ENTERS_NOT.iter().copied().filter(|path| code.contains(path));
    words(code).filter(|word| CORE_SAYS_NOT.contains(word)).chain(paths).collect()
}

/// Words of which a part is a vendor's name.
fn vendor_words(code: &str) -> Vec<&str> {
    let names_one = |word: &&str| {
        let lower = word.to_lowercase();
        let parts = lower.split('_').any(|part| VENDORS.contains(&part));
        let starts = VENDORS.iter().any(|vendor| vendor.len() > 3 && lower.contains(vendor));
        let camel = ["Aws", "Sqs", "Sns"].iter().any(|vendor| word.contains(vendor));
        parts || starts || camel
    };
    words(code).filter(names_one).collect()
}

/// Where in the files of a crate a scan finds something.
fn found_in(floor: &str, scan: fn(&str) -> Vec<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources(&root().join("crates").join(floor).join("src")) {
        let file = path.strip_prefix(root()).unwrap_or(&path).display();
        for (number, line) in read(&path).lines().enumerate() {
            let code = code_of(line);
            let words = scan(&code);
            if !words.is_empty() {
                found.push(format!("{file}:{}: {words:?}", number + 1));
            }
        }
    }
    found
}

#[test]
fn floor_0_is_pure() {
    // Its tests may look at a clock: some of them measure.
    let is_test = |found: &String| found.contains("/tests/") || found.contains("/tests.rs:");
    let found = found_in("core", impure_words).into_iter().filter(|found| !is_test(found));
    assert_eq!(found.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn only_faces_know_vendors() {
    for floor in ["core", "engine", "store"] {
        assert_eq!(found_in(floor, vendor_words), Vec::<String>::new());
    }
}

#[test]
fn words_are_seen_in_code_and_not_in_comments() {
    assert_eq!(impure_words(&code_of("use std::time::Instant; // fine")), ["Instant", "std::time"]);
    assert!(impure_words(&code_of("let a = \"tokio\"; // HashMap")).is_empty());
    assert!(impure_words(&code_of("mod random; let time = random_access(instant);")).is_empty());
    assert_eq!(vendor_words(&code_of("struct SqsQueue; fn to_aws() {}")), ["SqsQueue", "to_aws"]);
    assert_eq!(vendor_words(&code_of("let a = AzureQueue::new(\"aws/x\");")), ["AzureQueue"]);
    assert!(vendor_words(&code_of("let laws = answers(); /// SQS quotas")).is_empty());
}

/// Functions that are too long, by their first lines. In formatted code a function ends with a
/// brace under the beginning of its first line.
fn long_functions(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_fn = words(code).take_while(|word| !word.is_empty()).any(|word| word == "fn")
            || code.starts_with("pub(") && code.contains(" fn ");
        if !is_fn || code.starts_with("//") || code.ends_with(['}', ';', ',']) {
            continue;
        }
        let indent = line.len() - code.len();
        let brace = format!("{}}}", " ".repeat(indent));
        let length = lines.iter().skip(start).position(|line| *line == brace);
        if let Some(length) = length.filter(|len| len + 1 > FUNCTION_LINES_MAX) {
            long.push(format!("{} lines: {code}", length + 1));
        }
    }
    long
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let of = |path: &PathBuf| long_functions(&read(path)).into_iter();
    let sources = all_sources(&["src", "tests"]);
    let long = sources.iter().flat_map(|path| of(path).map(|f| format!("{}: {f}", path.display())));
    assert_eq!(long.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_file_is_long() {
    for path in all_sources(&["src", "tests"]) {
        if path.components().any(|part| part.as_os_str() == "generated") {
            continue;
        }
        let lines = read(&path).lines().count();
        assert!(lines <= FILE_LINES_MAX, "{}: {lines} lines", path.display());
    }
}

#[test]
fn a_long_function_is_seen() {
    let function = |lines: usize| {
        let body = "        let a = 1;\n".repeat(lines);
        format!("impl A {{\n    pub(super) fn long(\n    ) {{\n{body}    }}\n    fn b() {{}}\n}}\n")
    };
    assert_eq!(long_functions(&function(70)).len(), 1);
    assert_eq!(long_functions(&function(FUNCTION_LINES_MAX - 3)).len(), 0);
    assert_eq!(long_functions(&function(FUNCTION_LINES_MAX - 2)).len(), 1);
    assert!(!all_sources(&["src"]).is_empty());
}
