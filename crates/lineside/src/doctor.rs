//! `lineside doctor`: looks at everything that a server rests on, a line for each, and says what to
//! do about what is not well. It changes nothing but a probe file that it takes away again.

mod directory;
mod log;
mod machine;
mod server;

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli;
use crate::config::{self, Loaded};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// As it should be.
    Well,
    /// A server runs, and somebody should know.
    Warning,
    /// A server does not start, or will be in trouble.
    Ill,
    /// It could not be looked at, or there is nothing to look at.
    Skipped,
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    check: &'static str,
    state: State,
    told: String,
    /// What to do; empty where there is nothing to do.
    remedy: String,
}

impl Finding {
    fn new(check: &'static str, state: State, told: impl Into<String>) -> Finding {
        Finding { check, state, told: told.into(), remedy: String::new() }
    }

    pub(crate) fn well(check: &'static str, told: impl Into<String>) -> Finding {
        Finding::new(check, State::Well, told)
    }

    pub(crate) fn skipped(check: &'static str, told: impl Into<String>) -> Finding {
        Finding::new(check, State::Skipped, told)
    }

    pub(crate) fn warning(
        check: &'static str,
        told: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { remedy: remedy.into(), ..Finding::new(check, State::Warning, told) }
    }

    pub(crate) fn ill(
        check: &'static str,
        told: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { remedy: remedy.into(), ..Finding::new(check, State::Ill, told) }
    }

    fn line(&self) -> String {
        let (word, Finding { check, told, remedy, .. }) = (self.state.word(), self);
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        format!("{word:7}  {check:14}  {told}{remedy}\n")
    }

    fn json(&self) -> Value {
        let remedy = (!self.remedy.is_empty()).then_some(&self.remedy);
        let state = self.state.word();
        json!({ "check": self.check, "state": state, "told": self.told, "remedy": remedy })
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Well => "ok",
            State::Warning => "warning",
            State::Ill => "ill",
            State::Skipped => "skipped",
        }
    }
}

/// Looks, and prints; status 1 if something is ill.
pub(crate) fn run(options: &cli::Doctor) -> anyhow::Result<ExitCode> {
    let findings = look(options);
    let well = findings.iter().all(|finding| finding.state != State::Ill);
    let mut out = std::io::stdout().lock();
    if options.json {
        let checks: Vec<Value> = findings.iter().map(Finding::json).collect();
        writeln!(out, "{}", json!({ "well": well, "checks": checks }))?;
    } else {
        findings.iter().try_for_each(|finding| out.write_all(finding.line().as_bytes()))?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(options: &cli::Doctor) -> Vec<Finding> {
    let loaded = match config::load(&options.flags) {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            // Without it nothing says which directory and which port are meant.
            let mistakes = mistakes.0.into_iter();
            let remedy = "see `lineside config --markdown` for what is allowed";
            let mut findings: Vec<Finding> =
                mistakes.map(|told| Finding::ill("configuration", told, remedy)).collect();
            findings.extend(machine::look(0));
            return findings;
        }
    };
    let mut findings = configuration(&loaded);
    let settings = &loaded.settings;
    let answer = server::ask(settings.listen);
    findings.extend(server::look(settings.listen, &answer));
    match &settings.data {
        Some(data) => {
            findings.extend(directory::look(data, answer.is_ours()));
            findings.extend(log::look(data));
        }
        None => {
            let told = "durability `memory` keeps nothing, so there is nothing to look at";
            findings.push(Finding::skipped("data", told));
            findings.push(log::clock(None));
        }
    }
    findings.extend(machine::look(settings.state_bytes_max));
    findings
}

fn configuration(loaded: &Loaded) -> Vec<Finding> {
    let told = match &loaded.file {
        Some(file) => format!("{} is right", file.display()),
        None => format!("there is no {}; defaults, variables and flags hold", config::FILE_DEFAULT),
    };
    let mut findings = vec![Finding::well("configuration", told)];
    let notes = loaded.notes.iter();
    findings.extend(notes.map(|note| Finding::warning("configuration", note, "set or unset it")));
    if let Some(file) = loaded.file.as_ref().filter(|_| loaded.has_secrets())
        && directory::is_open_to_others(file)
    {
        let told = format!("{} holds secrets, and others may read it", file.display());
        let remedy = format!("run `chmod 600 {}`", file.display());
        findings.push(Finding::warning("configuration", told, remedy));
    }
    findings
}

/// Bytes as people say them.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..=9_999 => format!("{count} bytes"),
        10_000..=10_485_759 => format!("{} KiB", count >> 10),
        10_485_760..=10_737_418_239 => format!("{} MiB", count >> 20),
        _ => format!("{} GiB", count >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_to_do() {
        let line = Finding::ill("port", "another program has it", "stop it").line();
        assert_eq!(line, "ill      port            another program has it; stop it\n");
        assert_eq!(Finding::well("port", "free").line(), "ok       port            free\n");
    }

    #[test]
    fn bytes_are_said_in_the_unit_that_fits() {
        for (count, said) in [(512, "512 bytes"), (300 << 20, "300 MiB"), (64 << 30, "64 GiB")] {
            assert_eq!(bytes(count), said);
        }
    }
}
