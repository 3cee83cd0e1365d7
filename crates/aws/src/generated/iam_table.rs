// Made by tools/gen from botocore 1.44.5, botocore/data/iam/2010-05-08/service-2.json,
// sha256 951ee47e135ddb432441e9ceb67cfe3ece38feb34c321c6bf05b037880666b3b.
// Do not edit: change the generator and run `make gen`.
//! Shapes of AWS Identity and Access Management as data, with their names in the Query protocol.

use super::iam::Operation;
use crate::protocol::shape::{ErrorCode, List, Service, Shape, Structure, error, member};

/// The service.
pub(crate) static SERVICE: Service = Service {
    target_prefix: "",
    version: "2010-05-08",
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    errors: ERRORS,
};

/// For an operation that takes or says nothing.
static NOTHING: Structure = Structure { name: "", members: &[] };

impl Operation {
    /// What its request and its reply are made of.
    pub(crate) fn shapes(self) -> (&'static Structure, &'static Structure) {
        match self {
            Operation::AttachRolePolicy => (&ATTACH_ROLE_POLICY_REQUEST, &NOTHING),
            Operation::CreatePolicy => (&CREATE_POLICY_REQUEST, &CREATE_POLICY_RESPONSE),
            Operation::CreateRole => (&CREATE_ROLE_REQUEST, &CREATE_ROLE_RESPONSE),
            Operation::DeletePolicy => (&DELETE_POLICY_REQUEST, &NOTHING),
            Operation::DeleteRole => (&DELETE_ROLE_REQUEST, &NOTHING),
            Operation::DeleteRolePolicy => (&DELETE_ROLE_POLICY_REQUEST, &NOTHING),
            Operation::DetachRolePolicy => (&DETACH_ROLE_POLICY_REQUEST, &NOTHING),
            Operation::GetPolicy => (&GET_POLICY_REQUEST, &GET_POLICY_RESPONSE),
            Operation::GetPolicyVersion => {
                (&GET_POLICY_VERSION_REQUEST, &GET_POLICY_VERSION_RESPONSE)
            }
            Operation::GetRole => (&GET_ROLE_REQUEST, &GET_ROLE_RESPONSE),
            Operation::GetRolePolicy => (&GET_ROLE_POLICY_REQUEST, &GET_ROLE_POLICY_RESPONSE),
            Operation::ListAttachedRolePolicies => {
                (&LIST_ATTACHED_ROLE_POLICIES_REQUEST, &LIST_ATTACHED_ROLE_POLICIES_RESPONSE)
            }
            Operation::ListPolicies => (&LIST_POLICIES_REQUEST, &LIST_POLICIES_RESPONSE),
            Operation::ListRolePolicies => {
                (&LIST_ROLE_POLICIES_REQUEST, &LIST_ROLE_POLICIES_RESPONSE)
            }
            Operation::ListRoles => (&LIST_ROLES_REQUEST, &LIST_ROLES_RESPONSE),
            Operation::PutRolePolicy => (&PUT_ROLE_POLICY_REQUEST, &NOTHING),
        }
    }
}

/// The errors that the models name.
static ERRORS: &[ErrorCode] = &[
    error("ConcurrentModificationException", "ConcurrentModification", 409),
    error("DeleteConflictException", "DeleteConflict", 409),
    error("EntityAlreadyExistsException", "EntityAlreadyExists", 409),
    error("InvalidInputException", "InvalidInput", 400),
    error("LimitExceededException", "LimitExceeded", 409),
    error("MalformedPolicyDocumentException", "MalformedPolicyDocument", 400),
    error("NoSuchEntityException", "NoSuchEntity", 404),
    error("PolicyNotAttachableException", "PolicyNotAttachable", 400),
    error("ServiceFailureException", "ServiceFailure", 500),
    error("UnmodifiableEntityException", "UnmodifiableEntity", 400),
];

static ATTACH_ROLE_POLICY_REQUEST: Structure = Structure {
    name: "AttachRolePolicyRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PolicyArn", "PolicyArn", Shape::Text),
    ],
};

static ATTACHED_PERMISSIONS_BOUNDARY: Structure = Structure {
    name: "AttachedPermissionsBoundary",
    members: &[
        member("PermissionsBoundaryType", "PermissionsBoundaryType", Shape::Text),
        member("PermissionsBoundaryArn", "PermissionsBoundaryArn", Shape::Text),
    ],
};

static ATTACHED_POLICY: Structure = Structure {
    name: "AttachedPolicy",
    members: &[
        member("PolicyName", "PolicyName", Shape::Text),
        member("PolicyArn", "PolicyArn", Shape::Text),
    ],
};

static CREATE_POLICY_REQUEST: Structure = Structure {
    name: "CreatePolicyRequest",
    members: &[
        member("PolicyName", "PolicyName", Shape::Text),
        member("Path", "Path", Shape::Text),
        member("PolicyDocument", "PolicyDocument", Shape::Text),
        member("Description", "Description", Shape::Text),
        member(
            "Tags",
            "Tags",
            Shape::List(&List { item: Shape::Structure(&TAG), within: Some("member") }),
        ),
    ],
};

