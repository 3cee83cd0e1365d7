//! Policies of queues: IAM's resource-based policies (IAM user guide, "IAM JSON policy element
//! reference"), read strictly and evaluated: an explicit deny wins, then an allow, then the
//! default, by which the owner's account may do everything and others nothing.
//!
//! Bounded by [`POLICY_BYTES_MAX`]: a pattern is matched in time of at most its length times the
//! text's, and texts are ARNs, account numbers and the like.

mod action;
mod arn;
mod authorize;
mod condition;
mod context;
mod error;
mod node;
mod operator;
mod pattern;
mod principal;
mod statement;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use authorize::{Denied, authorize};
pub use context::Context;
pub use error::PolicyError;
pub use principal::Principal;

use self::authorize::Asked;
use self::node::Node;
use self::statement::{Effect, Statement};

/// Longest policy, in bytes (developer guide, "Quotas related to policies": 8,192).
pub const POLICY_BYTES_MAX: usize = 8192;
/// Most statements of a policy (same page).
const STATEMENTS_MAX: usize = 20;

/// A policy that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// The version of the language. Only the newer one knows `${variables}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V2008,
    V2012,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`] says which rule is broken. Nothing that the language does not have is let
    /// through: a misspelt `Condition` would otherwise allow too much.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong(text.len()));
        }
        let mut version = Version::V2008;
        let mut statements = None;
        for (name, node) in Node::parse(text)?.into_object("A policy")? {
            match name.as_str() {
                "Version" => version = read_version(&node)?,
                "Id" => drop(node.into_text("Id")?),
                "Statement" => statements = Some(node),
                _ => return Err(PolicyError::unknown(&name, "a policy")),
            }
        }
        let Some(statements) = statements else { return Err(PolicyError::missing("Statement")) };
        Policy::of_statements(statements.into_list(), version)
    }

    fn of_statements(nodes: Vec<Node>, version: Version) -> Result<Policy, PolicyError> {
        if nodes.is_empty() || nodes.len() > STATEMENTS_MAX {
            return Err(PolicyError::Many("statements", nodes.len(), STATEMENTS_MAX));
        }
        let statements: Vec<Statement> = nodes
            .into_iter()
            .map(|node| Statement::read(node, version))
            .collect::<Result<_, _>>()?;
        let mut sids: Vec<&str> =
            statements.iter().filter_map(|statement| statement.sid.as_deref()).collect();
        sids.sort_unstable();
        match sids.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(PolicyError::repeated(pair.first().copied().unwrap_or_default())),
            None => Ok(Policy { statements }),
        }
    }

    /// What the statements say: a deny if one denies, else an allow if one allows, else nothing.
    fn verdict(&self, asked: &Asked<'_>) -> Option<Effect> {
        let mut applying = self.statements.iter().filter(|statement| statement.applies(asked));
        let mut allowed = None;
        applying
            .find_map(|statement| match statement.effect {
                Effect::Deny => Some(Effect::Deny),
                Effect::Allow => {
                    allowed = Some(Effect::Allow);
                    None
                }
            })
            .or(allowed)
    }
}

fn read_version(node: &Node) -> Result<Version, PolicyError> {
    match node {
        Node::Text(text) if text == "2008-10-17" => Ok(Version::V2008),
        Node::Text(text) if text == "2012-10-17" => Ok(Version::V2012),
        _ => Err(PolicyError::rule("Version must be \"2012-10-17\" or \"2008-10-17\"")),
    }
}
