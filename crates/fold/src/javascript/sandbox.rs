//! An interpreter with nothing in it but the language, and with limits.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rquickjs::context::intrinsic::{
    Date, Eval, Json, MapSet, Promise as Promises, RegExp, RegExpCompiler,
};
use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Error, Exception, Function, Object, Runtime, Value};

use crate::fault::{Cause, Fault, Place};
use crate::limits::STACK_BYTES_MAX;
use crate::time::worked;

/// What a module is called in its own errors.
const NAME: &str = "model.js";
const PRELUDE: &str = include_str!("prelude.js");
/// Most characters of what a module says of itself when it throws.
const SAID_MAX: usize = 400;

/// What a module finds: no clock, no weak references (they tell of garbage collections), no proxies,
/// no typed arrays, nothing that reaches outside. `Eval` is what loads a module.
type Language = (Date, Eval, Json, MapSet, Promises, RegExpCompiler, RegExp);

/// An interpreter.
pub(super) struct Sandbox {
    context: Context,
    began: Duration,
    time: Duration,
    /// Whether it was interrupted because its time was over.
    is_over: Rc<Cell<bool>>,
}

/// A loaded module.
pub(super) struct Module<'js> {
    pub(super) evolve: Function<'js>,
    pub(super) initial: Value<'js>,
    /// What plain objects have as their prototype; a module could put another in its place later.
    pub(super) plain: Object<'js>,
}

impl Sandbox {
    /// One whose script may take so much processor time, and so many bytes of memory.
    pub(super) fn new(time: Duration, memory: usize) -> Result<Sandbox, Cause> {
        let runtime = Runtime::new().map_err(|_| Cause::Memory)?;
        runtime.set_memory_limit(memory);
        runtime.set_max_stack_size(STACK_BYTES_MAX);
        let (began, is_over) = (worked(), Rc::new(Cell::new(false)));
        let over = Rc::clone(&is_over);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            let is_over = worked().saturating_sub(began) >= time;
            over.set(is_over);
            is_over
        })));
        let context = Context::custom::<Language>(&runtime).map_err(|_| Cause::Memory)?;
        Ok(Sandbox { context, began, time, is_over })
    }

    pub(super) fn enter<T>(&self, work: impl FnOnce(Ctx<'_>) -> T) -> T {
        self.context.with(work)
    }

    /// The processor time that it took so far.
    pub(super) fn spent(&self) -> Duration {
        worked().saturating_sub(self.began)
    }

    /// Loads a module.
    pub(super) fn load<'js>(&self, ctx: &Ctx<'js>, source: &str) -> Result<Module<'js>, Fault> {
        let fault = |error| self.fault(ctx, error);
        let malformed = |error| of_loading(self.fault(ctx, error));
        let plain = plain(ctx).map_err(fault)?;
        ctx.eval::<(), _>(PRELUDE).map_err(fault)?;
        let declared = rquickjs::Module::declare(ctx.clone(), NAME, source).map_err(malformed)?;
        let (module, loaded) = declared.eval().map_err(malformed)?;
        match (loaded.state(), loaded.result::<Value<'js>>()) {
            (PromiseState::Pending, _) | (_, None) => return Err(Cause::Unfinished.into()),
            (_, Some(result)) => drop(result.map_err(fault)?),
        }
        let exports = module.namespace().map_err(fault)?;
        let evolve: Value<'js> = exports.get("evolve").map_err(fault)?;
        let initial: Value<'js> = exports.get("initial").map_err(fault)?;
        let null = || Value::new_null(ctx.clone());
        let initial = if initial.is_undefined() { null() } else { initial };
        let evolve = evolve.into_function().ok_or(Cause::NoEvolve)?;
        Ok(Module { evolve, initial, plain })
    }

    /// What an error of the interpreter means.
    pub(super) fn fault(&self, ctx: &Ctx<'_>, error: Error) -> Fault {
        let thrown = match error {
            Error::Exception => ctx.catch(),
            Error::Allocation => return Cause::Memory.into(),
            Error::InvalidString(_) => {
                return Cause::Malformed("its text has a zero byte".to_owned()).into();
            }
            other => return Cause::Threw(other.to_string()).into(),
        };
        if self.is_over.get() {
            return Cause::Time(self.time).into();
        }
        let exception = thrown.as_object().cloned().and_then(Exception::from_object);
        let Some(exception) = exception else {
            // Where there is no memory for an error, the interpreter throws null; a module that
            // does so itself is told the more likely.
            let cause = if thrown.is_null() { Cause::Memory } else { Cause::Threw(shown(&thrown)) };
            return cause.into();
        };
        let place = exception.stack().as_deref().and_then(place_in);
        Fault { place, ..Fault::of(cause_of(&exception)) }
    }
}

fn plain<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>, Error> {
    let constructor: Object<'js> = ctx.globals().get("Object")?;
    constructor.get("prototype")
}

/// What goes wrong while a module is parsed and linked.
fn of_loading(fault: Fault) -> Fault {
    match fault.cause {
        Cause::Threw(said) => Fault { cause: Cause::Malformed(said), ..fault },
        _ => fault,
    }
}

fn cause_of(exception: &Exception<'_>) -> Cause {
    let message = exception.message().unwrap_or_default();
    let name: Option<String> = exception.get("name").ok();
    match (name.as_deref(), message.as_str()) {
        // An error that it had no memory left to describe has no message.
        (Some("InternalError"), "" | "out of memory" | "out of memory in regexp execution") => {
            Cause::Memory
        }
        (Some("RangeError"), "Maximum call stack size exceeded") => Cause::Stack,
        (name, message) => {
            Cause::Threw(bounded(&format!("{}: {message}", name.unwrap_or("Error"))))
        }
    }
}

/// A thrown value that is no error.
fn shown(thrown: &Value<'_>) -> String {
    let text = thrown.as_string().and_then(|text| text.to_string().ok());
    match (text, thrown.as_number(), thrown.as_bool()) {
        (Some(text), ..) => bounded(&format!("{text:?}")),
        (_, Some(number), _) => number.to_string(),
        (.., Some(flag)) => flag.to_string(),
        _ => format!("a value of type {}", thrown.type_name()),
    }
}

fn bounded(text: &str) -> String {
    let mut said: String = text.chars().take(SAID_MAX).collect();
    if text.chars().nth(SAID_MAX).is_some() {
        said.push('…');
    }
    said
}

/// The first place of the module that a stack names: `at f (model.js:3:5)`, or `at model.js:3:5`.
fn place_in(stack: &str) -> Option<Place> {
    let mut after = stack.split(NAME).skip(1).filter_map(|rest| rest.strip_prefix(':'));
    after.find_map(|rest| {
        let mut numbers = rest.split(|letter: char| !letter.is_ascii_digit());
        let line = numbers.next()?.parse().ok()?;
        Some(Place { line, column: numbers.next().and_then(|n| n.parse().ok()).unwrap_or(1) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_names_a_place() {
        assert_eq!(place_in("    at f (model.js:3:5)\n"), Some(Place { line: 3, column: 5 }));
        assert_eq!(
            place_in(" at f (native)\n at model.js:12"),
            Some(Place { line: 12, column: 1 })
        );
        assert_eq!(place_in("    at f (other.js:3:5)\n at model.js"), None);
    }

    #[test]
    fn what_is_said_is_bounded() {
        assert_eq!(bounded("é"), "é");
        assert_eq!(bounded(&"é".repeat(401)), format!("{}…", "é".repeat(400)));
    }
}
