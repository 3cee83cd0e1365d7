//! Who asks, and whom a statement is about.

use super::PolicyError;
use super::error::shown;
use super::node::Node;
use crate::address::is_account;
use crate::auth::sigv4::Signer;

/// Most principals of a statement (developer guide, "Quotas related to policies": 50; whether of a
/// statement or of the whole policy it does not say, so the wider reading holds).
const PRINCIPALS_MAX: usize = 50;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The holder of an access key. There are no users here, so that each key counts as a user of
    /// its own who is called like the key's id, and may do everything within its account.
    Key {
        /// The account of the key.
        account: String,
        /// `arn:aws:iam::ACCOUNT:user/KEY`.
        arn: String,
        /// The key's id.
        name: String,
    },
    /// A service, such as `sns.amazonaws.com`.
    Service(String),
}

impl Principal {
    /// The holder of an access key of an account.
    pub fn of_key(account: &str, key_id: &str) -> Principal {
        Principal::Key {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:user/{key_id}"),
            name: key_id.to_owned(),
        }
    }

    /// Who signed a request.
    pub fn of_signer(signer: &Signer) -> Principal {
        Principal::of_key(&signer.account, &signer.key_id)
    }

    /// How a refusal names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Principal::Key { arn, .. } => format!("User: {arn}"),
            Principal::Service(name) => format!("Service: {name}"),
        }
    }

    /// Whether it belongs to an account.
    pub(super) fn is_of(&self, owner: &str) -> bool {
        matches!(self, Principal::Key { account, .. } if account == owner)
    }
}

/// Whom a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principals {
    /// `NotPrincipal`: everybody else.
    pub(super) negated: bool,
    who: Vec<Who>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Everyone,
    Account(String),
    Arn(String),
    Service(String),
    /// Users of other identity providers, canonical users of S3, users who are gone: nobody here.
    Nobody,
}

impl Principals {
    pub(super) fn read(node: Node, negated: bool) -> Result<Principals, PolicyError> {
        let who = match node {
            Node::Text(text) if text == "*" => vec![Who::Everyone],
            Node::Object(kinds) => {
                let lists = kinds.into_iter().map(|(kind, node)| read_kind(&kind, node));
                lists.collect::<Result<Vec<_>, _>>()?.concat()
            }
            _ => return Err(PolicyError::rule("Principal must be \"*\" or an object")),
        };
        if who.is_empty() || who.len() > PRINCIPALS_MAX {
            return Err(PolicyError::Many("principals", who.len(), PRINCIPALS_MAX));
        }
        Ok(Principals { negated, who })
    }

    pub(super) fn include(&self, principal: &Principal) -> bool {
        self.who.iter().any(|who| who.is(principal)) != self.negated
    }
}

fn read_kind(kind: &str, node: Node) -> Result<Vec<Who>, PolicyError> {
    let names = node.into_texts("a principal")?;
    let read: fn(String) -> Result<Who, PolicyError> = match kind {
        "AWS" => read_aws,
        "Service" => read_service,
        "Federated" | "CanonicalUser" => |_| Ok(Who::Nobody),
        _ => return Err(PolicyError::unknown(kind, "a principal")),
    };
    names.into_iter().map(read).collect()
}

/// An account's number, the ARN of an account, a user, a role or a session, or the id of one that
/// is gone. No wildcard stands within (IAM user guide, "Principal").
fn read_aws(name: String) -> Result<Who, PolicyError> {
    if name == "*" {
        return Ok(Who::Everyone);
    }
    if is_account(&name) {
        return Ok(Who::Account(name));
    }
    let gone = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if (16..=128).contains(&name.len()) && name.bytes().all(gone) {
        return Ok(Who::Nobody);
    }
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    let ["arn", partition, "iam" | "sts", "", account, rest] = parts.as_slice() else {
        return Err(invalid(&name));
    };
    let plain = is_account(account) && !partition.is_empty() && !rest.contains(['*', '?']);
    match (plain, *rest) {
        (false, _) | (true, "") => Err(invalid(&name)),
        (true, "root") => Ok(Who::Account((*account).to_owned())),
        (true, _) => Ok(Who::Arn(name)),
    }
}

fn read_service(name: String) -> Result<Who, PolicyError> {
    match name.as_str() {
        "*" | "" => Err(invalid(&name)),
        _ => Ok(Who::Service(name)),
    }
}

fn invalid(name: &str) -> PolicyError {
    PolicyError::rule(format!("{:?} is no principal", shown(name)))
}

impl Who {
    fn is(&self, principal: &Principal) -> bool {
        match (self, principal) {
            (Who::Everyone, _) => true,
            (Who::Account(number), Principal::Key { account, .. }) => number == account,
            (Who::Arn(name), Principal::Key { arn, .. }) => name == arn,
            (Who::Service(name), Principal::Service(service)) => name == service,
            (Who::Account(_) | Who::Arn(_) | Who::Service(_) | Who::Nobody, _) => false,
        }
    }
}
