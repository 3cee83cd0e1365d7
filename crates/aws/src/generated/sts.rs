// Made by tools/gen from botocore 1.44.5, botocore/data/sts/2011-06-15/service-2.json,
// sha256 d97a08aa49223dee070009624c1d70f5b6af6ccc43220cc30ff566d5f02f3c0b.
// Do not edit: change the generator and run `make gen`.
//! Wire shapes of AWS Security Token Service: names, members, constraints.
#![allow(missing_docs, dead_code, unreachable_pub, reason = "names and lists of the model, whole")]

use serde::{Deserialize, Serialize};

/// The operations that are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    GetCallerIdentity,
}

impl Operation {
    /// Every one, in the order of their names.
    pub const ALL: [Self; 1] = [Self::GetCallerIdentity];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "GetCallerIdentity",
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
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "DecodeAuthorizationMessage",
    "GetAccessKeyInfo",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetSessionToken",
    "GetWebIdentityToken",
];

/// `GetCallerIdentityRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetCallerIdentityRequest {}

/// `GetCallerIdentityResponse`.
#[derive(Debug, Default, Serialize)]
pub struct GetCallerIdentityResponse {
    #[serde(rename = "UserId", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(rename = "Account", skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}
