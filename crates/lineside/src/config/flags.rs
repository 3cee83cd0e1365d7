//! The settings as flags, made of the table.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use super::form::{Form, PathOf};
use super::table::{self, Setting};

/// What the command line said of the settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The file that it named.
    pub(crate) file: Option<PathBuf>,
    /// Paths of settings with their texts.
    pub(crate) given: Vec<(String, OsString)>,
}

impl Flags {
    /// What was said of a setting.
    pub(crate) fn get(&self, path: &str) -> Option<&OsString> {
        self.given.iter().find(|(given, _)| given == path).map(|(_, text)| text)
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(table::FILE_FLAG)
            .long(table::FILE_FLAG)
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(ValueParser::path_buf())
            .help(format!("{} [env: {}CONFIG]", table::FILE_ABOUT, table::PREFIX));
        command.arg(file).args(table::settings().into_iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Flags, clap::Error> {
        let mut flags = Flags::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>(table::FILE_FLAG).cloned();
        for setting in table::settings() {
            if let Some(texts) = matches.get_raw(setting.said.flag) {
                // Only a list is said more than once, and its texts are put together by commas.
                let texts: Vec<_> = texts.collect();
                self.given.push((setting.path, texts.join(",".as_ref())));
            }
        }
        Ok(())
    }
}

fn argument(setting: Setting) -> Arg {
    let Setting { key, said, .. } = &setting;
    let action = if matches!(key.form, Form::List(_)) { ArgAction::Append } else { ArgAction::Set };
    let mut argument = Arg::new(said.flag).long(said.flag).value_name(said.value).action(action);
    if let Some(alias) = said.alias {
        argument = argument.alias(alias);
    }
    argument = argument.help(help(&setting));
    match key.form {
        Form::Words(words) => {
            let word = |(word, about): &(&'static str, &'static str)| {
                PossibleValue::new(*word).help(*about)
            };
            argument.value_parser(PossibleValuesParser::new(words.iter().map(word)))
        }
        // `--insecure` alone says yes, `--insecure=false` takes back what the file says.
        Form::Switch => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(["true", "false"]),
        Form::Path(PathOf::Directory) => {
            argument.value_hint(ValueHint::DirPath).value_parser(ValueParser::os_string())
        }
        Form::Path(PathOf::File) => {
            argument.value_hint(ValueHint::FilePath).value_parser(ValueParser::os_string())
        }
        // Checked later: what clap says of a wrong value would show a secret.
        Form::List(_) => argument.value_parser(ValueParser::os_string()),
        _ => argument
            .value_parser(move |text: &str| setting.check(text.as_ref()).map(|()| text.to_owned())),
    }
}

/// What `--help` says of a setting.
pub(crate) fn help(setting: &Setting) -> String {
    let mut help = format!("{} [env: {}]", setting.key.about, setting.variable());
    if !setting.key.default.is_empty() {
        help += &format!(" [default: {}]", setting.key.default);
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Flags, clap::Error> {
        let command = Flags::augment_args(Command::new("up").no_binary_name(true));
        Flags::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    #[test]
    fn what_is_not_said_is_not_given() {
        assert_eq!(parse(&[]).unwrap().given, []);
    }

    #[test]
    fn a_switch_can_be_said_both_ways() {
        assert_eq!(parse(&["--insecure"]).unwrap().get("insecure").unwrap(), "true");
        assert_eq!(parse(&["--insecure=false"]).unwrap().get("insecure").unwrap(), "false");
        assert!(parse(&["--insecure=perhaps"]).is_err());
    }

    #[test]
    fn a_flag_said_under_its_other_name_is_the_same() {
        let flags = parse(&["--inbox", "16", "--auth", "sigv4"]).unwrap();
        assert_eq!(flags.get("inbox_requests").unwrap(), "16");
        assert_eq!(flags.get("auth.mode").unwrap(), "sigv4");
    }

    #[test]
    fn keys_come_one_by_one() {
        let flags = parse(&["--access-key", "A:1", "--access-key", "B:2"]).unwrap();
        assert_eq!(flags.get("auth.keys").unwrap(), "A:1,B:2");
    }

    #[test]
    fn a_wrong_text_is_refused_with_what_is_allowed() {
        for (arguments, says) in [
            (["--listen", "nowhere"], "127.0.0.1:4566"),
            (["--inbox-requests", "3"], "from 4 to 1000000"),
            (["--durability", "sometimes"], "interval=<ms>"),
            (["--clock", "sundial"], "steerable"),
        ] {
            let error = parse(&arguments).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
