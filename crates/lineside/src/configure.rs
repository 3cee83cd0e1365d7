//! The verbs `plan`, `apply` and `export`: a file beside a running server.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::config::apply::{Done, Wish};
use crate::config::{FILE_DEFAULT, modules_of};
use crate::verbs::{ServerFlags, client, on_a_thread};

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The file.
    #[arg(default_value = FILE_DEFAULT)]
    file: PathBuf,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    server: ServerFlags,
}

/// Says what a file would change, and changes nothing.
pub(crate) fn plan(args: &Apply) -> anyhow::Result<()> {
    print(&send(args, true)?, args, ("would be made", "would change"))
}

/// Brings about what a file declares.
pub(crate) fn apply(args: &Apply) -> anyhow::Result<()> {
    print(&send(args, false)?, args, ("made", "changed"))
}

/// Prints a file that declares all that there is.
pub(crate) fn export(args: &Export) -> anyhow::Result<()> {
    let text = on_a_thread(async { client(&args.server)?.configuration().await })?;
    let mut out = std::io::stdout().lock();
    match args.server.json {
        true => writeln!(out, "{}", serde_json::json!({ "text": text }))?,
        false => write!(out, "{text}")?,
    }
    Ok(())
}

fn send(args: &Apply, plan: bool) -> anyhow::Result<Done> {
    let shown = args.file.display();
    let text = std::fs::read_to_string(&args.file);
    let text = text.with_context(|| format!("{shown} cannot be read"))?;
    let modules = modules(&args.file, &text)?;
    let wish = Wish { file: args.file.clone(), text, modules, plan };
    let wish = serde_json::to_value(&wish)?;
    let done = on_a_thread(async { client(&args.server)?.configure(&wish).await })?;
    serde_json::from_value(done).context("the server's answer is none to this")
}

/// The modules that a file names, so that the server need not read anybody's files.
fn modules(file: &Path, text: &str) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut modules = BTreeMap::new();
    for path in modules_of(file, text)? {
        let read = std::fs::read_to_string(&path);
        let module =
            read.with_context(|| format!("the module {} cannot be read", path.display()))?;
        if module.len() > lineside_native::bounds::SCRIPT_BYTES_MAX {
            bail!("the module {} is longer than a module may be", path.display());
        }
        modules.insert(path, module);
    }
    Ok(modules)
}

fn print(done: &Done, args: &Apply, (made, changed): (&str, &str)) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if args.server.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(done)?)?);
    }
    for what in &done.made {
        writeln!(out, "+ {what}")?;
    }
    for what in &done.changed {
        writeln!(out, "~ {what}")?;
    }
    let (made_count, changed_count) = (done.made.len(), done.changed.len());
    match made_count.saturating_add(changed_count) {
        0 => writeln!(out, "nothing to do: all {} are as declared", done.declared)?,
        _ => writeln!(
            out,
            "{} declared, {made_count} {made}, {changed_count} {changed}",
            done.declared
        )?,
    }
    Ok(())
}
