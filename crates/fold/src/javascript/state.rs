//! A state as JSON, strictly: what JSON does not have is refused, and not left out or made
//! something else, since the state would then be another one after it was written and read again.

use rquickjs::object::Filter;
use rquickjs::{Array, Ctx, Error, Object, Value};

use super::sandbox::{Module, Sandbox};
use super::{escaped, too_deep};
use crate::fault::{Cause, Fault};
use crate::limits::{DEPTH_MAX, STATE_BYTES_MAX};

/// The largest number up to which all whole numbers are told apart, 2 to the 53rd.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The state as JSON.
pub(super) fn json_of<'js>(
    sandbox: &Sandbox,
    ctx: &Ctx<'js>,
    module: &Module<'js>,
    state: &Value<'js>,
) -> Result<String, Fault> {
    let mut writer = Writer { out: String::new(), above: Vec::new(), plain: module.plain.clone() };
    match writer.write(state) {
        Ok(()) => Ok(writer.out),
        Err(Stop::TooLarge) => Err(Cause::StateTooLarge.into()),
        Err(Stop::Error(error)) => Err(sandbox.fault(ctx, error)),
        Err(Stop::NotJson { way, what }) => {
            let names = way.iter().rev().map(|name| format!("/{}", escaped(name)));
            Err(Cause::NotJson { pointer: names.collect(), what }.into())
        }
    }
}

struct Writer<'js> {
    out: String,
    /// The arrays and objects that this one is in.
    above: Vec<Object<'js>>,
    plain: Object<'js>,
}

/// Why a state cannot be written.
enum Stop {
    TooLarge,
    /// The way to what stands there, its last step first.
    NotJson {
        way: Vec<String>,
        what: String,
    },
    /// A getter threw, or there was no memory.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        match error {
            // The one error of Rust's that a string gives.
            Error::Utf8(_) => Stop::what("a text with half a surrogate pair"),
            other => Stop::Error(other),
        }
    }
}

impl Stop {
    fn what(what: impl Into<String>) -> Stop {
        Stop::NotJson { way: Vec::new(), what: what.into() }
    }

    /// The same, one step further down.
    fn under(mut self, name: &str) -> Stop {
        if let Stop::NotJson { way, .. } = &mut self {
            way.push(name.to_owned());
        }
        self
    }
}

impl<'js> Writer<'js> {
    fn write(&mut self, value: &Value<'js>) -> Result<(), Stop> {
        if let Some(flag) = value.as_bool() {
            self.out.push_str(if flag { "true" } else { "false" });
        } else if value.is_null() {
            self.out.push_str("null");
        } else if let Some(number) = value.as_number() {
            self.number(number)?;
        } else if let Some(text) = value.as_string() {
            self.text(&text.to_string()?);
        } else if let Some(array) = value.as_array() {
            self.within(array.as_object(), |writer| writer.array(array))?;
        } else {
            self.object(value)?;
        }
        if self.out.len() > STATE_BYTES_MAX { Err(Stop::TooLarge) } else { Ok(()) }
    }

    fn number(&mut self, number: f64) -> Result<(), Stop> {
        if !number.is_finite() {
            return Err(Stop::what(number.to_string().replace("inf", "Infinity")));
        }
        // Not 1.0 for what was 1, and no zero with a sign.
        let text = match number {
            _ if number == 0.0 => "0".to_owned(),
            _ if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => format!("{number:.0}"),
            _ => serde_json::Value::from(number).to_string(),
        };
        self.out.push_str(&text);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(&serde_json::Value::from(text).to_string());
    }

    /// What is inside of an array or an object.
    fn within(
        &mut self,
        object: &Object<'js>,
        write: impl FnOnce(&mut Writer<'js>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.above.contains(object) {
            return Err(Stop::what("an array or an object that is inside of itself"));
        }
        if self.above.len() == DEPTH_MAX {
            return Err(Stop::what(too_deep()));
        }
        self.above.push(object.clone());
        write(self)?;
        self.above.pop();
        Ok(())
    }

    fn array(&mut self, array: &Array<'js>) -> Result<(), Stop> {
        self.out.push('[');
        for index in 0..array.len() {
            if index > 0 {
                self.out.push(',');
            }
            let element: Value<'js> = array.get(index)?;
            self.write(&element).map_err(|stop| stop.under(&index.to_string()))?;
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, value: &Value<'js>) -> Result<(), Stop> {
        let Some(object) = value.as_object().filter(|_| !value.is_function()) else {
            return Err(Stop::what(of_type(value)));
        };
        if object.get_prototype().is_some_and(|prototype| prototype != self.plain) {
            return Err(Stop::what(of_class(object)));
        }
        self.within(object, |writer| writer.members(object))
    }

    fn members(&mut self, object: &Object<'js>) -> Result<(), Stop> {
        self.out.push('{');
        let mut is_first = true;
        let filter = Filter::new().string().enum_only();
        for name in object.own_keys::<rquickjs::String<'js>>(filter) {
            let name = name?;
            let member: Value<'js> = object.get(name.clone())?;
            // As a member that is not there, which reads the same.
            if member.is_undefined() {
                continue;
            }
            let name = name.to_string()?;
            if !std::mem::take(&mut is_first) {
                self.out.push(',');
            }
            self.text(&name);
            self.out.push(':');
            self.write(&member).map_err(|stop| stop.under(&name))?;
        }
        self.out.push('}');
        Ok(())
    }
}

fn of_type(value: &Value<'_>) -> String {
    match value.type_name() {
        "undefined" => "undefined".to_owned(),
        "function" | "constructor" => "a function".to_owned(),
        "big_int" => "a BigInt: make it a text or a number".to_owned(),
        other => format!("a value of type {other}"),
    }
}

/// What has another prototype than objects have: it would be lost.
fn of_class(object: &Object<'_>) -> String {
    let name = object.get::<_, Object<'_>>("constructor");
    let name = name.and_then(|constructor| constructor.get::<_, String>("name"));
    match name.as_deref().map(|name| name.chars().take(60).collect::<String>()) {
        Ok(name) if name == "Date" => "a Date: keep its toISOString()".to_owned(),
        Ok(name) if name == "Promise" => "a Promise: `evolve` must not be async".to_owned(),
        Ok(name) if !name.is_empty() => format!("an object of the class {name:?}"),
        _ => "an object with a prototype of its own".to_owned(),
    }
}
