//! What a request says of its own signature, in the header's form or the query's.

use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};
use http::request::Parts;

use super::escape;
use super::query::Query;
use super::scope::Scope;
use crate::auth::error::cut;
use crate::auth::{AuthError, Moment};

/// The one algorithm: symmetric, over SHA-256.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Seconds that a presigned request may be good for: a second to a week.
const EXPIRES: std::ops::RangeInclusive<i64> = 1..=604_800;
/// The parameters of a presigned request that must be there.
const PARAMETERS: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
    "X-Amz-Expires",
];

/// A signature, and what it claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) scope: Scope,
    /// Lower-case names in strictly ascending order.
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: [u8; 32],
    pub(super) signed_at: Moment,
    pub(super) form: Form,
    /// A session's token, which is signed like everything else and means nothing here.
    pub(super) token: Option<String>,
}

/// Where the signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Header,
    /// Presigned, for so many seconds.
    Query {
        expires: i64,
    },
}

impl Claim {
    pub(super) fn read(head: &Parts, query: &Query) -> Result<Claim, AuthError> {
        let presigned = PARAMETERS.iter().any(|name| query.has(name));
        match (single(&head.headers, AUTHORIZATION.as_str())?, presigned) {
            (None, false) => Err(AuthError::Missing),
            (Some(_), true) => Err(AuthError::Twice),
            (Some(header), false) => Claim::of_header(header, &head.headers),
            (None, true) => Claim::of_query(query),
        }
    }

    fn of_header(header: &str, headers: &HeaderMap) -> Result<Claim, AuthError> {
        let parts = Parameters::read(header)?;
        let date = date_of(headers)?;
        let (Some(credential), Some(signature), Some(names), Some(signed_at)) =
            (parts.credential, parts.signature, parts.signed_headers, date)
        else {
            let lacks = parts.lacks(date.is_some());
            return Err(AuthError::IncompleteHeader { lacks, shown: cut(header) });
        };
        Ok(Claim {
            scope: Scope::read(credential)?,
            signed_headers: signed_headers(names)?,
            signature: read_signature(signature)?,
            signed_at,
            form: Form::Header,
            token: single(headers, "x-amz-security-token")?.map(str::to_owned),
        })
    }

    fn of_query(query: &Query) -> Result<Claim, AuthError> {
        let [algorithm, credential, signature, names, date, expires] = parameters(query)?;
        if algorithm != ALGORITHM {
            let what = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"";
            return Err(AuthError::malformed(what, &algorithm));
        }
        Ok(Claim {
            scope: Scope::read(&credential)?,
            signed_headers: signed_headers(&names)?,
            signature: read_signature(&signature)?,
            signed_at: read_date(&date)?,
            form: Form::Query { expires: read_expires(&expires)? },
            token: query.single("X-Amz-Security-Token")?,
        })
    }
}

/// All parameters of a presigned request, or a sentence for each that is not there.
fn parameters(query: &Query) -> Result<[String; 6], AuthError> {
    let mut lacks = String::new();
    let mut values: [String; 6] = std::array::from_fn(|_| String::new());
    for (name, value) in PARAMETERS.iter().zip(&mut values) {
        match query.single(name)? {
            Some(given) => *value = given,
            None => {
                lacks.push_str(&format!("AWS query-string parameters must include '{name}'. "));
            }
        }
    }
    if lacks.is_empty() { Ok(values) } else { Err(AuthError::IncompleteQuery(lacks)) }
}

/// `Credential=…, SignedHeaders=…, Signature=…`, in any order.
#[derive(Default)]
struct Parameters<'a> {
    credential: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    /// Another scheme has none of the parameters.
    fn read(header: &'a str) -> Result<Parameters<'a>, AuthError> {
        let mut found = Parameters::default();
        let Some((ALGORITHM, parts)) = header.split_once(' ') else { return Ok(found) };
        for part in parts.split(',') {
            let part = part.trim_matches(' ');
            let Some((name, value)) = part.split_once('=') else {
                let what = "Authorization header has a part that is no key=value pair";
                return Err(AuthError::malformed(what, part));
            };
            let place = match name {
                "Credential" => &mut found.credential,
                "SignedHeaders" => &mut found.signed_headers,
                "Signature" => &mut found.signature,
                _ => {
                    let what = "Authorization header has a parameter that nobody knows";
                    return Err(AuthError::malformed(what, name));
                }
            };
            if place.replace(value).is_some() {
                return Err(AuthError::Twice);
            }
        }
        Ok(found)
    }

    fn lacks(&self, dated: bool) -> String {
        let requires = |name| format!("Authorization header requires '{name}' parameter. ");
        let mut lacks = String::new();
        let parameters = [
            ("Credential", self.credential),
            ("Signature", self.signature),
            ("SignedHeaders", self.signed_headers),
        ];
        for (name, _) in parameters.iter().filter(|(_, value)| value.is_none()) {
            lacks.push_str(&requires(name));
        }
        if !dated {
            lacks.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' \
                 header. ",
            );
        }
        lacks
    }
}

/// The only value of a header. Two would be joined in what is signed, and read apart elsewhere.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, AuthError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(AuthError::Twice),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| {
            AuthError::Malformed(format!("The header '{name}' has bytes that are not ASCII."))
        }),
    }
}

/// When the request was signed: `X-Amz-Date`, else `Date`.
fn date_of(headers: &HeaderMap) -> Result<Option<Moment>, AuthError> {
    if let Some(date) = single(headers, "x-amz-date")? {
        return read_date(date).map(Some);
    }
    let Some(date) = single(headers, DATE.as_str())? else { return Ok(None) };
    match Moment::from_http(date) {
        Some(moment) => Ok(Some(moment)),
        None => read_date(date).map(Some),
    }
}

fn read_date(text: &str) -> Result<Moment, AuthError> {
    let wrong = || AuthError::malformed("Date must be in ISO-8601 'basic format'", text);
    Moment::from_basic(text).ok_or_else(wrong)
}

fn read_expires(text: &str) -> Result<i64, AuthError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| plain && EXPIRES.contains(seconds));
    let what = "X-Amz-Expires must be a number of seconds from 1 to 604800";
    seconds.ok_or_else(|| AuthError::malformed(what, text))
}

fn read_signature(text: &str) -> Result<[u8; 32], AuthError> {
    let what = "Signature must be 64 lower-case hex digits";
    escape::signature(text).ok_or_else(|| AuthError::malformed(what, text))
}

fn signed_headers(text: &str) -> Result<Vec<String>, AuthError> {
    let names: Vec<String> = text.split(';').map(str::to_owned).collect();
    let plain = |name: &String| {
        let token = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
        !name.is_empty() && name.bytes().all(token)
    };
    let ascending = names.is_sorted_by(|one, next| one < next);
    if ascending && names.iter().all(plain) {
        return Ok(names);
    }
    let what = "SignedHeaders must be lower-case names in ascending order, each once";
    Err(AuthError::malformed(what, text))
}