static CREATE_POLICY_RESPONSE: Structure = Structure {
    name: "CreatePolicyResponse",
    members: &[member("Policy", "Policy", Shape::Structure(&POLICY))],
};

static CREATE_ROLE_REQUEST: Structure = Structure {
    name: "CreateRoleRequest",
    members: &[
        member("Path", "Path", Shape::Text),
        member("RoleName", "RoleName", Shape::Text),
        member("AssumeRolePolicyDocument", "AssumeRolePolicyDocument", Shape::Text),
        member("Description", "Description", Shape::Text),
        member("MaxSessionDuration", "MaxSessionDuration", Shape::Integer),
        member("PermissionsBoundary", "PermissionsBoundary", Shape::Text),
        member(
            "Tags",
            "Tags",
            Shape::List(&List { item: Shape::Structure(&TAG), within: Some("member") }),
        ),
    ],
};

static CREATE_ROLE_RESPONSE: Structure = Structure {
    name: "CreateRoleResponse",
    members: &[member("Role", "Role", Shape::Structure(&ROLE))],
};

static DELETE_POLICY_REQUEST: Structure = Structure {
    name: "DeletePolicyRequest",
    members: &[member("PolicyArn", "PolicyArn", Shape::Text)],
};

static DELETE_ROLE_POLICY_REQUEST: Structure = Structure {
    name: "DeleteRolePolicyRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PolicyName", "PolicyName", Shape::Text),
    ],
};

static DELETE_ROLE_REQUEST: Structure = Structure {
    name: "DeleteRoleRequest",
    members: &[member("RoleName", "RoleName", Shape::Text)],
};

static DETACH_ROLE_POLICY_REQUEST: Structure = Structure {
    name: "DetachRolePolicyRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PolicyArn", "PolicyArn", Shape::Text),
    ],
};

static GET_POLICY_REQUEST: Structure = Structure {
    name: "GetPolicyRequest",
    members: &[member("PolicyArn", "PolicyArn", Shape::Text)],
};

static GET_POLICY_RESPONSE: Structure = Structure {
    name: "GetPolicyResponse",
    members: &[member("Policy", "Policy", Shape::Structure(&POLICY))],
};

static GET_POLICY_VERSION_REQUEST: Structure = Structure {
    name: "GetPolicyVersionRequest",
    members: &[
        member("PolicyArn", "PolicyArn", Shape::Text),
        member("VersionId", "VersionId", Shape::Text),
    ],
};

static GET_POLICY_VERSION_RESPONSE: Structure = Structure {
    name: "GetPolicyVersionResponse",
    members: &[member("PolicyVersion", "PolicyVersion", Shape::Structure(&POLICY_VERSION))],
};

static GET_ROLE_POLICY_REQUEST: Structure = Structure {
    name: "GetRolePolicyRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PolicyName", "PolicyName", Shape::Text),
    ],
};

static GET_ROLE_POLICY_RESPONSE: Structure = Structure {
    name: "GetRolePolicyResponse",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PolicyName", "PolicyName", Shape::Text),
        member("PolicyDocument", "PolicyDocument", Shape::Text),
    ],
};

static GET_ROLE_REQUEST: Structure =
    Structure { name: "GetRoleRequest", members: &[member("RoleName", "RoleName", Shape::Text)] };

static GET_ROLE_RESPONSE: Structure = Structure {
    name: "GetRoleResponse",
    members: &[member("Role", "Role", Shape::Structure(&ROLE))],
};

static LIST_ATTACHED_ROLE_POLICIES_REQUEST: Structure = Structure {
    name: "ListAttachedRolePoliciesRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PathPrefix", "PathPrefix", Shape::Text),
        member("Marker", "Marker", Shape::Text),
        member("MaxItems", "MaxItems", Shape::Integer),
    ],
};

static LIST_ATTACHED_ROLE_POLICIES_RESPONSE: Structure = Structure {
    name: "ListAttachedRolePoliciesResponse",
    members: &[
        member(
            "AttachedPolicies",
            "AttachedPolicies",
            Shape::List(&List { item: Shape::Structure(&ATTACHED_POLICY), within: Some("member") }),
        ),
        member("IsTruncated", "IsTruncated", Shape::Boolean),
        member("Marker", "Marker", Shape::Text),
    ],
};

static LIST_POLICIES_REQUEST: Structure = Structure {
    name: "ListPoliciesRequest",
    members: &[
        member("Scope", "Scope", Shape::Text),
        member("OnlyAttached", "OnlyAttached", Shape::Boolean),
        member("PathPrefix", "PathPrefix", Shape::Text),
        member("PolicyUsageFilter", "PolicyUsageFilter", Shape::Text),
        member("Marker", "Marker", Shape::Text),
        member("MaxItems", "MaxItems", Shape::Integer),
    ],
};

