// Made by tools/gen from botocore 1.44.5, botocore/data/iam/2010-05-08/service-2.json,
// sha256 951ee47e135ddb432441e9ceb67cfe3ece38feb34c321c6bf05b037880666b3b.
// Do not edit: change the generator and run `make gen`.
//! Wire shapes of AWS Identity and Access Management: names, members, constraints.
#![allow(missing_docs, dead_code, unreachable_pub, reason = "names and lists of the model, whole")]

use serde::{Deserialize, Serialize};

/// The operations that are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    AttachRolePolicy,
    CreatePolicy,
    CreateRole,
    DeletePolicy,
    DeleteRole,
    DeleteRolePolicy,
    DetachRolePolicy,
    GetPolicy,
    GetPolicyVersion,
    GetRole,
    GetRolePolicy,
    ListAttachedRolePolicies,
    ListPolicies,
    ListRolePolicies,
    ListRoles,
    PutRolePolicy,
}

impl Operation {
    /// Every one, in the order of their names.
    pub const ALL: [Self; 16] = [
        Self::AttachRolePolicy,
        Self::CreatePolicy,
        Self::CreateRole,
        Self::DeletePolicy,
        Self::DeleteRole,
        Self::DeleteRolePolicy,
        Self::DetachRolePolicy,
        Self::GetPolicy,
        Self::GetPolicyVersion,
        Self::GetRole,
        Self::GetRolePolicy,
        Self::ListAttachedRolePolicies,
        Self::ListPolicies,
        Self::ListRolePolicies,
        Self::ListRoles,
        Self::PutRolePolicy,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AttachRolePolicy => "AttachRolePolicy",
            Self::CreatePolicy => "CreatePolicy",
            Self::CreateRole => "CreateRole",
            Self::DeletePolicy => "DeletePolicy",
            Self::DeleteRole => "DeleteRole",
            Self::DeleteRolePolicy => "DeleteRolePolicy",
            Self::DetachRolePolicy => "DetachRolePolicy",
            Self::GetPolicy => "GetPolicy",
            Self::GetPolicyVersion => "GetPolicyVersion",
            Self::GetRole => "GetRole",
            Self::GetRolePolicy => "GetRolePolicy",
            Self::ListAttachedRolePolicies => "ListAttachedRolePolicies",
            Self::ListPolicies => "ListPolicies",
            Self::ListRolePolicies => "ListRolePolicies",
            Self::ListRoles => "ListRoles",
            Self::PutRolePolicy => "PutRolePolicy",
        }
    }

    /// The one with this exact name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Operations of the service that are not here.
