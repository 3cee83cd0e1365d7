//! The roles and policies of an account: what happens to them, and what there is then. They are kept
//! and returned; what a role may do, nobody asks.

use std::collections::{BTreeMap, BTreeSet};

use lineside_core::stamp::Stamp;
use serde::{Deserialize, Serialize};

use crate::ledger::Account;

/// What happens to roles and policies; the form in the store.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(crate) enum IamEvent {
    RoleCreated { role: String, settings: RoleSettings },
    RoleDeleted { role: String },
    PolicyCreated { arn: String, settings: PolicySettings },
    PolicyDeleted { arn: String },
    PolicyAttached { role: String, arn: String },
    PolicyDetached { role: String, arn: String },
    InlinePolicyPut { role: String, policy: String, document: String },
    InlinePolicyDeleted { role: String, policy: String },
}

/// What a role is made with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct RoleSettings {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) trust: String,
    pub(crate) description: Option<String>,
    /// Seconds.
    pub(crate) session: i32,
    pub(crate) boundary: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// What a policy is made with.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct PolicySettings {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) document: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A role as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RoleState {
    pub(crate) created: Stamp,
    pub(crate) settings: RoleSettings,
    pub(crate) attached: BTreeSet<String>,
    pub(crate) inline: BTreeMap<String, String>,
}

/// A policy as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PolicyState {
    pub(crate) created: Stamp,
    pub(crate) settings: PolicySettings,
}

/// What an account has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct IamAccount {
    /// By name, in the case that they were given; names differ in more than case.
    pub(crate) roles: BTreeMap<String, RoleState>,
    /// By ARN.
    pub(crate) policies: BTreeMap<String, PolicyState>,
}

impl IamAccount {
    /// Names are unique whatever their case (API reference, CreateRole, RoleName).
    pub(crate) fn has_role(&self, name: &str) -> bool {
        self.roles.keys().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Likewise of policies.
    pub(crate) fn has_policy(&self, name: &str) -> bool {
        self.policies.values().any(|known| known.settings.name.eq_ignore_ascii_case(name))
    }

    /// How many roles a policy is attached to.
    pub(crate) fn attachments(&self, arn: &str) -> usize {
        self.roles.values().filter(|role| role.attached.contains(arn)).count()
    }

    fn with_role(&mut self, name: &str, change: impl FnOnce(&mut RoleState)) {
        if let Some(role) = self.roles.get_mut(name) {
            change(role);
        }
    }
}

impl Account for IamAccount {
    type Event = IamEvent;

    const SOURCE: &'static str = "urn:lineside:aws:iam";

    fn evolve(&mut self, at: Stamp, event: IamEvent) {
        match event {
            IamEvent::RoleCreated { role, settings } => {
                let state = RoleState { created: at, settings, ..RoleState::default() };
                self.roles.insert(role, state);
            }
            IamEvent::RoleDeleted { role } => drop(self.roles.remove(&role)),
            IamEvent::PolicyCreated { arn, settings } => {
                self.policies.insert(arn, PolicyState { created: at, settings });
            }
            IamEvent::PolicyDeleted { arn } => drop(self.policies.remove(&arn)),
            IamEvent::PolicyAttached { role, arn } => {
                self.with_role(&role, |role| {
                    role.attached.insert(arn);
                });
            }
            IamEvent::PolicyDetached { role, arn } => {
                self.with_role(&role, |role| {
                    role.attached.remove(&arn);
                });
            }
            IamEvent::InlinePolicyPut { role, policy, document } => {
                self.with_role(&role, |role| drop(role.inline.insert(policy, document)));
            }
            IamEvent::InlinePolicyDeleted { role, policy } => {
                self.with_role(&role, |role| drop(role.inline.remove(&policy)));
            }
        }
    }

    fn kind(event: &IamEvent) -> String {
        let what = match event {
            IamEvent::RoleCreated { .. } => "role-created",
            IamEvent::RoleDeleted { .. } => "role-deleted",
            IamEvent::PolicyCreated { .. } => "policy-created",
            IamEvent::PolicyDeleted { .. } => "policy-deleted",
            IamEvent::PolicyAttached { .. } => "policy-attached",
            IamEvent::PolicyDetached { .. } => "policy-detached",
            IamEvent::InlinePolicyPut { .. } => "inline-policy-put",
            IamEvent::InlinePolicyDeleted { .. } => "inline-policy-deleted",
        };
        format!("lineside.aws.iam.{what}.v1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(events: impl IntoIterator<Item = IamEvent>) -> IamAccount {
        let mut account = IamAccount::default();
        events.into_iter().for_each(|event| account.evolve(Stamp(7), event));
        account
    }

    fn created(role: &str) -> IamEvent {
        IamEvent::RoleCreated { role: role.to_owned(), settings: RoleSettings::default() }
    }

    #[test]
    fn given_a_role_then_what_is_attached_to_it_is_counted_until_it_is_detached() {
        let (role, arn) = ("r".to_owned(), "arn:p".to_owned());
        let attached = IamEvent::PolicyAttached { role: role.clone(), arn: arn.clone() };
        let account = folded([created("r"), attached.clone()]);
        assert_eq!((account.attachments("arn:p"), account.attachments("arn:q")), (1, 0));
        let detached = IamEvent::PolicyDetached { role, arn };
        assert_eq!(folded([created("r"), attached, detached]), folded([created("r")]));
    }

    #[test]
    fn given_a_name_then_it_is_taken_in_any_case() {
        let account = folded([created("Reader")]);
        assert!(account.has_role("reader") && !account.has_role("readers"));
        let deleted = IamEvent::RoleDeleted { role: "Reader".to_owned() };
        assert!(!folded([created("Reader"), deleted]).has_role("Reader"));
    }

    #[test]
    fn what_happens_to_a_role_that_is_gone_changes_nothing() {
        let put = IamEvent::InlinePolicyPut {
            role: "r".to_owned(),
            policy: "p".to_owned(),
            document: "{}".to_owned(),
        };
        assert_eq!(folded([put]), IamAccount::default());
    }

    #[test]
    fn each_event_is_read_as_it_was_written() {
        let settings = PolicySettings { id: "i".to_owned(), ..PolicySettings::default() };
        let event = IamEvent::PolicyCreated { arn: "a".to_owned(), settings };
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.starts_with(r#"{"what":"policy-created","arn":"a""#), "{text}");
        assert_eq!(serde_json::from_str::<IamEvent>(&text).unwrap(), event);
        assert_eq!(IamAccount::kind(&event), "lineside.aws.iam.policy-created.v1");
    }
}
