//! What a person sees, and what a program reads.

use std::fmt;
use std::io::{IsTerminal, Write};

use serde_json::{Value, json};

use super::audit::Audit;
use super::checks::{count, date_of};
use super::ledger::{Money, grouped};
use super::plan::Plan;
use super::play::Played;
use crate::demo::server::OwnServer;

/// Most lines of the statement.
const LINES: usize = 18;

/// Letters of a line of what a check says.
const WIDTH: usize = 80;

/// How far the year is: one line that is written over, or elsewhere than on a terminal a line for
/// each tenth.
pub(super) struct Progress {
    is_quiet: bool,
    is_terminal: bool,
    customers: u32,
    days: u32,
    transactions: u64,
    tenth: u32,
}

impl Progress {
    pub(super) fn new(is_quiet: bool, plan: &Plan) -> Progress {
        Progress {
            is_quiet,
            is_terminal: std::io::stdout().is_terminal(),
            customers: plan.customers,
            days: u32::try_from(plan.days.len()).unwrap_or(u32::MAX),
            transactions: plan.transactions(),
            tenth: 0,
        }
    }

    pub(super) fn begin(&self, seed: u64) -> std::io::Result<()> {
        let Progress { customers, days, .. } = self;
        let what = grouped(self.transactions);
        self.write(&format!(
            "\n  A bank with {customers} customers, {days} days, {what} transactions (--seed {seed})\n\n"
        ))
    }

    pub(super) fn show(&mut self, days: u32) -> std::io::Result<()> {
        let tenth = days * 10 / self.days.max(1);
        if self.is_terminal {
            return self.write(&format!("\r  day {days} of {}", self.days));
        }
        if tenth == self.tenth {
            return Ok(());
        }
        self.tenth = tenth;
        self.write(&format!("  day {days} of {}\n", self.days))
    }

    pub(super) fn end(&self) -> std::io::Result<()> {
        self.write("\n")
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        if self.is_quiet {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// All that there is to say at the end.
pub(super) struct Report {
    seed: u64,
    plan: Plan,
    audit: Audit,
    /// The evening of the day of the fraud.
    evening: jiff::Timestamp,
    seconds: f64,
}

impl Report {
    pub(super) fn new(
        seed: u64,
        plan: &Plan,
        played: &Played,
        audit: Audit,
        seconds: f64,
    ) -> Report {
        let evening = played.evening(plan.fraud.day);
        Report { seed, plan: plan.clone(), audit, evening, seconds }
    }

    /// Whether all that is claimed held.
    pub(super) fn held(&self) -> bool {
        self.audit.checks.iter().all(|check| check.finding.is_ok())
    }

    pub(super) fn to_json(&self) -> Value {
        let totals = self.audit.books.totals().into_iter();
        let totals = totals.map(|(kind, (count, cents))| {
            (kind.to_owned(), json!({ "transactions": count, "cents": cents }))
        });
        let checks = self.audit.checks.iter().map(|check| {
            let told = check.finding.as_ref().unwrap_or_else(|why| why);
            json!({ "name": check.name, "ok": check.finding.is_ok(), "told": told })
        });
        json!({
            "seed": self.seed,
            "accounts": self.plan.customers,
            "days": self.plan.days.len(),
            "events": self.audit.books.0.len(),
            "totals": totals.collect::<serde_json::Map<_, _>>(),
            "digest": format!("{:016x}", self.audit.books.digest()),
            "checks": checks.collect::<Vec<_>>(),
            "held": self.held(),
            "seconds": (self.seconds * 100.0).round() / 100.0,
        })
    }

    fn statement(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.plan.fraud.account.to_string();
        let entries = self.audit.books.of(&account).filter(|it| it.recorded <= self.evening);
        let mut lines: Vec<String> = Vec::new();
        let mut balance = 0;
        for entry in entries.filter(|entry| entry.cents != 0) {
            balance += entry.cents;
            let (date, text) = (date_of(entry.recorded), &entry.text);
            let (change, balance) = (Money(entry.cents), Money(balance));
            lines.push(format!("    {date}  {text:<22} {change:>12} {balance:>14}"));
        }
        writeln!(f, "  Account {account}, until the evening of {}\n", date_of(self.evening))?;
        let skipped = lines.len().saturating_sub(LINES);
        lines.iter().skip(skipped).try_for_each(|line| writeln!(f, "{line}"))
    }

    fn totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  Transactions\n")?;
        for (kind, (count, cents)) in self.audit.books.totals() {
            writeln!(f, "    {kind:<14} {:>8} {:>18}", grouped(count), Money(cents).to_string())?;
        }
        let events = count(self.audit.books.0.len());
        let digest = self.audit.books.digest();
        writeln!(f, "\n    {events} events; what they say is {digest:016x} by seed {}", self.seed)
    }

    /// Where the server is, and what to ask it.
    pub(super) fn farewell(&self, out: &mut impl Write, server: &OwnServer) -> anyhow::Result<()> {
        let (url, pid) = (server.endpoint(), server.pid());
        let listen = url.trim_start_matches("http://");
        let (account, day) = (self.plan.fraud.account, date_of(self.evening));
        writeln!(out, "\n  The server runs on at {url}. Try")?;
        for line in [
            format!("lineside state account {account} --at {day}T00:00:00Z --listen {listen}"),
            format!("lineside diff account {account} {day}T00:00:00Z now --listen {listen}"),
            format!("lineside read --tag {} --limit 4 --listen {listen}", self.plan.batch.tag),
            format!("curl '{url}/v1/streams/account-{account}?backwards&limit=3'"),
            format!("kill {pid}; rm -r {}", server.folder().display()),
        ] {
            writeln!(out, "    {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statement(f)?;
        self.totals(f)?;
        writeln!(f, "\n  Checks\n")?;
        for check in &self.audit.checks {
            let (verdict, told) = match &check.finding {
                Ok(told) => ("ok", told),
                Err(why) => ("FAILED", why),
            };
            let told = wrapped(told, WIDTH, "\n                           ");
            writeln!(f, "    {verdict:<7} {:<14} {told}", check.name)?;
        }
        let verdict = if self.held() { "All of it held" } else { "NOT all of it held" };
        writeln!(f, "\n  {verdict}, in {:.1} s.", self.seconds)
    }
}

/// A text in lines of so many letters at most, unless a word has more.
fn wrapped(text: &str, width: usize, end: &str) -> String {
    let (mut lines, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        let letters = word.chars().count();
        if column > 0 && column + 1 + letters > width {
            lines.push_str(end);
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += letters;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_has_several_lines() {
        assert_eq!(wrapped("one two three", 7, "/"), "one two/three");
        assert_eq!(wrapped("one", 2, "/"), "one");
        assert_eq!(wrapped("a b c", 1, "/"), "a/b/c");
    }
}
