//! What a shell and `man` want to know of the command line.

use std::io::Write;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::{Cli, Completions};

/// Prints a shell's completions.
pub(crate) fn completions(options: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "lineside", &mut script);
    Ok(std::io::stdout().lock().write_all(&script)?)
}

/// Prints the manual page.
pub(crate) fn man() -> anyhow::Result<()> {
    Ok(std::io::stdout().lock().write_all(page()?.as_bytes())?)
}

/// One page with every subcommand: there are few, and a page for each would be looked for in vain
/// where only one was installed.
fn page() -> std::io::Result<String> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    let whole = Man::new(command.clone());
    whole.render_title(&mut page)?;
    whole.render_name_section(&mut page)?;
    whole.render_synopsis_section(&mut page)?;
    whole.render_description_section(&mut page)?;
    writeln!(page, ".SH COMMANDS")?;
    for subcommand in command.get_subcommands() {
        page.extend(section(subcommand)?.as_bytes());
    }
    page.extend(FILES.as_bytes());
    whole.render_version_section(&mut page)?;
    String::from_utf8(page).map_err(std::io::Error::other)
}

/// A subcommand: what would be a page of its own, one level down.
fn section(command: &Command) -> std::io::Result<String> {
    let man = Man::new(command.clone());
    let mut section = Vec::new();
    man.render_synopsis_section(&mut section)?;
    man.render_description_section(&mut section)?;
    man.render_options_section(&mut section)?;
    let text = String::from_utf8(section).map_err(std::io::Error::other)?;
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut out = format!(".SS \"{name}\"\n");
    for line in text.lines() {
        match line {
            ".SH SYNOPSIS" | ".SH DESCRIPTION" | ".SH OPTIONS" => out += ".PP\n",
            ".ie \\n(.g .ds Aq \\(aq" | ".el .ds Aq '" => {}
            line => {
                out += line;
                out.push('\n');
            }
        }
    }
    Ok(out)
}

const FILES: &str = "\
.SH FILES
.TP
\\fIlineside.yaml\\fR
The configuration, read from the working directory if it is there and \\fB\\-\\-config\\fR names no other.
\\fBlineside config \\-\\-markdown\\fR prints the documentation of every key.
.SH ENVIRONMENT
.TP
\\fILINESIDE_CONFIG\\fR
The configuration file.
.PP
Every option of \\fBlineside up\\fR that shows a variable is said by it too; an option on the command line
is stronger.
.SH EXIT STATUS
0 if all is well, 1 if not, 2 if the command line is wrong.
";

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::config;

    fn script(shell: clap_complete::Shell) -> String {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "lineside", &mut script);
        String::from_utf8(script).unwrap()
    }

    #[test]
    fn every_shell_completes_every_subcommand_and_setting() {
        for shell in clap_complete::Shell::value_variants() {
            let script = script(*shell);
            for subcommand in Cli::command().get_subcommands() {
                assert!(script.contains(subcommand.get_name()), "{shell}");
            }
            for setting in config::settings() {
                assert!(script.contains(setting.said.flag), "{shell}: {}", setting.path);
            }
            assert!(script.contains("steerable"), "{shell}");
        }
    }

    #[test]
    fn the_page_has_every_subcommand_and_flag_once() {
        let page = page().unwrap();
        let mut command = Cli::command();
        command.build();
        for subcommand in command.get_subcommands().filter(|one| one.get_name() != "help") {
            let heading = format!(".SS \"lineside {}\"\n", subcommand.get_name());
            assert_eq!(page.matches(&heading).count(), 1, "{heading}");
        }
        for setting in config::settings() {
            let flag = setting.said.flag.replace('-', "\\-");
            assert!(page.contains(&format!("\\-\\-{flag}\\fR")), "{flag}");
            assert!(page.contains(&setting.variable()), "{}", setting.path);
        }
        assert!(!page.contains(".SH OPTIONS"), "options stand under their subcommand");
    }
}
