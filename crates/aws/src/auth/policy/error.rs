//! What is wrong with a policy.

use std::fmt;

use super::POLICY_BYTES_MAX;

/// A text that is no policy. SQS itself says only that the parameter is invalid; this says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// It has so many bytes.
    TooLong(usize),
    /// It is no JSON, or an object in it has a name twice.
    Json(String),
    /// There are so many of these, and at most so many may be.
    Many(&'static str, usize, usize),
    /// A rule of the language is broken.
    Rule(String),
}

impl PolicyError {
    pub(super) fn rule(sentence: impl Into<String>) -> PolicyError {
        PolicyError::Rule(sentence.into())
    }

    pub(super) fn missing(name: &str) -> PolicyError {
        PolicyError::Rule(format!("{name} is missing"))
    }

    pub(super) fn unknown(name: &str, of: &str) -> PolicyError {
        PolicyError::Rule(format!("{:?} is no element of {of}", shown(name)))
    }

    pub(super) fn repeated(sid: &str) -> PolicyError {
        PolicyError::Rule(format!("the Sid {:?} is there twice", shown(sid)))
    }
}

/// What an error shows of a policy.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::TooLong(bytes) => {
                write!(f, "a policy has at most {POLICY_BYTES_MAX} bytes, and this has {bytes}")
            }
            PolicyError::Json(why) => write!(f, "a policy is JSON, and this is not: {why}"),
            PolicyError::Many(what, many, most) => {
                write!(f, "a policy has 1 to {most} {what} in one place, and this has {many}")
            }
            PolicyError::Rule(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for PolicyError {}
