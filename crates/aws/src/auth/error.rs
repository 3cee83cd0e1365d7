//! Why a request is not taken as its signer's.

use std::fmt;

use http::StatusCode;

use super::Moment;

/// Longest part of a request that an error shows, in characters.
const SHOWN_MAX: usize = 1024;

/// A request whose signature does not hold. Codes and statuses: API reference, "Common errors";
/// where SQS says more, the texts are those of the IAM user guide, "Troubleshoot signed requests",
/// and of answers that users of AWS's SDKs have quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthError {
    /// Nothing is signed.
    Missing,
    /// There is a signature in the header and one in the query, or two of a kind.
    Twice,
    /// The `Authorization` header lacks these parts.
    IncompleteHeader {
        /// One sentence for each.
        lacks: String,
        /// The header, cut short.
        shown: String,
    },
    /// The query lacks these parameters; one sentence for each.
    IncompleteQuery(String),
    /// A part is there and cannot be read; the sentence says which.
    Malformed(String),
    /// The scope of the credential is not this service's; the sentence says why.
    Scope(String),
    /// A header that must be signed is not.
    NotSigned(String),
    /// A header is signed and is not there.
    SignedAway(String),
    /// It was signed more than 15 minutes ago.
    Late {
        /// When it was signed.
        signed: Moment,
        /// When it came.
        now: Moment,
    },
    /// It was signed more than 15 minutes from now.
    Early {
        /// When it was signed.
        signed: Moment,
        /// When it came.
        now: Moment,
    },
    /// A presigned request came after its end.
    Expired {
        /// When it ended.
        end: Moment,
        /// When it came.
        now: Moment,
    },
    /// There is no access key of this id.
    UnknownKey,
    /// The signature is not the one that the secret gives.
    Mismatch {
        /// What should have been hashed.
        canonical: String,
        /// What should have been signed.
        string_to_sign: String,
    },
}

impl AuthError {
    /// The code of the Query protocol, and of `x-amzn-query-error`.
    pub fn code(&self) -> &'static str {
        match self {
            AuthError::Missing => "MissingAuthenticationToken",
            AuthError::Twice
            | AuthError::IncompleteHeader { .. }
            | AuthError::IncompleteQuery(_)
            | AuthError::Malformed(_) => "IncompleteSignature",
            AuthError::Expired { .. } => "RequestExpired",
            AuthError::UnknownKey => "InvalidClientTokenId",
            AuthError::Scope(_)
            | AuthError::NotSigned(_)
            | AuthError::SignedAway(_)
            | AuthError::Late { .. }
            | AuthError::Early { .. }
            | AuthError::Mismatch { .. } => "SignatureDoesNotMatch",
        }
    }

    /// The name that AWS's JSON protocols give the same error.
    pub fn json_code(&self) -> &'static str {
        match self.code() {
            "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
            "IncompleteSignature" => "IncompleteSignatureException",
            "RequestExpired" => "RequestExpired",
            "InvalidClientTokenId" => "UnrecognizedClientException",
            _ => "InvalidSignatureException",
        }
    }

    /// The status, the same in each protocol.
    pub fn status(&self) -> StatusCode {
        match self.code() {
            "IncompleteSignature" | "RequestExpired" => StatusCode::BAD_REQUEST,
            _ => StatusCode::FORBIDDEN,
        }
    }

    pub(super) fn malformed(what: &str, shown: &str) -> AuthError {
        AuthError::Malformed(format!("{what}, got '{}'.", cut(shown)))
    }
}

/// What an error may show of a request.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthError::Missing => f.write_str("Request is missing Authentication Token"),
            AuthError::Twice => f.write_str(
                "A request is signed once: in the Authorization header or in the query string.",
            ),
            AuthError::IncompleteHeader { lacks, shown } => {
                write!(f, "{lacks}Authorization={shown}")
            }
            AuthError::IncompleteQuery(lacks) => {
                write!(f, "{lacks}Re-examine the query-string parameters.")
            }
            AuthError::Malformed(why) | AuthError::Scope(why) => f.write_str(why),
            AuthError::NotSigned(name) => {
                write!(f, "'{name}' must be a 'SignedHeader' in the AWS Authorization.")
            }
            AuthError::SignedAway(name) => {
                write!(f, "'{name}' is a 'SignedHeader', and the request has no such header.")
            }
            AuthError::Late { signed, now } => {
                let (signed, now, least) = (signed.basic(), now.basic(), now.after(-900).basic());
                write!(
                    f,
                    "Signature expired: {signed} is now earlier than {least} ({now} - 15 min.)"
                )
            }
            AuthError::Early { signed, now } => {
                let (signed, now, most) = (signed.basic(), now.basic(), now.after(900).basic());
                write!(
                    f,
                    "Signature not yet current: {signed} is still later than {most} \
                     ({now} + 15 min.)"
                )
            }
            AuthError::Expired { end, now } => {
                write!(f, "Request has expired: {} is now later than {}", now.basic(), end.basic())
            }
            AuthError::UnknownKey => {
                f.write_str("The security token included in the request is invalid.")
            }
            AuthError::Mismatch { canonical, string_to_sign } => write!(
                f,
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.\n\nThe Canonical String for this request should have \
                 been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{string_to_sign}'\n"
            ),
        }
    }
}

impl std::error::Error for AuthError {}