pub const OTHER_OPERATIONS: &[&str] = &[
    "AcceptDelegationRequest",
    "AcquireRole",
    "AddClientIDToOpenIDConnectProvider",
    "AddRoleToInstanceProfile",
    "AddUserToGroup",
    "AssociateDelegationRequest",
    "AttachGroupPolicy",
    "AttachUserPolicy",
    "ChangePassword",
    "CreateAccessKey",
    "CreateAccountAlias",
    "CreateDelegationRequest",
    "CreateGroup",
    "CreateInstanceProfile",
    "CreateLoginProfile",
    "CreateOpenIDConnectProvider",
    "CreatePolicyVersion",
    "CreateSAMLProvider",
    "CreateServiceLinkedRole",
    "CreateServiceSpecificCredential",
    "CreateUser",
    "CreateVirtualMFADevice",
    "DeactivateMFADevice",
    "DeleteAccessKey",
    "DeleteAccountAlias",
    "DeleteAccountPasswordPolicy",
    "DeleteGroup",
    "DeleteGroupPolicy",
    "DeleteInstanceProfile",
    "DeleteLoginProfile",
    "DeleteOpenIDConnectProvider",
    "DeletePolicyVersion",
    "DeleteRolePermissionsBoundary",
    "DeleteSAMLProvider",
    "DeleteSSHPublicKey",
    "DeleteServerCertificate",
    "DeleteServiceLinkedRole",
    "DeleteServiceSpecificCredential",
    "DeleteSigningCertificate",
    "DeleteUser",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DeleteVirtualMFADevice",
    "DetachGroupPolicy",
    "DetachUserPolicy",
    "DisableOrganizationsRootCredentialsManagement",
    "DisableOrganizationsRootSessions",
    "DisableOutboundWebIdentityFederation",
    "EnableMFADevice",
    "EnableOrganizationsRootCredentialsManagement",
    "EnableOrganizationsRootSessions",
    "EnableOutboundWebIdentityFederation",
    "GenerateCredentialReport",
    "GenerateOrganizationsAccessReport",
    "GenerateServiceLastAccessedDetails",
    "GetAccessKeyLastUsed",
    "GetAccountAuthorizationDetails",
    "GetAccountPasswordPolicy",
    "GetAccountProperties",
    "GetAccountSummary",
    "GetContextKeysForCustomPolicy",
    "GetContextKeysForPrincipalPolicy",
    "GetCredentialReport",
    "GetDelegationRequest",
    "GetGroup",
    "GetGroupPolicy",
    "GetHumanReadableSummary",
    "GetInstanceProfile",
    "GetLoginProfile",
    "GetMFADevice",
    "GetOpenIDConnectProvider",
    "GetOrganizationsAccessReport",
    "GetOutboundWebIdentityFederationInfo",
    "GetRoleTemplateVersion",
    "GetSAMLProvider",
    "GetSSHPublicKey",
    "GetServerCertificate",
    "GetServiceLastAccessedDetails",
    "GetServiceLastAccessedDetailsWithEntities",
    "GetServiceLinkedRoleDeletionStatus",
    "GetUser",
    "GetUserPolicy",
    "ListAccessKeys",
    "ListAccountAliases",
    "ListAttachedGroupPolicies",
    "ListAttachedUserPolicies",
    "ListDelegationRequests",
    "ListEntitiesForPolicy",
    "ListGroupPolicies",
    "ListGroups",
    "ListGroupsForUser",
    "ListInstanceProfileTags",
    "ListInstanceProfiles",
    "ListInstanceProfilesForRole",
    "ListMFADeviceTags",
    "ListMFADevices",
    "ListOpenIDConnectProviderTags",
    "ListOpenIDConnectProviders",
    "ListOrganizationsFeatures",
    "ListPoliciesGrantingServiceAccess",
    "ListPolicyTags",
    "ListPolicyVersions",
    "ListRoleTags",
    "ListSAMLProviderTags",
    "ListSAMLProviders",
    "ListSSHPublicKeys",
    "ListServerCertificateTags",
    "ListServerCertificates",
    "ListServiceSpecificCredentials",
    "ListSigningCertificates",
    "ListUserPolicies",
    "ListUserTags",
    "ListUsers",
    "ListVirtualMFADevices",
    "PutAccountProperties",
    "PutGroupPolicy",
    "PutRolePermissionsBoundary",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "RejectDelegationRequest",
    "RemoveClientIDFromOpenIDConnectProvider",
    "RemoveRoleFromInstanceProfile",
    "RemoveUserFromGroup",
    "ResetServiceSpecificCredential",
    "ResyncMFADevice",
    "SendDelegationToken",
    "SetDefaultPolicyVersion",
    "SetSecurityTokenServicePreferences",
    "SimulateCustomPolicy",
    "SimulatePrincipalPolicy",
    "TagInstanceProfile",
    "TagMFADevice",
    "TagOpenIDConnectProvider",
    "TagPolicy",
    "TagRole",
    "TagSAMLProvider",
    "TagServerCertificate",
    "TagUser",
    "UntagInstanceProfile",
    "UntagMFADevice",
    "UntagOpenIDConnectProvider",
    "UntagPolicy",
    "UntagRole",
    "UntagSAMLProvider",
    "UntagServerCertificate",
    "UntagUser",
    "UpdateAccessKey",
    "UpdateAccountPasswordPolicy",
    "UpdateAssumeRolePolicy",
    "UpdateDelegationRequest",
    "UpdateGroup",
    "UpdateLoginProfile",
    "UpdateOpenIDConnectProviderThumbprint",
    "UpdateRole",
    "UpdateRoleDescription",
    "UpdateSAMLProvider",
    "UpdateSSHPublicKey",
    "UpdateServerCertificate",
    "UpdateServiceSpecificCredential",
    "UpdateSigningCertificate",
    "UpdateUser",
    "UploadSSHPublicKey",
    "UploadServerCertificate",
    "UploadSigningCertificate",
];

/// Values of `PermissionsBoundaryAttachmentType`.
pub const PERMISSIONS_BOUNDARY_ATTACHMENT_TYPE: &[&str] = &["PermissionsBoundaryPolicy"];

/// Values of `PolicyUsageType`.
pub const POLICY_USAGE_TYPE: &[&str] = &["PermissionsPolicy", "PermissionsBoundary"];

/// Values of `policyScopeType`.
pub const POLICY_SCOPE_TYPE: &[&str] = &["All", "AWS", "Local"];

/// `AttachRolePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct AttachRolePolicyRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "PolicyArn")]
    pub policy_arn: Option<String>,
}

/// `AttachedPermissionsBoundary`.
#[derive(Debug, Default, Serialize)]
pub struct AttachedPermissionsBoundary {
    #[serde(rename = "PermissionsBoundaryType", skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_type: Option<String>,
    #[serde(rename = "PermissionsBoundaryArn", skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_arn: Option<String>,
}

/// `AttachedPolicy`.
#[derive(Debug, Default, Serialize)]
pub struct AttachedPolicy {
    #[serde(rename = "PolicyName", skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    #[serde(rename = "PolicyArn", skip_serializing_if = "Option::is_none")]
    pub policy_arn: Option<String>,
}

