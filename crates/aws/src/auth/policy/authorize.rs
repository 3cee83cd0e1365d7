//! The one place that says whether a request may be answered.

use std::fmt;

use http::StatusCode;

use super::statement::Effect;
use super::{Action, Context, Policy, Principal};

/// Who asks for what.
pub(super) struct Asked<'a> {
    pub(super) principal: &'a Principal,
    pub(super) action: Action,
    pub(super) resource: &'a str,
    pub(super) context: &'a Context,
}

/// A request that may not be answered. The texts are those of SQS's answers, as users of AWS's SDKs
/// have quoted them; the action is in lower case there too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    principal: String,
    action: String,
    resource: String,
    explicit: bool,
}

/// Says whether a principal may do something with the resource that an ARN names, under the
/// resource's policy.
///
/// # Errors
/// [`Denied`], if a statement denies it, or if the resource belongs to another account and no
/// statement allows it, or none may.
pub fn authorize(
    principal: &Principal,
    action: Action,
    resource: &str,
    context: &Context,
    policy: Option<&Policy>,
) -> Result<(), Denied> {
    let asked = Asked { principal, action, resource, context };
    let verdict = policy.and_then(|policy| policy.verdict(&asked));
    let owner = resource.split(':').nth(4).unwrap_or_default();
    let allowed = match verdict {
        Some(Effect::Deny) => false,
        _ if principal.is_of(owner) => true,
        Some(Effect::Allow) => action.is_shared(),
        None => false,
    };
    if allowed {
        return Ok(());
    }
    Err(Denied {
        principal: principal.shown(),
        action: action.lower(),
        resource: resource.to_owned(),
        explicit: verdict == Some(Effect::Deny),
    })
}

impl Denied {
    /// The code of the Query protocol, and of `x-amzn-query-error`.
    pub const CODE: &'static str = "AccessDenied";
    /// The name that AWS's JSON protocols give the same error.
    pub const JSON_CODE: &'static str = "AccessDeniedException";
    /// The status, the same in each protocol.
    pub const STATUS: StatusCode = StatusCode::FORBIDDEN;
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denied { principal, action, resource, explicit } = self;
        write!(f, "{principal} is not authorized to perform: {action} on resource: {resource} ")?;
        if *explicit {
            f.write_str("with an explicit deny in a resource-based policy")
        } else {
            write!(f, "because no resource-based policy allows the {action} action")
        }
    }
}

impl std::error::Error for Denied {}
