//! Changed requests: whatever one changes of what is signed, the signature does not hold any more.
//!
//! `make sigv4-mutations` makes a million of them; without `SIGV4_MUTATIONS` it is fewer.

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method};

use super::oracle::{Random, SQS, Signed, keys, plan};
use super::{Service, verify};
use crate::auth::Keys;

const MUTATIONS: usize = 50_000;
/// Mutations of one signed request before there is a new one.
const OF_ONE: usize = 20;

/// Makes one change; `None` where this request has nothing to change in this way.
type Change = fn(&mut Signed, &mut Random) -> Option<()>;

const CHANGES: [(&str, Change); 14] = [
    ("method", method),
    ("path", path),
    ("query", query),
    ("query grows", query_grows),
    ("query shrinks", query_shrinks),
    ("header", header),
    ("header comes", header_comes),
    ("header comes twice", header_twice),
    ("header goes", header_goes),
    ("authorization", authorization),
    ("body byte", body_byte),
    ("body grows", body_grows),
    ("body shrinks", body_shrinks),
    ("time", time),
];

fn method(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let methods = [&Method::POST, &Method::GET, &Method::PUT, &Method::HEAD];
    let other = random.pick(&methods).clone();
    (signed.head.method != other).then(|| signed.head.method = other)
}

/// Another letter or digit in place of one; never its other case, which in `%4a` would say the
/// same.
fn other_byte(text: &str, at: usize, random: &mut Random) -> Option<String> {
    let old = *text.as_bytes().get(at)?;
    let new = *b"abcdefghijklmnopqrstuvwxyz0123456789".get(random.below(36))?;
    if !old.is_ascii_alphanumeric() || old.eq_ignore_ascii_case(&new) {
        return None;
    }
    Some(format!("{}{}{}", &text[..at], char::from(new), &text[at + 1..]))
}

fn replace_target(signed: &mut Signed, target: &str) -> Option<()> {
    signed.head.uri = target.parse::<PathAndQuery>().ok()?.into();
    Some(())
}

fn path(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let path = signed.head.uri.path().to_owned();
    let changed = other_byte(&path, random.below(path.len()), random)?;
    let query = signed.head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    replace_target(signed, &format!("{changed}{query}"))
}

fn query(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let query = signed.head.uri.query()?.to_owned();
    let changed = other_byte(&query, random.below(query.len()), random)?;
    replace_query(signed, &changed)
}

fn replace_query(signed: &mut Signed, query: &str) -> Option<()> {
    let path = signed.head.uri.path().to_owned();
    replace_target(signed, &format!("{path}?{query}"))
}

fn query_grows(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let query = signed.head.uri.query().unwrap_or_default().to_owned();
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let fresh = random.pick(&["new=1", "QueueUrl=x", "X-Amz-Expires=9", "x", "X-Amz-Signature=0"]);
    let extra = if pairs.is_empty() || random.one_in(2) { fresh } else { random.pick(&pairs) };
    replace_query(signed, &format!("{query}&{extra}"))
}

fn query_shrinks(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let query = signed.head.uri.query()?.to_owned();
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.remove(random.below(pairs.len()));
    replace_query(signed, &pairs.join("&"))
}

/// The headers that the signature covers.
fn covered(signed: &Signed) -> Vec<HeaderName> {
    let names = signed.head.headers.keys();
    let all: Vec<HeaderName> = names.filter(|name| *name != "authorization").cloned().collect();
    match signed.presigned {
        false => all,
        // The oracle signs no others when it presigns.
        true => all.into_iter().filter(|name| is_presigned(signed, name)).collect(),
    }
}

fn is_presigned(signed: &Signed, name: &HeaderName) -> bool {
    let query = signed.head.uri.query().unwrap_or_default();
    let list = query.split_once("X-Amz-SignedHeaders=").unwrap_or_default().1;
    let list = list.split('&').next().unwrap_or_default();
    list.split("%3B").any(|signed| signed == name.as_str())
}

fn header(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let names = covered(signed);
    let name = names.get(random.below(names.len()))?;
    let values: Vec<HeaderValue> = signed.head.headers.get_all(name).iter().cloned().collect();
    let changed = random.below(values.len());
    let mut bytes = values[changed].as_bytes().to_vec();
    let byte = bytes.len().checked_sub(1).map(|last| random.below(last + 1))?;
    let new = u8::try_from(33 + random.below(94)).ok().filter(|new| *new != bytes[byte])?;
    bytes[byte] = new;
    signed.head.headers.remove(name);
    for (at, value) in values.into_iter().enumerate() {
        let value = if at == changed { HeaderValue::from_bytes(&bytes).ok()? } else { value };
        signed.head.headers.append(name, value);
    }
    Some(())
}

