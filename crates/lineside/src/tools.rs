//! What a person does with a data directory: look whether it is whole, repair it, read its log, copy
//! it from a running server, and make one of a copy.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use anyhow::{Context, bail};
use lineside_core::id::{PartitionId, Position};
use lineside_store::disk::{self, AcceptedGap, Dumped, DumpedFacts, Finding, Verification};
use serde_json::{Value, json};

use crate::cli;

/// Reads all of a directory; status 1 if anything is damaged.
pub(crate) fn verify(options: &cli::OfDirectory) -> anyhow::Result<ExitCode> {
    tell(&disk::verify(&options.directory)?, options.json)
}

/// Repairs, or says what a repair would do; status 1 if something is damaged (still).
pub(crate) fn repair(options: &cli::Repair) -> anyhow::Result<ExitCode> {
    let repairs = disk::repair(&options.directory, !options.apply)?;
    let mut out = std::io::stdout().lock();
    let repaired = repairs.repaired.iter();
    if options.json {
        let repaired: Vec<Value> = repaired
            .map(|one| json!({ "file": one.file, "what": one.what, "did": one.did, "lost": gaps(&one.lost) }))
            .collect();
        let after = repairs.after.as_ref().map(verification);
        writeln!(
            out,
            "{}",
            json!({ "applied": options.apply, "repaired": repaired, "after": after })
        )?;
    } else {
        for one in repaired {
            writeln!(out, "{}: {}\n  {}", one.file, one.what, one.did)?;
            for gap in &one.lost {
                writeln!(out, "  lost: {}", gap_text(gap))?;
            }
        }
        match (repairs.repaired.is_empty(), &repairs.after) {
            (true, _) => writeln!(out, "nothing to repair")?,
            (false, Some(after)) => write!(out, "{}", text_of(after))?,
            (false, None) => writeln!(out, "nothing was changed; say --apply to do it")?,
        }
    }
    let sound = repairs.repaired.is_empty() || repairs.after.is_some_and(|after| after.is_sound());
    Ok(status(sound))
}

/// Prints the batches of a partition, one JSON object a line.
pub(crate) fn log(options: &cli::Log) -> anyhow::Result<()> {
    let (partition, from) = (PartitionId(options.partition), Position(options.from));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for dumped in disk::dump(&options.directory, partition, from)? {
        let line = match dumped? {
            Dumped::Batch { position, at, facts, bodies, place } => {
                let bodies: Vec<Value> = bodies
                    .iter()
                    .map(|b| json!({ "fact": b.index, "bytes": b.len, "whole": b.is_whole }))
                    .collect();
                let facts = facts_json(&facts);
                json!({ "position": position.0, "at": at.0, "facts": facts, "bodies": bodies, "place": place })
            }
            Dumped::Gap { from, count } => json!({ "gap": { "from": from.0, "count": count } }),
            Dumped::Damage(finding) => json!({ "damage": finding_json(&finding) }),
        };
        match writeln!(out, "{line}") {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    Ok(out.flush()?)
}

/// Asks a running server for a copy of its data.
pub(crate) fn backup(options: &cli::Backup) -> anyhow::Result<()> {
    let to = std::path::absolute(&options.to)?;
    let body = json!({ "to": to }).to_string();
    let mut server = TcpStream::connect(options.listen)
        .with_context(|| format!("no server answers at {}", options.listen))?;
    write!(
        server,
        "POST /_lineside/backup HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        options.listen,
        body.len()
    )?;
    let mut answer = String::new();
    server.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the server hung up")?;
    let told: Value = serde_json::from_str(body).context("the server's answer is no JSON")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{}", told.get("error").and_then(Value::as_str).unwrap_or(body));
    }
    let mut out = std::io::stdout().lock();
    if options.json {
        writeln!(out, "{told}")?;
    } else {
        let number = |name| told.get(name).and_then(Value::as_u64).unwrap_or(0);
        writeln!(
            out,
            "{}: {} segments, {} blobs, {} bytes, of which {} are shared with the server's files",
            to.display(),
            number("segments"),
            number("blobs"),
            number("bytes"),
            number("linked_bytes"),
        )?;
    }
    Ok(())
}

/// Makes a data directory of a backup; status 1 if the backup is damaged.
pub(crate) fn restore(options: &cli::Restore) -> anyhow::Result<ExitCode> {
    tell(&disk::restore(&options.from, &options.to)?, options.json)
}

/// Prints what was found; status 1 if anything is damaged.
fn tell(found: &Verification, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", verification(found))?;
    } else {
        write!(out, "{}", text_of(found))?;
    }
    Ok(status(found.is_sound()))
}

fn status(sound: bool) -> ExitCode {
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn text_of(found: &Verification) -> String {
    let mut text = format!(
        "{} segments, {} writes, {} batches, {} bodies, {} blobs\n",
        found.segments, found.writes, found.batches, found.bodies, found.blobs
    );
    for gap in &found.gaps {
        text += &format!("accepted as lost: {}\n", gap_text(gap));
    }
    if let Some((file, offset, bytes)) = &found.torn {
        text += &format!(
            "{file}, byte {offset}: {bytes} bytes of an unfinished write, none of it acknowledged; the \
             next start cuts it off\n"
        );
    }
    for finding in &found.findings {
        text += &format!("DAMAGED {finding}\n");
    }
    text += if found.is_sound() { "sound\n" } else { "damaged: see `lineside repair`\n" };
    text
}

fn verification(found: &Verification) -> Value {
    let torn = found.torn.as_ref();
    let tails: Vec<Value> = found
        .tails
        .iter()
        .map(|(partition, next)| json!({ "partition": partition.0, "next": next.0 }))
        .collect();
    json!({
        "sound": found.is_sound(),
        "segments": found.segments, "writes": found.writes, "batches": found.batches,
        "bodies": found.bodies, "blobs": found.blobs, "tails": tails, "gaps": gaps(&found.gaps),
        "torn": torn.map(|(file, at, bytes)| json!({ "file": file, "offset": at, "bytes": bytes })),
        "findings": found.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    let Finding { file, offset, what, cost } = finding;
    json!({ "file": file, "offset": offset, "what": what, "cost": cost.to_string() })
}

fn gaps(gaps: &[AcceptedGap]) -> Vec<Value> {
    let gap = |gap: &AcceptedGap| json!({ "partition": gap.partition.0, "from": gap.from.0, "count": gap.count });
    gaps.iter().map(gap).collect()
}

fn gap_text(gap: &AcceptedGap) -> String {
    let (partition, from, count) = (gap.partition.0, gap.from.0, gap.count);
    format!("at most {count} positions of partition {partition} from {from} on")
}

fn facts_json(facts: &DumpedFacts) -> Value {
    match facts {
        DumpedFacts::Whole(facts) => facts.iter().map(|fact| format!("{fact:?}")).collect(),
        DumpedFacts::Reclaimed(count) => json!({ "reclaimed": count }),
        DumpedFacts::Damaged(why) => json!({ "damaged": why }),
    }
}
