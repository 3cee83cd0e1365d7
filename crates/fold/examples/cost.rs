//! What folding costs: `cargo run --release -p lineside-fold --example cost`.

use std::io::Write;
use std::time::Duration;

use lineside_fold::{Block, Event, Fault, Program, fold_here};

const MODULE: &str = "
export const initial = { balance: 0, entries: 0 };
export function evolve(state, event) {
  if (event.type === 'Paid') state.balance += event.data.cents;
  state.entries++;
}";
const ROUNDS: u32 = 200;
const EVENTS: u64 = 256;

fn event(version: u64) -> Event {
    let json = format!(
        r#"{{"specversion":"1.0","id":"{version}","source":"/cost","type":"Paid","stream":"account-1","streamversion":"{version}","eventnumber":"{version}","storedtime":"2026-01-01T00:00:00.000Z","data":{{"cents":{version},"memo":"rent"}}}}"#
    );
    Event { json, at: (version, version).into() }
}

/// The processor time of a block of so many events.
fn cost(program: &Program, events: u64) -> Result<Duration, Fault> {
    let mut spent = Duration::ZERO;
    for _ in 0..ROUNDS {
        let (program, events) = (program.clone(), (1..=events).map(event).collect());
        let time = lineside_fold::limits::TIME_MAX;
        spent += fold_here(&Block { program, from: None, events, time })?.spent;
    }
    Ok(spent / ROUNDS)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for (name, program) in
        [("javascript", Program::JavaScript(MODULE.into())), ("merge", Program::Merge)]
    {
        let (empty, full) = (cost(&program, 0)?, cost(&program, EVENTS)?);
        let each = full.saturating_sub(empty).as_nanos() / u128::from(EVENTS);
        writeln!(out, "{name}: a block {} us, an event {each} ns", empty.as_micros())?;
    }
    Ok(())
}
