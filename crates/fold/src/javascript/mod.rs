//! Folding by a module of JavaScript, in a sandbox that is made for one block and then gone.

mod sandbox;
mod state;

use rquickjs::{Ctx, Value};

use crate::fault::{Cause, Fault};
use crate::fold::{Block, Event, Folded};
use crate::limits::{DEPTH_MAX, MEMORY_BYTES_MAX, SOURCE_BYTES_MAX};
use sandbox::{Module, Sandbox};
use state::json_of;

/// Folds a block by a module. Where its state is at fault, it is folded once more to tell after
/// which event it became so: to look at each state costs more than to fold.
pub(crate) fn fold(source: &str, block: &Block) -> Result<Folded, Fault> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Cause::SourceTooLarge(source.len()).into());
    }
    match run(source, block, Looks::AtLast, MEMORY_BYTES_MAX) {
        Err(fault) if fault.cause.is_of_state() && !block.events.is_empty() => {
            match run(source, block, Looks::AtEach, MEMORY_BYTES_MAX) {
                Err(first) if first.cause.is_of_state() => Err(first),
                _ => Err(fault),
            }
        }
        other => other,
    }
}

/// When a state is looked at: whether it is JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    AtLast,
    AtEach,
}

fn run(source: &str, block: &Block, looks: Looks, memory: usize) -> Result<Folded, Fault> {
    let sandbox = Sandbox::new(block.time, memory)?;
    let state = sandbox.enter(|ctx| {
        let module = sandbox.load(&ctx, source)?;
        fold_all(&sandbox, &ctx, &module, block, looks)
    })?;
    Ok(Folded { state, spent: sandbox.spent() })
}

fn fold_all<'js>(
    sandbox: &Sandbox,
    ctx: &Ctx<'js>,
    module: &Module<'js>,
    block: &Block,
    looks: Looks,
) -> Result<String, Fault> {
    let mut state = match &block.from {
        Some(json) => parsed(sandbox, ctx, json)?,
        None => module.initial.clone(),
    };
    for event in &block.events {
        let next = step(sandbox, ctx, module, &state, event);
        let next = next.map_err(|fault| fault.at(Some(event.at)))?;
        // Nothing at all is what comes of a function that changes the state that it was given.
        if !next.is_undefined() {
            state = next;
        }
        if looks == Looks::AtEach {
            json_of(sandbox, ctx, module, &state).map_err(|fault| fault.at(Some(event.at)))?;
        }
    }
    let last = block.events.last().map(|event| event.at);
    json_of(sandbox, ctx, module, &state).map_err(|fault| fault.at(last))
}

fn step<'js>(
    sandbox: &Sandbox,
    ctx: &Ctx<'js>,
    module: &Module<'js>,
    state: &Value<'js>,
    event: &Event,
) -> Result<Value<'js>, Fault> {
    let event = parsed(sandbox, ctx, &event.json)?;
    let next = module.evolve.call((state.clone(), event));
    next.map_err(|error| sandbox.fault(ctx, error))
}

fn parsed<'js>(sandbox: &Sandbox, ctx: &Ctx<'js>, json: &str) -> Result<Value<'js>, Fault> {
    ctx.json_parse(json).map_err(|error| sandbox.fault(ctx, error))
}

/// A name for a pointer (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Deeper than a state may be.
fn too_deep() -> String {
    format!("an array or an object deeper than {DEPTH_MAX}")
}

#[cfg(test)]
mod tests;
