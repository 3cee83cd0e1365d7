//! AddPermission: one more statement in the queue's policy.

use lineside_core::id::Name;
use serde_json::{Map, Value, json};

use super::error::{error, invalid_value, missing_parameter};
use super::permissions::{check_label, edit, is_labelled, read, statements};
use super::{Call, Nothing, name};
use crate::address::is_account;
use crate::auth::policy::{Action, Policy};
use crate::generated::sqs::AddPermissionRequest;
use crate::protocol::WireError;

/// Most actions of a statement (developer guide, "Quotas related to policies").
const ACTIONS_MAX: usize = 7;
/// Most statements of a policy, and so most permissions of a queue.
const STATEMENTS_MAX: usize = 20;

pub(super) async fn answer(
    call: Call<'_>,
    request: AddPermissionRequest,
) -> Result<Nothing, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let label = check_label(request.label)?;
    let accounts = given("AWSAccountIds", request.aws_account_ids)?;
    let actions = given("Actions", request.actions)?;
    check_accounts(&accounts)?;
    check_actions(&actions)?;
    let statement = statement(&queue, &label, &accounts, &actions);
    edit(call, &queue, |policy| with(policy, &queue, &label, statement.clone())).await
}

fn given(name: &str, list: Option<Vec<String>>) -> Result<Vec<String>, WireError> {
    list.filter(|list| !list.is_empty()).ok_or_else(|| missing_parameter(name))
}

fn check_accounts(accounts: &[String]) -> Result<(), WireError> {
    match accounts.iter().find(|account| !is_account(account)) {
        None => Ok(()),
        Some(account) => {
            let shown: String = account.chars().take(80).collect();
            Err(invalid_value(shown, "PrincipalId", "Unable to verify."))
        }
    }
}

/// Only what others may be let do at all can be granted; `*` grants all of that.
fn check_actions(actions: &[String]) -> Result<(), WireError> {
    if actions.len() > ACTIONS_MAX {
        let many = actions.len();
        let message = format!("{many} Actions were found, maximum allowed is {ACTIONS_MAX}.");
        return Err(error("OverLimit", message));
    }
    for action in actions {
        let shown: String = action.chars().take(80).collect();
        match Action::of_operation(action) {
            _ if action == "*" => {}
            Some(known) if known.is_shared() => {}
            Some(_) => {
                let reason = "Only the queue owner is allowed to invoke this action.";
                return Err(invalid_value(format!("SQS:{shown}"), "ActionName", reason));
            }
            None => {
                let reason = "Please refer to the appropriate WSDL for a list of valid actions.";
                return Err(invalid_value(format!("SQS:{shown}"), "ActionName", reason));
            }
        }
    }
    Ok(())
}

fn statement(queue: &Name, label: &str, accounts: &[String], actions: &[String]) -> Value {
    let principals = accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
    let actions = actions.iter().map(|action| format!("SQS:{action}"));
    json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(principals.collect()) },
        "Action": one_or_many(actions.collect()),
        "Resource": name::arn(queue),
    })
}

fn one_or_many(mut texts: Vec<String>) -> Value {
    match texts.len() {
        1 => Value::from(texts.remove(0)),
        _ => Value::from(texts),
    }
}

/// The policy with one more statement.
fn with(
    policy: Option<&str>,
    queue: &Name,
    label: &str,
    statement: Value,
) -> Result<Option<String>, WireError> {
    let mut policy = read(policy).unwrap_or_else(|| fresh(queue));
    let statements = statements(&mut policy);
    if statements.iter().any(|known| is_labelled(known, label)) {
        return Err(invalid_value(label, "Label", "Already exists."));
    }
    if statements.len() >= STATEMENTS_MAX {
        let message = format!("A policy has at most {STATEMENTS_MAX} statements.");
        return Err(error("OverLimit", message));
    }
    statements.push(statement);
    let text = Value::Object(policy).to_string();
    match Policy::parse(&text) {
        Ok(_) => Ok(Some(text)),
        // Too long, that is: each part of it is well formed.
        Err(why) => Err(error("OverLimit", format!("The permission does not fit: {why}."))),
    }
}

/// As SQS begins one for the first permission.
fn fresh(queue: &Name) -> Map<String, Value> {
    let mut policy = Map::new();
    policy.insert("Version".to_owned(), Value::from("2008-10-17"));
    policy.insert("Id".to_owned(), Value::from(format!("{}/SQSDefaultPolicy", name::arn(queue))));
    policy
}
