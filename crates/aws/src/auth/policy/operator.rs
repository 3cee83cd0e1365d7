//! The operators of conditions.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;

use super::arn::ArnPattern;
use super::condition::read_truth;
use super::error::shown;
use super::pattern::Pattern;
use super::{Context, PolicyError, Version};
use crate::auth::Moment;

/// An operator without `IfExists` and without its quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    kind: Kind,
    negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text { fold: bool, wild: bool },
    Number(Order),
    Date(Order),
    Bool,
    Address,
    Arn,
}

/// How a value of the request must stand to that of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// An operator with one of its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Text(Pattern),
    Number(Order, f64),
    Date(Order, Moment),
    Bool(bool),
    Address(IpNet),
    Arn(ArnPattern),
}

const OPERATORS: [(&str, Kind, bool); 26] = [
    ("StringEquals", Kind::Text { fold: false, wild: false }, false),
    ("StringNotEquals", Kind::Text { fold: false, wild: false }, true),
    ("StringEqualsIgnoreCase", Kind::Text { fold: true, wild: false }, false),
    ("StringNotEqualsIgnoreCase", Kind::Text { fold: true, wild: false }, true),
    ("StringLike", Kind::Text { fold: false, wild: true }, false),
    ("StringNotLike", Kind::Text { fold: false, wild: true }, true),
    // Base64 has one form of each value, so that its text can be compared.
    ("BinaryEquals", Kind::Text { fold: false, wild: false }, false),
    ("NumericEquals", Kind::Number(Order::Equal), false),
    ("NumericNotEquals", Kind::Number(Order::Equal), true),
    ("NumericLessThan", Kind::Number(Order::Less), false),
    ("NumericLessThanEquals", Kind::Number(Order::LessOrEqual), false),
    ("NumericGreaterThan", Kind::Number(Order::Greater), false),
    ("NumericGreaterThanEquals", Kind::Number(Order::GreaterOrEqual), false),
    ("DateEquals", Kind::Date(Order::Equal), false),
    ("DateNotEquals", Kind::Date(Order::Equal), true),
    ("DateLessThan", Kind::Date(Order::Less), false),
    ("DateLessThanEquals", Kind::Date(Order::LessOrEqual), false),
    ("DateGreaterThan", Kind::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Kind::Date(Order::GreaterOrEqual), false),
    ("Bool", Kind::Bool, false),
    ("IpAddress", Kind::Address, false),
    ("NotIpAddress", Kind::Address, true),
    // The two pairs are the same operator (user guide, "ARN condition operators").
    ("ArnEquals", Kind::Arn, false),
    ("ArnLike", Kind::Arn, false),
    ("ArnNotEquals", Kind::Arn, true),
    ("ArnNotLike", Kind::Arn, true),
];

impl Operator {
    pub(super) fn of_name(name: &str) -> Option<Operator> {
        let of = |(known, kind, negated): &(&str, Kind, bool)| {
            (*known == name).then_some(Operator { kind: *kind, negated: *negated })
        };
        OPERATORS.iter().find_map(of)
    }

    /// Whether it holds for what does not fit.
    pub(super) fn is_negated(self) -> bool {
        self.negated
    }

    pub(super) fn read(self, value: &str, version: Version) -> Result<Test, PolicyError> {
        let invalid = |what| PolicyError::rule(format!("{:?} is no {what}", shown(value)));
        Ok(match self.kind {
            Kind::Text { fold, wild } => {
                let pattern = Pattern::read(value, wild, version)?;
                Test::Text(if fold { pattern.folded() } else { pattern })
            }
            Kind::Number(order) => {
                Test::Number(order, number(value).ok_or_else(|| invalid("number"))?)
            }
            Kind::Date(order) => {
                Test::Date(order, Moment::from_policy(value).ok_or_else(|| invalid("date"))?)
            }
            Kind::Bool => Test::Bool(read_truth(value)?),
            Kind::Address => Test::Address(network(value).ok_or_else(|| invalid("address"))?),
            Kind::Arn => Test::Arn(ArnPattern::of_condition(value, version)?),
        })
    }
}

impl Test {
    /// Whether a value of the request fits; one of another type does not.
    pub(super) fn fits(&self, value: &str, context: &Context) -> bool {
        match self {
            Test::Text(pattern) => pattern.matches(value, context),
            Test::Number(order, right) => number(value)
                .and_then(|left| left.partial_cmp(right))
                .is_some_and(|ordering| order.has(ordering)),
            Test::Date(order, right) => {
                Moment::from_policy(value).is_some_and(|left| order.has(left.cmp(right)))
            }
            Test::Bool(right) => read_truth(value).is_ok_and(|left| left == *right),
            Test::Address(network) => value
                .parse::<IpAddr>()
                .is_ok_and(|address| network.contains(&address.to_canonical())),
            Test::Arn(pattern) => pattern.matches(value, context),
        }
    }
}

impl Order {
    fn has(self, ordering: Ordering) -> bool {
        match self {
            Order::Equal => ordering.is_eq(),
            Order::Less => ordering.is_lt(),
            Order::LessOrEqual => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A decimal number; not `inf`, `nan` or `1e9`, which Rust would read too.
fn number(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
    text.bytes().all(plain).then(|| text.parse().ok())?
}

/// `10.0.0.0/8`, `2001:db8::/32`, or one address.
fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpNet>() {
        Ok(network) => Some(network.trunc()),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}
