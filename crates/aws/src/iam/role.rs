//! Roles.

use super::account::{IamAccount, IamEvent, RoleSettings, RoleState};
use super::error::{already_exists, conflict, invalid, no_such_role};
use super::page::page;
use super::{Call, Nothing, arn, encoded, moment, rule};
use crate::generated::iam::{
    AttachedPermissionsBoundary, CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest,
    GetRoleRequest, GetRoleResponse, ListRolesRequest, ListRolesResponse, Role,
};
use crate::protocol::WireError;

/// Most characters of a role's name (API reference, CreateRole).
const NAME_CHARS_MAX: usize = 64;
/// How long a session lasts when nothing is said, in seconds.
const SESSION: i32 = 3600;

pub(super) fn name_of(given: Option<String>) -> Result<String, WireError> {
    rule::name("roleName", given, NAME_CHARS_MAX)
}

pub(super) fn find<'a>(account: &'a IamAccount, name: &str) -> Result<&'a RoleState, WireError> {
    account.roles.get(name).ok_or_else(|| no_such_role(name))
}

pub(super) async fn create(
    call: Call<'_>,
    request: CreateRoleRequest,
) -> Result<CreateRoleResponse, WireError> {
    let role = name_of(request.role_name)?;
    let session = request.max_session_duration.unwrap_or(SESSION);
    if !(3600..=43_200).contains(&session) {
        let rule = "value between 3600 and 43200";
        return Err(invalid("maxSessionDuration", &session.to_string(), rule));
    }
    let settings = RoleSettings {
        id: rule::fresh_id("AROA"),
        path: rule::path(request.path)?,
        trust: rule::document("assumeRolePolicyDocument", request.assume_role_policy_document)?,
        description: request.description,
        session,
        boundary: request.permissions_boundary,
        tags: rule::tags(request.tags)?,
    };
    let decide = |account: &IamAccount| {
        if account.has_role(&role) {
            return Err(already_exists(format!("Role with name {role} already exists.")));
        }
        let created = IamEvent::RoleCreated { role: role.clone(), settings: settings.clone() };
        Ok((vec![created], ()))
    };
    call.change(decide).await?;
    let account = call.account().await?;
    Ok(CreateRoleResponse { role: Some(shown(call, &role, find(&account, &role)?)) })
}

pub(super) async fn get(
    call: Call<'_>,
    request: GetRoleRequest,
) -> Result<GetRoleResponse, WireError> {
    let name = name_of(request.role_name)?;
    let account = call.account().await?;
    Ok(GetRoleResponse { role: Some(shown(call, &name, find(&account, &name)?)) })
}

pub(super) async fn list(
    call: Call<'_>,
    request: ListRolesRequest,
) -> Result<ListRolesResponse, WireError> {
    let prefix = request.path_prefix.unwrap_or_default();
    let account = call.account().await?;
    let roles = account.roles.iter().filter(|(_, role)| role.settings.path.starts_with(&prefix));
    let roles = roles.map(|(name, role)| (name, (name, role)));
    let page = page(roles, request.max_items, request.marker.as_deref())?;
    let roles = page.items.into_iter().map(|(name, role)| shown(call, name, role)).collect();
    let (is_truncated, marker) = (Some(page.truncated), page.marker);
    Ok(ListRolesResponse { roles: Some(roles), is_truncated, marker })
}

pub(super) async fn delete(
    call: Call<'_>,
    request: DeleteRoleRequest,
) -> Result<Nothing, WireError> {
    let role = name_of(request.role_name)?;
    let decide = |account: &IamAccount| {
        let found = find(account, &role)?;
        if !found.attached.is_empty() {
            return Err(conflict("Cannot delete entity, must detach all policies first."));
        }
        if !found.inline.is_empty() {
            return Err(conflict("Cannot delete entity, must delete policies first."));
        }
        Ok((vec![IamEvent::RoleDeleted { role: role.clone() }], Nothing {}))
    };
    call.change(decide).await
}

fn shown(call: Call<'_>, name: &str, role: &RoleState) -> Role {
    let RoleSettings { id, path, trust, description, session, boundary, tags } = &role.settings;
    let boundary = boundary.as_ref().map(|arn| AttachedPermissionsBoundary {
        permissions_boundary_type: Some("Policy".to_owned()),
        permissions_boundary_arn: Some(arn.clone()),
    });
    Role {
        path: Some(path.clone()),
        role_name: Some(name.to_owned()),
        role_id: Some(id.clone()),
        arn: Some(arn(call, "role", path, name)),
        create_date: Some(moment(role.created)),
        assume_role_policy_document: Some(encoded(trust)),
        description: description.clone(),
        max_session_duration: Some(*session),
        permissions_boundary: boundary,
        tags: rule::shown_tags(tags),
        ..Role::default()
    }
}
