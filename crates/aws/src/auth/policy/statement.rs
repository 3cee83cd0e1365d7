//! One statement of a policy.

use super::action::Action;
use super::arn::ArnPattern;
use super::authorize::Asked;
use super::condition::Condition;
use super::error::shown;
use super::node::Node;
use super::pattern::Pattern;
use super::principal::Principals;
use super::{Context, PolicyError, Version};

/// Whom a statement is about, what it is about, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statement {
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    principals: Principals,
    actions: Actions,
    resources: Resources,
    conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Actions {
    negated: bool,
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Resources {
    negated: bool,
    patterns: Vec<ArnPattern>,
}

/// The elements, before each is known to be there once.
#[derive(Default)]
struct Draft {
    sid: Option<String>,
    effect: Option<Effect>,
    principals: Option<Principals>,
    actions: Option<Actions>,
    resources: Option<Resources>,
    conditions: Vec<Condition>,
}

impl Statement {
    pub(super) fn read(node: Node, version: Version) -> Result<Statement, PolicyError> {
        let mut draft = Draft::default();
        for (name, node) in node.into_object("A statement")? {
            draft.take(&name, node, version)?;
        }
        let statement = Statement {
            sid: draft.sid,
            effect: draft.effect.ok_or_else(|| PolicyError::missing("Effect"))?,
            principals: draft.principals.ok_or_else(|| PolicyError::missing("Principal"))?,
            actions: draft.actions.ok_or_else(|| PolicyError::missing("Action"))?,
            resources: draft.resources.ok_or_else(|| PolicyError::missing("Resource"))?,
            conditions: draft.conditions,
        };
        // Everybody but some, strangers included: IAM does not support it either.
        if statement.effect == Effect::Allow && statement.principals.negated {
            return Err(PolicyError::rule("NotPrincipal must be used with \"Effect\": \"Deny\""));
        }
        Ok(statement)
    }

    /// Whether it is about this request.
    pub(super) fn applies(&self, asked: &Asked<'_>) -> bool {
        self.principals.include(asked.principal)
            && self.actions.include(asked.action, asked.context)
            && self.resources.include(asked.resource, asked.context)
            && self.conditions.iter().all(|condition| condition.holds(asked.context))
    }
}

impl Draft {
    fn take(&mut self, name: &str, node: Node, version: Version) -> Result<(), PolicyError> {
        let negated = name.starts_with("Not");
        match name {
            "Sid" => self.sid = Some(node.into_text("Sid")?),
            "Effect" => self.effect = Some(read_effect(&node)?),
            "Principal" | "NotPrincipal" => {
                once(&mut self.principals, "Principal", Principals::read(node, negated)?)?;
            }
            "Action" | "NotAction" => {
                once(&mut self.actions, "Action", Actions::read(node, negated)?)?;
            }
            "Resource" | "NotResource" => {
                once(&mut self.resources, "Resource", Resources::read(node, negated, version)?)?;
            }
            "Condition" => self.conditions = Condition::read_block(node, version)?,
            _ => return Err(PolicyError::unknown(name, "a statement")),
        }
        Ok(())
    }
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), PolicyError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(PolicyError::rule(format!("a statement has {name} or Not{name}, not both"))),
    }
}

fn read_effect(node: &Node) -> Result<Effect, PolicyError> {
    match node {
        Node::Text(text) if text == "Allow" => Ok(Effect::Allow),
        Node::Text(text) if text == "Deny" => Ok(Effect::Deny),
        _ => Err(PolicyError::rule("Effect must be \"Allow\" or \"Deny\"")),
    }
}

impl Actions {
    /// `*`, or `service:pattern`; the same in any case, and without variables.
    fn read(node: Node, negated: bool) -> Result<Actions, PolicyError> {
        let names = node.into_texts("Action")?;
        if names.is_empty() {
            return Err(PolicyError::missing("Action"));
        }
        let read = |name: &String| {
            let named = name.split_once(':').is_some_and(|(service, rest)| {
                !service.is_empty() && !rest.is_empty() && !service.contains(['*', '?'])
            });
            if !named && name != "*" {
                let sentence = format!("the action {:?} must be * or sqs:…", shown(name));
                return Err(PolicyError::rule(sentence));
            }
            Ok(Pattern::read(name, true, Version::V2008)?.folded())
        };
        Ok(Actions { negated, patterns: names.iter().map(read).collect::<Result<_, _>>()? })
    }

    fn include(&self, action: Action, context: &Context) -> bool {
        let name = action.lower();
        self.patterns.iter().any(|pattern| pattern.matches(&name, context)) != self.negated
    }
}

impl Resources {
    fn read(node: Node, negated: bool, version: Version) -> Result<Resources, PolicyError> {
        let arns = node.into_texts("Resource")?;
        if arns.is_empty() {
            return Err(PolicyError::missing("Resource"));
        }
        let read = |arn: &String| ArnPattern::of_resource(arn, version);
        Ok(Resources { negated, patterns: arns.iter().map(read).collect::<Result<_, _>>()? })
    }

    fn include(&self, arn: &str, context: &Context) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(arn, context)) != self.negated
    }
}