/// `CreatePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct CreatePolicyRequest {
    #[serde(rename = "PolicyName")]
    pub policy_name: Option<String>,
    #[serde(rename = "Path")]
    pub path: Option<String>,
    #[serde(rename = "PolicyDocument")]
    pub policy_document: Option<String>,
    #[serde(rename = "Description")]
    pub description: Option<String>,
    #[serde(rename = "Tags")]
    pub tags: Option<Vec<Tag>>,
}

/// `CreatePolicyResponse`.
#[derive(Debug, Default, Serialize)]
pub struct CreatePolicyResponse {
    #[serde(rename = "Policy", skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// `CreateRoleRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct CreateRoleRequest {
    #[serde(rename = "Path")]
    pub path: Option<String>,
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "AssumeRolePolicyDocument")]
    pub assume_role_policy_document: Option<String>,
    #[serde(rename = "Description")]
    pub description: Option<String>,
    #[serde(rename = "MaxSessionDuration")]
    pub max_session_duration: Option<i32>,
    #[serde(rename = "PermissionsBoundary")]
    pub permissions_boundary: Option<String>,
    #[serde(rename = "Tags")]
    pub tags: Option<Vec<Tag>>,
}

/// `CreateRoleResponse`.
#[derive(Debug, Default, Serialize)]
pub struct CreateRoleResponse {
    #[serde(rename = "Role", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// `DeletePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DeletePolicyRequest {
    #[serde(rename = "PolicyArn")]
    pub policy_arn: Option<String>,
}

/// `DeleteRolePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DeleteRolePolicyRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "PolicyName")]
    pub policy_name: Option<String>,
}

/// `DeleteRoleRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DeleteRoleRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
}

/// `DetachRolePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DetachRolePolicyRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "PolicyArn")]
    pub policy_arn: Option<String>,
}

/// `GetPolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetPolicyRequest {
    #[serde(rename = "PolicyArn")]
    pub policy_arn: Option<String>,
}

/// `GetPolicyResponse`.
#[derive(Debug, Default, Serialize)]
pub struct GetPolicyResponse {
    #[serde(rename = "Policy", skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// `GetPolicyVersionRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetPolicyVersionRequest {
    #[serde(rename = "PolicyArn")]
    pub policy_arn: Option<String>,
    #[serde(rename = "VersionId")]
    pub version_id: Option<String>,
}

/// `GetPolicyVersionResponse`.
#[derive(Debug, Default, Serialize)]
pub struct GetPolicyVersionResponse {
    #[serde(rename = "PolicyVersion", skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<PolicyVersion>,
}

/// `GetRolePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetRolePolicyRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "PolicyName")]
    pub policy_name: Option<String>,
}

/// `GetRolePolicyResponse`.
#[derive(Debug, Default, Serialize)]
pub struct GetRolePolicyResponse {
    #[serde(rename = "RoleName", skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    #[serde(rename = "PolicyName", skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    #[serde(rename = "PolicyDocument", skip_serializing_if = "Option::is_none")]
    pub policy_document: Option<String>,
}

/// `GetRoleRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetRoleRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
}

/// `GetRoleResponse`.
#[derive(Debug, Default, Serialize)]
pub struct GetRoleResponse {
    #[serde(rename = "Role", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// `ListAttachedRolePoliciesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListAttachedRolePoliciesRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "PathPrefix")]
    pub path_prefix: Option<String>,
    #[serde(rename = "Marker")]
    pub marker: Option<String>,
    #[serde(rename = "MaxItems")]
    pub max_items: Option<i32>,
}

/// `ListAttachedRolePoliciesResponse`.
#[derive(Debug, Default, Serialize)]
pub struct ListAttachedRolePoliciesResponse {
    #[serde(rename = "AttachedPolicies", skip_serializing_if = "Option::is_none")]
    pub attached_policies: Option<Vec<AttachedPolicy>>,
    #[serde(rename = "IsTruncated", skip_serializing_if = "Option::is_none")]
    pub is_truncated: Option<bool>,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// `ListPoliciesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListPoliciesRequest {
    #[serde(rename = "Scope")]
    pub scope: Option<String>,
    #[serde(rename = "OnlyAttached")]
    pub only_attached: Option<bool>,
    #[serde(rename = "PathPrefix")]
    pub path_prefix: Option<String>,
    #[serde(rename = "PolicyUsageFilter")]
    pub policy_usage_filter: Option<String>,
    #[serde(rename = "Marker")]
    pub marker: Option<String>,
    #[serde(rename = "MaxItems")]
    pub max_items: Option<i32>,
}

