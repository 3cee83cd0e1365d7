//! The policies of a role: attached ones, which exist by themselves, and inline ones, which are its own.

use super::account::{IamAccount, IamEvent};
use super::error::no_such_entity;
use super::page::page;
use super::policy::arn_of;
use super::role::{find, name_of};
use super::{Call, Nothing, encoded, rule};
use crate::generated::iam::{
    AttachRolePolicyRequest, AttachedPolicy, DeleteRolePolicyRequest, DetachRolePolicyRequest,
    GetRolePolicyRequest, GetRolePolicyResponse, ListAttachedRolePoliciesRequest,
    ListAttachedRolePoliciesResponse, ListRolePoliciesRequest, ListRolePoliciesResponse,
    PutRolePolicyRequest,
};
use crate::protocol::WireError;

/// Most characters of an inline policy's name (API reference, PutRolePolicy).
const NAME_CHARS_MAX: usize = 128;

/// What AWS's own policies begin with; they are not here, and any of them can be attached.
const MANAGED_BY_AWS: &str = "arn:aws:iam::aws:policy/";

pub(super) async fn attach(
    call: Call<'_>,
    request: AttachRolePolicyRequest,
) -> Result<Nothing, WireError> {
    let (role, arn) = (name_of(request.role_name)?, arn_of(request.policy_arn)?);
    let decide = |account: &IamAccount| {
        let found = find(account, &role)?;
        if !arn.starts_with(MANAGED_BY_AWS) && !account.policies.contains_key(&arn) {
            let message = format!("Policy {arn} does not exist or is not attachable.");
            return Err(no_such_entity(message));
        }
        let attached = IamEvent::PolicyAttached { role: role.clone(), arn: arn.clone() };
        let events = if found.attached.contains(&arn) { vec![] } else { vec![attached] };
        Ok((events, Nothing {}))
    };
    call.change(decide).await
}

pub(super) async fn detach(
    call: Call<'_>,
    request: DetachRolePolicyRequest,
) -> Result<Nothing, WireError> {
    let (role, arn) = (name_of(request.role_name)?, arn_of(request.policy_arn)?);
    let decide = |account: &IamAccount| {
        if !find(account, &role)?.attached.contains(&arn) {
            return Err(no_such_entity(format!("Policy {arn} was not found.")));
        }
        let detached = IamEvent::PolicyDetached { role: role.clone(), arn: arn.clone() };
        Ok((vec![detached], Nothing {}))
    };
    call.change(decide).await
}

pub(super) async fn list_attached(
    call: Call<'_>,
    request: ListAttachedRolePoliciesRequest,
) -> Result<ListAttachedRolePoliciesResponse, WireError> {
    let name = name_of(request.role_name)?;
    let account = call.account().await?;
    let attached = find(&account, &name)?.attached.iter().map(|arn| (arn, arn));
    let page = page(attached, request.max_items, request.marker.as_deref())?;
    let policies = page.items.into_iter().map(|arn| AttachedPolicy {
        policy_name: arn.rsplit('/').next().map(str::to_owned),
        policy_arn: Some(arn.clone()),
    });
    Ok(ListAttachedRolePoliciesResponse {
        attached_policies: Some(policies.collect()),
        is_truncated: Some(page.truncated),
        marker: page.marker,
    })
}

pub(super) async fn put(
    call: Call<'_>,
    request: PutRolePolicyRequest,
) -> Result<Nothing, WireError> {
    let (role, policy) = (name_of(request.role_name)?, inline_name(request.policy_name)?);
    let document = rule::document("policyDocument", request.policy_document)?;
    let decide = |account: &IamAccount| {
        find(account, &role)?;
        let (role, policy, document) = (role.clone(), policy.clone(), document.clone());
        Ok((vec![IamEvent::InlinePolicyPut { role, policy, document }], Nothing {}))
    };
    call.change(decide).await
}

pub(super) async fn get(
    call: Call<'_>,
    request: GetRolePolicyRequest,
) -> Result<GetRolePolicyResponse, WireError> {
    let (role, policy) = (name_of(request.role_name)?, inline_name(request.policy_name)?);
    let account = call.account().await?;
    let document = find(&account, &role)?.inline.get(&policy).ok_or_else(|| unknown(&policy))?;
    Ok(GetRolePolicyResponse {
        role_name: Some(role),
        policy_document: Some(encoded(document)),
        policy_name: Some(policy),
    })
}

pub(super) async fn list(
    call: Call<'_>,
    request: ListRolePoliciesRequest,
) -> Result<ListRolePoliciesResponse, WireError> {
    let name = name_of(request.role_name)?;
    let account = call.account().await?;
    let names = find(&account, &name)?.inline.keys().map(|name| (name, name.clone()));
    let page = page(names, request.max_items, request.marker.as_deref())?;
    let (is_truncated, marker) = (Some(page.truncated), page.marker);
    Ok(ListRolePoliciesResponse { policy_names: Some(page.items), is_truncated, marker })
}

pub(super) async fn delete(
    call: Call<'_>,
    request: DeleteRolePolicyRequest,
) -> Result<Nothing, WireError> {
    let (role, policy) = (name_of(request.role_name)?, inline_name(request.policy_name)?);
    let decide = |account: &IamAccount| {
        if !find(account, &role)?.inline.contains_key(&policy) {
            return Err(unknown(&policy));
        }
        let (role, policy) = (role.clone(), policy.clone());
        Ok((vec![IamEvent::InlinePolicyDeleted { role, policy }], Nothing {}))
    };
    call.change(decide).await
}

fn inline_name(given: Option<String>) -> Result<String, WireError> {
    rule::name("policyName", given, NAME_CHARS_MAX)
}

fn unknown(policy: &str) -> WireError {
    no_such_entity(format!("The role policy with name {policy} cannot be found."))
}
