//! What a key takes: the check of a text, wherever it came from, and the words that say what is
//! allowed.

use std::ffi::OsStr;

use super::table::Key;

/// The form of a key's value.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A file or a directory; in a file it is meant from that file's directory.
    Path(PathOf),
    /// One of these words, each with its meaning.
    Words(&'static [(&'static str, &'static str)]),
    /// A whole number within these bounds.
    Whole { least: u64, most: u64 },
    /// `true` or `false`.
    Switch,
    /// Anything that passes the check.
    Text(Text),
    /// Free names with free texts, at most so many.
    Texts { most: usize, check: fn(&str, &str) -> Result<(), String> },
    /// One of these words, or a list of names, at most so many.
    WordsOrNames { words: &'static [(&'static str, &'static str)], most: usize, name: Text },
    /// A section.
    Group(&'static [Key]),
    /// A section, or the word `none`.
    GroupOrNone(&'static [Key]),
    /// A list of sections.
    List(&'static [Key]),
    /// Sections under names that are free within a rule, at most so many.
    Named { keys: &'static [Key], name: Text, most: usize },
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathOf {
    Directory,
    File,
}

/// A text with a rule.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    /// What it is, for a sentence and for the documentation.
    pub(crate) what: &'static str,
    pub(crate) check: fn(&str) -> Result<(), String>,
    /// The same rule, or a looser one, for an editor that knows the schema.
    pub(crate) pattern: &'static str,
}

impl Form {
    /// Checks a text; the error says what is allowed.
    pub(crate) fn check(&self, given: &OsStr) -> Result<(), String> {
        if let Form::Path(_) = self {
            return if given.is_empty() { Err("a path is not empty".to_owned()) } else { Ok(()) };
        }
        let text = given.to_str().ok_or("this is not UTF-8")?;
        match self {
            Form::Words(words) | Form::WordsOrNames { words, .. }
                if words.iter().any(|(word, _)| *word == text) =>
            {
                Ok(())
            }
            Form::Whole { least, most } => whole(text, *least, *most),
            Form::Switch if matches!(text, "true" | "false") => Ok(()),
            Form::Text(rule) => (rule.check)(text),
            _ => Err(format!(
                "{} is not allowed: it is {}",
                super::yaml::shown(text),
                self.allowed()
            )),
        }
    }

    /// What is allowed, in a few words.
    pub(crate) fn allowed(&self) -> String {
        match self {
            Form::Path(PathOf::Directory) => "a directory".to_owned(),
            Form::Path(PathOf::File) => "a file".to_owned(),
            Form::Words(words) => either(quoted(words)),
            Form::WordsOrNames { words, most, name } => {
                let list = format!("a list of up to {most}, each {}", name.what);
                either(quoted(words).into_iter().chain([list]).collect())
            }
            Form::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Form::Switch => "`true` or `false`".to_owned(),
            Form::Text(rule) => rule.what.to_owned(),
            Form::Texts { most, .. } => format!("up to {most} names with a text each"),
            Form::Group(_) => "a section of keys".to_owned(),
            Form::GroupOrNone(_) => "a section of keys, or `none`".to_owned(),
            Form::List(_) => "a list".to_owned(),
            Form::Named { most, .. } => format!("up to {most} names with a section of keys each"),
        }
    }

    /// The keys inside.
    pub(crate) fn keys(&self) -> &'static [Key] {
        match self {
            Form::Group(keys)
            | Form::GroupOrNone(keys)
            | Form::List(keys)
            | Form::Named { keys, .. } => keys,
            _ => &[],
        }
    }
}

/// Digits only: `u64::from_str` would also take a plus sign.
fn whole(text: &str, least: u64, most: u64) -> Result<(), String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number =
        text.parse::<u64>().ok().filter(|number| digits && (least..=most).contains(number));
    match number {
        Some(_) => Ok(()),
        None => Err(format!(
            "{} is not allowed: it is a whole number from {least} to {most}",
            super::yaml::shown(text)
        )),
    }
}

fn quoted(words: &[(&str, &str)]) -> Vec<String> {
    words.iter().map(|(word, _)| format!("`{word}`")).collect()
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn either(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_digits_within_its_bounds() {
        let form = Form::Whole { least: 4, most: 20 };
        for right in ["4", "20", "007"] {
            assert_eq!(form.check(OsStr::new(right)), Ok(()));
        }
        for wrong in ["3", "21", "", "+5", "-5", "5.0", "5s", "0x5", "99999999999999999999"] {
            let error = form.check(OsStr::new(wrong)).unwrap_err();
            assert!(error.contains("a whole number from 4 to 20"), "{error}");
        }
    }

    #[test]
    fn a_word_that_is_none_hears_those_that_are() {
        let form = Form::Words(&[("cloud", ""), ("relaxed", "")]);
        assert_eq!(form.check(OsStr::new("relaxed")), Ok(()));
        let error = form.check(OsStr::new("Cloud")).unwrap_err();
        assert_eq!(error, "\"Cloud\" is not allowed: it is `cloud` or `relaxed`");
        assert_eq!(either(vec!["a".into(), "b".into(), "c".into()]), "a, b or c");
    }
}
