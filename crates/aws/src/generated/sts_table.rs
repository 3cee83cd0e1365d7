// Made by tools/gen from botocore 1.44.5, botocore/data/sts/2011-06-15/service-2.json,
// sha256 d97a08aa49223dee070009624c1d70f5b6af6ccc43220cc30ff566d5f02f3c0b.
// Do not edit: change the generator and run `make gen`.
//! Shapes of AWS Security Token Service as data, with their names in the Query protocol.

use super::sts::Operation;
use crate::protocol::shape::{ErrorCode, Service, Shape, Structure, member};

/// The service.
pub(crate) static SERVICE: Service = Service {
    target_prefix: "",
    version: "2011-06-15",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    errors: ERRORS,
};

impl Operation {
    /// What its request and its reply are made of.
    pub(crate) fn shapes(self) -> (&'static Structure, &'static Structure) {
        match self {
            Operation::GetCallerIdentity => {
                (&GET_CALLER_IDENTITY_REQUEST, &GET_CALLER_IDENTITY_RESPONSE)
            }
        }
    }
}

/// The errors that the models name.
static ERRORS: &[ErrorCode] = &[];

static GET_CALLER_IDENTITY_REQUEST: Structure =
    Structure { name: "GetCallerIdentityRequest", members: &[] };

static GET_CALLER_IDENTITY_RESPONSE: Structure = Structure {
    name: "GetCallerIdentityResponse",
    members: &[
        member("UserId", "UserId", Shape::Text),
        member("Account", "Account", Shape::Text),
        member("Arn", "Arn", Shape::Text),
    ],
};
