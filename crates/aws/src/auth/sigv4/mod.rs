//! AWS Signature Version 4, checked: the header's form and the presigned one (IAM user guide, "AWS
//! Signature Version 4 for API requests").

mod canonical;
mod claim;
mod escape;
#[cfg(test)]
mod mutation;
#[cfg(test)]
mod oracle;
mod query;
mod scope;
#[cfg(test)]
mod tests;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use http::request::Parts;
use sha2::Sha256;

use self::claim::{ALGORITHM, Claim, Form};
use self::query::Query;
use self::scope::Scope;
use super::{AuthError, Keys, Moment};

/// How far a signature's date may be from now, in seconds (API reference, RequestExpired: 15
/// minutes).
const SKEW: i64 = 900;

/// For whom a request must be signed.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// The service in the scope, such as `sqs`.
    pub name: &'a str,
    /// The only region that the scope may name; `None`: any.
    pub region: Option<&'a str>,
    /// Whether `UNSIGNED-PAYLOAD` is taken for a body's hash.
    pub unsigned_payload: bool,
}

/// Who signed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The id of the access key.
    pub key_id: String,
    /// The account that the key belongs to.
    pub account: String,
    /// The region that the request is for.
    pub region: String,
    /// The token of a session, as it came. It is signed, and otherwise unchecked.
    pub token: Option<String>,
}

/// Says who signed a request, if its signature holds at `now`.
///
/// # Errors
/// [`AuthError`], by the first of these that is wrong: form, scope, date, signed headers, key,
/// signature.
pub fn verify(
    head: &Parts,
    body: &[u8],
    keys: &Keys,
    service: &Service<'_>,
    now: Moment,
) -> Result<Signer, AuthError> {
    let query = Query::read(head.uri.query().unwrap_or_default());
    let claim = Claim::read(head, &query)?;
    claim.scope.check(service, claim.signed_at)?;
    check_time(&claim, now)?;
    check_signed_headers(head, &claim)?;
    let key = keys.get(&claim.scope.key_id).ok_or(AuthError::UnknownKey)?;
    let canonical = canonical::request(head, &query, body, &claim, service)?;
    let string_to_sign = string_to_sign(&claim, &canonical);
    let signature = mac(&signing_key(&key.secret, &claim.scope), &string_to_sign);
    // In constant time.
    if signature.verify_slice(&claim.signature).is_err() {
        let canonical = String::from_utf8_lossy(&canonical).into_owned();
        return Err(AuthError::Mismatch { canonical, string_to_sign });
    }
    Ok(Signer {
        key_id: claim.scope.key_id,
        account: key.account.clone(),
        region: claim.scope.region,
        token: claim.token,
    })
}

fn check_time(claim: &Claim, now: Moment) -> Result<(), AuthError> {
    let signed = claim.signed_at;
    if signed > now.after(SKEW) {
        return Err(AuthError::Early { signed, now });
    }
    match claim.form {
        Form::Header if signed < now.after(-SKEW) => Err(AuthError::Late { signed, now }),
        Form::Query { expires } if now > signed.after(expires) => {
            Err(AuthError::Expired { end: signed.after(expires), now })
        }
        Form::Header | Form::Query { .. } => Ok(()),
    }
}

/// `Host` must be signed, each `X-Amz-…` that is there, and the date that counts: else someone else
/// may add them, or take the signature elsewhere.
fn check_signed_headers(head: &Parts, claim: &Claim) -> Result<(), AuthError> {
    let signed = |name: &str| claim.signed_headers.iter().any(|known| known == name);
    if !signed("host") {
        return Err(AuthError::NotSigned("Host".to_owned()));
    }
    let dated_by_date = claim.form == Form::Header && !head.headers.contains_key("x-amz-date");
    if dated_by_date && !signed("date") {
        return Err(AuthError::NotSigned("Date".to_owned()));
    }
    let mut names = head.headers.keys().map(http::HeaderName::as_str);
    match names.find(|name| name.starts_with("x-amz-") && !signed(name)) {
        Some(name) => Err(AuthError::NotSigned(name.to_owned())),
        None => Ok(()),
    }
}

fn string_to_sign(claim: &Claim, canonical: &[u8]) -> String {
    let date = claim.signed_at.basic();
    let hash = canonical::hash(canonical);
    [ALGORITHM, &date, &claim.scope.text(), &hash].join("\n")
}

/// The key of a secret that is good for one scope only.
fn signing_key(secret: &str, scope: &Scope) -> Vec<u8> {
    let first = format!("AWS4{secret}").into_bytes();
    [scope.date.as_str(), &scope.region, &scope.service, scope::TERMINATOR]
        .into_iter()
        .fold(first, |key, part| mac(&key, part).finalize().into_bytes().to_vec())
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let made = Hmac::<Sha256>::new_from_slice(key);
    assert!(made.is_ok(), "HMAC takes a key of any length");
    let mut mac = made.unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(text.as_bytes());
    mac
}