static LIST_POLICIES_RESPONSE: Structure = Structure {
    name: "ListPoliciesResponse",
    members: &[
        member(
            "Policies",
            "Policies",
            Shape::List(&List { item: Shape::Structure(&POLICY), within: Some("member") }),
        ),
        member("IsTruncated", "IsTruncated", Shape::Boolean),
        member("Marker", "Marker", Shape::Text),
    ],
};

static LIST_ROLE_POLICIES_REQUEST: Structure = Structure {
    name: "ListRolePoliciesRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("Marker", "Marker", Shape::Text),
        member("MaxItems", "MaxItems", Shape::Integer),
    ],
};

static LIST_ROLE_POLICIES_RESPONSE: Structure = Structure {
    name: "ListRolePoliciesResponse",
    members: &[
        member(
            "PolicyNames",
            "PolicyNames",
            Shape::List(&List { item: Shape::Text, within: Some("member") }),
        ),
        member("IsTruncated", "IsTruncated", Shape::Boolean),
        member("Marker", "Marker", Shape::Text),
    ],
};

static LIST_ROLES_REQUEST: Structure = Structure {
    name: "ListRolesRequest",
    members: &[
        member("PathPrefix", "PathPrefix", Shape::Text),
        member("Marker", "Marker", Shape::Text),
        member("MaxItems", "MaxItems", Shape::Integer),
    ],
};

static LIST_ROLES_RESPONSE: Structure = Structure {
    name: "ListRolesResponse",
    members: &[
        member(
            "Roles",
            "Roles",
            Shape::List(&List { item: Shape::Structure(&ROLE), within: Some("member") }),
        ),
        member("IsTruncated", "IsTruncated", Shape::Boolean),
        member("Marker", "Marker", Shape::Text),
    ],
};

static POLICY: Structure = Structure {
    name: "Policy",
    members: &[
        member("PolicyName", "PolicyName", Shape::Text),
        member("PolicyId", "PolicyId", Shape::Text),
        member("Arn", "Arn", Shape::Text),
        member("Path", "Path", Shape::Text),
        member("DefaultVersionId", "DefaultVersionId", Shape::Text),
        member("AttachmentCount", "AttachmentCount", Shape::Integer),
        member("PermissionsBoundaryUsageCount", "PermissionsBoundaryUsageCount", Shape::Integer),
        member("IsAttachable", "IsAttachable", Shape::Boolean),
        member("Description", "Description", Shape::Text),
        member("CreateDate", "CreateDate", Shape::Text),
        member("UpdateDate", "UpdateDate", Shape::Text),
        member(
            "Tags",
            "Tags",
            Shape::List(&List { item: Shape::Structure(&TAG), within: Some("member") }),
        ),
    ],
};

static POLICY_VERSION: Structure = Structure {
    name: "PolicyVersion",
    members: &[
        member("Document", "Document", Shape::Text),
        member("VersionId", "VersionId", Shape::Text),
        member("IsDefaultVersion", "IsDefaultVersion", Shape::Boolean),
        member("CreateDate", "CreateDate", Shape::Text),
    ],
};

static PUT_ROLE_POLICY_REQUEST: Structure = Structure {
    name: "PutRolePolicyRequest",
    members: &[
        member("RoleName", "RoleName", Shape::Text),
        member("PolicyName", "PolicyName", Shape::Text),
        member("PolicyDocument", "PolicyDocument", Shape::Text),
    ],
};

static ROLE: Structure = Structure {
    name: "Role",
    members: &[
        member("Path", "Path", Shape::Text),
        member("RoleName", "RoleName", Shape::Text),
        member("RoleId", "RoleId", Shape::Text),
        member("Arn", "Arn", Shape::Text),
        member("CreateDate", "CreateDate", Shape::Text),
        member("AssumeRolePolicyDocument", "AssumeRolePolicyDocument", Shape::Text),
        member("Description", "Description", Shape::Text),
        member("MaxSessionDuration", "MaxSessionDuration", Shape::Integer),
        member(
            "PermissionsBoundary",
            "PermissionsBoundary",
            Shape::Structure(&ATTACHED_PERMISSIONS_BOUNDARY),
        ),
        member(
            "Tags",
            "Tags",
            Shape::List(&List { item: Shape::Structure(&TAG), within: Some("member") }),
        ),
        member("RoleLastUsed", "RoleLastUsed", Shape::Structure(&ROLE_LAST_USED)),
        member("SourceRoleTemplate", "SourceRoleTemplate", Shape::Structure(&SOURCE_ROLE_TEMPLATE)),
    ],
};

static ROLE_LAST_USED: Structure = Structure {
    name: "RoleLastUsed",
    members: &[
        member("LastUsedDate", "LastUsedDate", Shape::Text),
        member("Region", "Region", Shape::Text),
    ],
};

static SOURCE_ROLE_TEMPLATE: Structure = Structure {
    name: "SourceRoleTemplate",
    members: &[
        member("TemplateArn", "TemplateArn", Shape::Text),
        member("TemplateMinorVersion", "TemplateMinorVersion", Shape::Integer),
    ],
};

static TAG: Structure = Structure {
    name: "Tag",
    members: &[member("Key", "Key", Shape::Text), member("Value", "Value", Shape::Text)],
};