/// `ListPoliciesResponse`.
#[derive(Debug, Default, Serialize)]
pub struct ListPoliciesResponse {
    #[serde(rename = "Policies", skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<Policy>>,
    #[serde(rename = "IsTruncated", skip_serializing_if = "Option::is_none")]
    pub is_truncated: Option<bool>,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// `ListRolePoliciesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListRolePoliciesRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "Marker")]
    pub marker: Option<String>,
    #[serde(rename = "MaxItems")]
    pub max_items: Option<i32>,
}

/// `ListRolePoliciesResponse`.
#[derive(Debug, Default, Serialize)]
pub struct ListRolePoliciesResponse {
    #[serde(rename = "PolicyNames", skip_serializing_if = "Option::is_none")]
    pub policy_names: Option<Vec<String>>,
    #[serde(rename = "IsTruncated", skip_serializing_if = "Option::is_none")]
    pub is_truncated: Option<bool>,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// `ListRolesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListRolesRequest {
    #[serde(rename = "PathPrefix")]
    pub path_prefix: Option<String>,
    #[serde(rename = "Marker")]
    pub marker: Option<String>,
    #[serde(rename = "MaxItems")]
    pub max_items: Option<i32>,
}

/// `ListRolesResponse`.
#[derive(Debug, Default, Serialize)]
pub struct ListRolesResponse {
    #[serde(rename = "Roles", skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
    #[serde(rename = "IsTruncated", skip_serializing_if = "Option::is_none")]
    pub is_truncated: Option<bool>,
    #[serde(rename = "Marker", skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// `Policy`.
#[derive(Debug, Default, Serialize)]
pub struct Policy {
    #[serde(rename = "PolicyName", skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    #[serde(rename = "PolicyId", skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(rename = "Path", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(rename = "DefaultVersionId", skip_serializing_if = "Option::is_none")]
    pub default_version_id: Option<String>,
    #[serde(rename = "AttachmentCount", skip_serializing_if = "Option::is_none")]
    pub attachment_count: Option<i32>,
    #[serde(rename = "PermissionsBoundaryUsageCount", skip_serializing_if = "Option::is_none")]
    pub permissions_boundary_usage_count: Option<i32>,
    #[serde(rename = "IsAttachable", skip_serializing_if = "Option::is_none")]
    pub is_attachable: Option<bool>,
    #[serde(rename = "Description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub create_date: Option<String>,
    #[serde(rename = "UpdateDate", skip_serializing_if = "Option::is_none")]
    pub update_date: Option<String>,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

/// `PolicyVersion`.
#[derive(Debug, Default, Serialize)]
pub struct PolicyVersion {
    #[serde(rename = "Document", skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    #[serde(rename = "VersionId", skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    #[serde(rename = "IsDefaultVersion", skip_serializing_if = "Option::is_none")]
    pub is_default_version: Option<bool>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub create_date: Option<String>,
}

/// `PutRolePolicyRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct PutRolePolicyRequest {
    #[serde(rename = "RoleName")]
    pub role_name: Option<String>,
    #[serde(rename = "PolicyName")]
    pub policy_name: Option<String>,
    #[serde(rename = "PolicyDocument")]
    pub policy_document: Option<String>,
}

/// `Role`.
#[derive(Debug, Default, Serialize)]
pub struct Role {
    #[serde(rename = "Path", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(rename = "RoleName", skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    #[serde(rename = "RoleId", skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub create_date: Option<String>,
    #[serde(rename = "AssumeRolePolicyDocument", skip_serializing_if = "Option::is_none")]
    pub assume_role_policy_document: Option<String>,
    #[serde(rename = "Description", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "MaxSessionDuration", skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<i32>,
    #[serde(rename = "PermissionsBoundary", skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<AttachedPermissionsBoundary>,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    #[serde(rename = "RoleLastUsed", skip_serializing_if = "Option::is_none")]
    pub role_last_used: Option<RoleLastUsed>,
    #[serde(rename = "SourceRoleTemplate", skip_serializing_if = "Option::is_none")]
    pub source_role_template: Option<SourceRoleTemplate>,
}

/// `RoleLastUsed`.
#[derive(Debug, Default, Serialize)]
pub struct RoleLastUsed {
    #[serde(rename = "LastUsedDate", skip_serializing_if = "Option::is_none")]
    pub last_used_date: Option<String>,
    #[serde(rename = "Region", skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// `SourceRoleTemplate`.
#[derive(Debug, Default, Serialize)]
pub struct SourceRoleTemplate {
    #[serde(rename = "TemplateArn", skip_serializing_if = "Option::is_none")]
    pub template_arn: Option<String>,
    #[serde(rename = "TemplateMinorVersion", skip_serializing_if = "Option::is_none")]
    pub template_minor_version: Option<i32>,
}

/// `Tag`.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Tag {
    #[serde(rename = "Key", skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(rename = "Value", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