fn header_comes(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let name = random.pick(&["x-amz-new", "x-amz-security-token", "x-amz-content-sha256"]);
    let new = signed.head.headers.insert(name, HeaderValue::from_static("new"));
    new.is_none().then_some(())
}

fn header_twice(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let names = covered(signed);
    let name = names.get(random.below(names.len()))?;
    signed.head.headers.append(name, HeaderValue::from_static("more"));
    Some(())
}

fn header_goes(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let names = covered(signed);
    signed.head.headers.remove(names.get(random.below(names.len()))?).map(drop)
}

fn authorization(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let value = signed.head.headers.get("authorization")?;
    let mut bytes = value.as_bytes().to_vec();
    let at = random.below(bytes.len());
    let new = u8::try_from(32 + random.below(95)).ok().filter(|new| *new != bytes[at])?;
    bytes[at] = new;
    signed.head.headers.insert("authorization", HeaderValue::from_bytes(&bytes).ok()?);
    Some(())
}

fn body_byte(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let at = signed.body.len().checked_sub(1).map(|last| random.below(last + 1))?;
    signed.body[at] ^= 1 << random.below(8);
    Some(())
}

fn body_grows(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let at = random.below(signed.body.len() + 1);
    signed.body.insert(at, u8::try_from(random.below(256)).ok()?);
    Some(())
}

fn body_shrinks(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let at = signed.body.len().checked_sub(1).map(|last| random.below(last + 1))?;
    signed.body.remove(at);
    Some(())
}

/// Too late or too early by one second and up to three hours; a presigned request is only ever too
/// early here, since its end is its own.
fn time(signed: &mut Signed, random: &mut Random) -> Option<()> {
    let by = 901 + i64::try_from(random.below(10_000)).ok()?;
    let early = signed.presigned || random.one_in(2);
    signed.at = signed.at.after(if early { -by } else { by });
    Some(())
}

fn mutations() -> usize {
    let wanted = std::env::var("SIGV4_MUTATIONS").ok();
    wanted.map_or(MUTATIONS, |many| many.parse().expect("SIGV4_MUTATIONS must be a number"))
}

#[test]
fn no_change_of_what_is_signed_verifies() {
    let mut random = Random(99);
    let mut made = [0_usize; CHANGES.len()];
    let all = mutations();
    while made.iter().sum::<usize>() < all {
        let signed = plan(&mut random, true).sign();
        assert!(signed.verify().is_ok(), "{:?}", signed.head);
        for _ in 0..OF_ONE {
            let kind = random.below(CHANGES.len());
            let (name, change) = CHANGES[kind];
            let mut changed = signed.clone();
            if change(&mut changed, &mut random).is_none() {
                continue;
            }
            made[kind] += 1;
            let answer = changed.verify();
            assert!(answer.is_err(), "{name}: {:?}\n{:?}", signed.head, changed.head);
            assert!(!answer.unwrap_err().to_string().is_empty());
        }
    }
    let least = made.iter().min().unwrap();
    assert!(*least > all / 200, "each kind of change must be made: {made:?}");
}

#[test]
fn another_key_secret_service_or_region_does_not_verify() {
    let mut random = Random(5);
    for _ in 0..200 {
        let signed = plan(&mut random, true).sign();
        let answer = |keys: &Keys, service: &Service<'_>| {
            verify(&signed.head, &signed.body, keys, service, signed.at).map_err(|e| e.code())
        };
        let mut other_secret = Keys::new();
        other_secret.add("AKIDEXAMPLE", "another secret", None).unwrap();
        assert_eq!(answer(&other_secret, &SQS), Err("SignatureDoesNotMatch"));
        assert_eq!(answer(&Keys::new(), &SQS), Err("InvalidClientTokenId"));
        let sns = Service { name: "sns", ..SQS };
        assert_eq!(answer(&keys(), &sns), Err("SignatureDoesNotMatch"));
        let elsewhere = Service { region: Some("af-south-1"), ..SQS };
        assert_eq!(answer(&keys(), &elsewhere), Err("SignatureDoesNotMatch"));
    }
}

/// A signature that is good for one request is good for no other one.
#[test]
fn a_signature_cannot_be_moved() {
    let mut random = Random(11);
    let mut moved = 0;
    for _ in 0..300 {
        let one = plan(&mut random, true).sign();
        let mut other = plan(&mut random, true).sign();
        if one.presigned || other.presigned {
            continue;
        }
        let signature = one.head.headers["authorization"].clone();
        other.head.headers.insert("authorization", signature);
        other.head.headers.insert("x-amz-date", one.head.headers["x-amz-date"].clone());
        other.at = one.at;
        assert!(other.verify().is_err());
        moved += 1;
    }
    assert!(moved > 50);
}
