//! Managed policies: one version each, which is what those who create them here need.

use super::account::{IamAccount, IamEvent, PolicySettings, PolicyState};
use super::error::{already_exists, conflict, invalid, missing, no_such_entity};
use super::page::page;
use super::{Call, Nothing, arn, encoded, moment, rule};
use crate::generated::iam::{
    CreatePolicyRequest, CreatePolicyResponse, DeletePolicyRequest, GetPolicyRequest,
    GetPolicyResponse, GetPolicyVersionRequest, GetPolicyVersionResponse, ListPoliciesRequest,
    ListPoliciesResponse, Policy, PolicyVersion,
};
use crate::protocol::WireError;

/// Most characters of a policy's name (API reference, CreatePolicy).
const NAME_CHARS_MAX: usize = 128;
/// The only version that there is.
const VERSION: &str = "v1";

fn find<'a>(account: &'a IamAccount, arn: &str) -> Result<&'a PolicyState, WireError> {
    let missing = || no_such_entity(format!("Policy {arn} was not found."));
    account.policies.get(arn).ok_or_else(missing)
}

pub(super) fn arn_of(given: Option<String>) -> Result<String, WireError> {
    let arn = given.ok_or_else(|| missing("policyArn"))?;
    match arn.starts_with("arn:") && (20..=2048).contains(&arn.len()) {
        true => Ok(arn),
        false => Err(invalid("policyArn", &arn, "length greater than or equal to 20")),
    }
}

pub(super) async fn create(
    call: Call<'_>,
    request: CreatePolicyRequest,
) -> Result<CreatePolicyResponse, WireError> {
    let name = rule::name("policyName", request.policy_name, NAME_CHARS_MAX)?;
    let settings = PolicySettings {
        id: rule::fresh_id("ANPA"),
        path: rule::path(request.path)?,
        document: rule::document("policyDocument", request.policy_document)?,
        description: request.description,
        tags: rule::tags(request.tags)?,
        name,
    };
    let arn = arn(call, "policy", &settings.path, &settings.name);
    let decide = |account: &IamAccount| {
        if account.has_policy(&settings.name) {
            let name = &settings.name;
            return Err(already_exists(format!("A policy called {name} already exists.")));
        }
        let created = IamEvent::PolicyCreated { arn: arn.clone(), settings: settings.clone() };
        Ok((vec![created], ()))
    };
    call.change(decide).await?;
    let account = call.account().await?;
    Ok(CreatePolicyResponse { policy: Some(shown(&account, &arn, find(&account, &arn)?)) })
}

pub(super) async fn get(
    call: Call<'_>,
    request: GetPolicyRequest,
) -> Result<GetPolicyResponse, WireError> {
    let arn = arn_of(request.policy_arn)?;
    let account = call.account().await?;
    Ok(GetPolicyResponse { policy: Some(shown(&account, &arn, find(&account, &arn)?)) })
}

pub(super) async fn version(
    call: Call<'_>,
    request: GetPolicyVersionRequest,
) -> Result<GetPolicyVersionResponse, WireError> {
    let arn = arn_of(request.policy_arn)?;
    let version = request.version_id.ok_or_else(|| missing("versionId"))?;
    let account = call.account().await?;
    let policy = find(&account, &arn)?;
    if version != VERSION {
        let message =
            format!("Policy {arn} version {version} does not exist or is not attachable.");
        return Err(no_such_entity(message));
    }
    let policy_version = PolicyVersion {
        document: Some(encoded(&policy.settings.document)),
        version_id: Some(version),
        is_default_version: Some(true),
        create_date: Some(moment(policy.created)),
    };
    Ok(GetPolicyVersionResponse { policy_version: Some(policy_version) })
}

pub(super) async fn list(
    call: Call<'_>,
    request: ListPoliciesRequest,
) -> Result<ListPoliciesResponse, WireError> {
    let prefix = request.path_prefix.unwrap_or_default();
    let only_attached = request.only_attached.unwrap_or(false);
    // AWS's own policies are not here.
    let none = request.scope.as_deref() == Some("AWS");
    let account = call.account().await?;
    let fits = |arn: &str, policy: &PolicyState| {
        let attached = !only_attached || account.attachments(arn) > 0;
        !none && attached && policy.settings.path.starts_with(&prefix)
    };
    let policies = account.policies.iter().filter(|(arn, policy)| fits(arn, policy));
    let policies = policies.map(|(arn, policy)| (arn, (arn, policy)));
    let page = page(policies, request.max_items, request.marker.as_deref())?;
    let shown = page.items.into_iter().map(|(arn, policy)| shown(&account, arn, policy)).collect();
    let (is_truncated, marker) = (Some(page.truncated), page.marker);
    Ok(ListPoliciesResponse { policies: Some(shown), is_truncated, marker })
}

pub(super) async fn delete(
    call: Call<'_>,
    request: DeletePolicyRequest,
) -> Result<Nothing, WireError> {
    let arn = arn_of(request.policy_arn)?;
    let decide = |account: &IamAccount| {
        find(account, &arn)?;
        if account.attachments(&arn) > 0 {
            return Err(conflict("Cannot delete a policy attached to entities."));
        }
        Ok((vec![IamEvent::PolicyDeleted { arn: arn.clone() }], Nothing {}))
    };
    call.change(decide).await
}

fn shown(account: &IamAccount, arn: &str, policy: &PolicyState) -> Policy {
    let PolicySettings { id, name, path, description, tags, .. } = &policy.settings;
    let date = Some(moment(policy.created));
    Policy {
        policy_name: Some(name.clone()),
        policy_id: Some(id.clone()),
        arn: Some(arn.to_owned()),
        path: Some(path.clone()),
        default_version_id: Some(VERSION.to_owned()),
        attachment_count: i32::try_from(account.attachments(arn)).ok(),
        permissions_boundary_usage_count: Some(0),
        is_attachable: Some(true),
        description: description.clone(),
        create_date: date.clone(),
        update_date: date,
        tags: rule::shown_tags(tags),
    }
}
