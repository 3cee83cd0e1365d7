//! Conditions: an operator, a key of the context, and values (IAM user guide, "Condition" and
//! "Condition operators").

use super::error::shown;
use super::node::Node;
use super::operator::{Operator, Test};
use super::{Context, PolicyError, Version};

/// Most conditions of a statement (developer guide, "Quotas related to policies": 10; the wider
/// reading, as with principals).
const CONDITIONS_MAX: usize = 10;

/// One key of one operator; all conditions of a statement must hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    key: String,
    check: Check,
}

#[derive(Clone, Debug, PartialEq)]
enum Check {
    /// `Null`: the key must be missing, or must be there.
    Null(Vec<bool>),
    Values {
        of: Quantity,
        /// A key that is missing is fine.
        if_exists: bool,
        operator: Operator,
        tests: Vec<Test>,
    },
}

/// How many of a key's values must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    /// Not said: the key is to have one value.
    Single,
    Any,
    All,
}

impl Condition {
    /// Reads `{operator: {key: values}}`.
    pub(super) fn read_block(node: Node, version: Version) -> Result<Vec<Condition>, PolicyError> {
        let mut conditions = Vec::new();
        for (operator, keys) in node.into_object("Condition")? {
            for (key, values) in keys.into_object(&operator)? {
                let values = values.into_values(&shown(&key))?;
                conditions.push(Condition::read(&operator, &key, &values, version)?);
            }
        }
        match conditions.len() {
            0..=CONDITIONS_MAX => Ok(conditions),
            many => Err(PolicyError::Many("conditions", many, CONDITIONS_MAX)),
        }
    }

    fn read(
        operator: &str,
        key: &str,
        values: &[String],
        version: Version,
    ) -> Result<Condition, PolicyError> {
        if !key.contains(':') {
            return Err(PolicyError::rule(format!("{:?} is no condition key", shown(key))));
        }
        let key = key.to_ascii_lowercase();
        if operator == "Null" {
            let truths = values.iter().map(|value| read_truth(value)).collect::<Result<_, _>>()?;
            return Ok(Condition { key, check: Check::Null(truths) });
        }
        let (of, name) = match operator.split_once(':') {
            None => (Quantity::Single, operator),
            Some(("ForAnyValue", name)) => (Quantity::Any, name),
            Some(("ForAllValues", name)) => (Quantity::All, name),
            Some(_) => return Err(unknown(operator)),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let operator = Operator::of_name(name).ok_or_else(|| unknown(operator))?;
        let tests = values.iter().map(|value| operator.read(value, version));
        let tests = tests.collect::<Result<_, _>>()?;
        Ok(Condition { key, check: Check::Values { of, if_exists, operator, tests } })
    }

    pub(super) fn holds(&self, context: &Context) -> bool {
        let values = context.values(&self.key);
        let (of, if_exists, operator, tests) = match &self.check {
            Check::Null(truths) => return truths.contains(&values.is_empty()),
            Check::Values { of, if_exists, operator, tests } => (of, if_exists, operator, tests),
        };
        let passes = |value: &String| {
            tests.iter().any(|test| test.fits(value, context)) != operator.is_negated()
        };
        match (values, of) {
            ([], Quantity::All) => true,
            ([], Quantity::Any) => *if_exists,
            ([], Quantity::Single) => *if_exists || operator.is_negated(),
            (_, Quantity::Any) => values.iter().any(passes),
            (_, Quantity::All) => values.iter().all(passes),
            // Several values where one is expected: none may be what is excluded.
            (_, Quantity::Single) if operator.is_negated() => values.iter().all(passes),
            (_, Quantity::Single) => values.iter().any(passes),
        }
    }
}

fn unknown(operator: &str) -> PolicyError {
    PolicyError::rule(format!("{:?} is no condition operator", shown(operator)))
}

pub(super) fn read_truth(value: &str) -> Result<bool, PolicyError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(PolicyError::rule(format!("{:?} must be true or false", shown(value)))),
    }
}
