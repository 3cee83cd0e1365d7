//! Each rule by itself. What verifies at all is the oracle's matter.

use http::request::Parts;
use http::{HeaderValue, Request};

use super::oracle::{KEY_ID, Plan, Random, SECRET, SQS, Signed, keys, plan};
use super::{Service, verify};
use crate::auth::{AuthError, Keys, Moment};

fn header_form() -> Signed {
    let request = Request::post("http://127.0.0.1:4566/")
        .header("x-amz-target", "AmazonSQS.ListQueues")
        .body(b"{}".to_vec());
    Plan {
        request: request.unwrap(),
        at: Moment(1_795_448_921),
        region: "us-east-1".to_owned(),
        token: None,
        presign: None,
        checksum: false,
    }
    .sign()
}

fn presigned(seconds: u64) -> Signed {
    let request = Request::get("http://127.0.0.1:4566/?Action=ListQueues").body(Vec::new());
    Plan {
        request: request.unwrap(),
        at: Moment(1_795_448_921),
        region: "us-east-1".to_owned(),
        token: None,
        presign: Some(seconds),
        checksum: false,
    }
    .sign()
}

fn authorization(head: &Parts) -> String {
    head.headers["authorization"].to_str().unwrap().to_owned()
}

/// The header form with its `Authorization` changed.
fn with_authorization(change: impl Fn(String) -> String) -> AuthError {
    let mut signed = header_form();
    let changed = change(authorization(&signed.head));
    signed.head.headers.insert("authorization", HeaderValue::from_str(&changed).unwrap());
    signed.verify().unwrap_err()
}

fn with_query(change: impl Fn(String) -> String) -> AuthError {
    let mut signed = presigned(60);
    let changed = change(signed.head.uri.to_string());
    signed.head.uri = changed.parse().unwrap();
    signed.verify().unwrap_err()
}

/// The example of AWS's general reference ("Signature Version 4 signing process", ListUsers).
#[test]
fn the_documented_example_verifies() {
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
    );
    let request = Request::get("/?Action=ListUsers&Version=2010-05-08")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("host", "iam.amazonaws.com")
        .header("x-amz-date", "20150830T123600Z")
        .header("authorization", authorization);
    let (head, ()) = request.body(()).unwrap().into_parts();
    let iam = Service { name: "iam", region: Some("us-east-1"), unsigned_payload: false };
    let now = Moment::from_basic("20150830T124000Z").unwrap();
    let signer = verify(&head, b"", &keys(), &iam, now).unwrap();
    assert_eq!((signer.key_id.as_str(), signer.region.as_str()), (KEY_ID, "us-east-1"));
}

#[test]
fn nothing_signed_says_so() {
    let mut signed = header_form();
    signed.head.headers.remove("authorization");
    let error = signed.verify().unwrap_err();
    assert_eq!(error, AuthError::Missing);
    assert_eq!((error.code(), error.status().as_u16()), ("MissingAuthenticationToken", 403));
    assert_eq!(error.to_string(), "Request is missing Authentication Token");
}

#[test]
fn each_missing_part_of_the_header_is_named() {
    let mut signed = header_form();
    signed.head.headers.insert("authorization", HeaderValue::from_static("Bearer x"));
    signed.head.headers.remove("x-amz-date");
    let error = signed.verify().unwrap_err();
    assert_eq!((error.code(), error.status().as_u16()), ("IncompleteSignature", 400));
    assert_eq!(
        error.to_string(),
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
         Authorization=Bearer x"
    );
}

#[test]
fn a_header_in_another_form_is_incomplete() {
    let incomplete = |change: fn(String) -> String| {
        let error = with_authorization(change);
        assert_eq!(error.code(), "IncompleteSignature", "{error}");
    };
    incomplete(|header| header.replace("HMAC-SHA256", "HMAC-SHA1"));
    incomplete(|header| header.replace("AWS4-HMAC-SHA256 ", ""));
    incomplete(|header| header.replace("SignedHeaders=", "SignedHeader="));
    incomplete(|header| header.replace("SignedHeaders=", "SignedHeaders"));
    incomplete(|header| header.replace("host;", "host;host;"));
    incomplete(|header| header.replace("host;x-amz-date", "x-amz-date;host"));
    incomplete(|header| header.replace("host;", "Host;"));
    incomplete(|header| header.replace("host;", ";host;"));
    incomplete(|header| header.replace("AKIDEXAMPLE/", ""));
    incomplete(|header| header.replace("AKIDEXAMPLE/", "AKIDEXAMPLE/x/"));
    incomplete(|header| header.replace("AKIDEXAMPLE/", "/"));
    incomplete(|header| header.replace("Signature=", "Signature=0"));
    incomplete(|header| header + ", Signature=00");
    incomplete(|header| header + ",");
    incomplete(|header| header.to_uppercase());
}

#[test]
fn two_signatures_are_none() {
    let mut signed = header_form();
    let again = signed.head.headers["authorization"].clone();
    signed.head.headers.append("authorization", again);
    assert_eq!(signed.verify(), Err(AuthError::Twice));
    let mut signed = presigned(60);
    let header = header_form().head.headers["authorization"].clone();
    signed.head.headers.insert("authorization", header);
    assert_eq!(signed.verify(), Err(AuthError::Twice));
    assert_eq!(with_query(|query| query + "&X-Amz-Expires=60"), AuthError::Twice);
}

#[test]
fn the_scope_must_be_this_services_and_of_the_day() {
    let says = |from: &str, to: &str, sentence: &str| {
        let error = with_authorization(|header| header.replace(from, to));
        assert_eq!((error.code(), error.status().as_u16()), ("SignatureDoesNotMatch", 403));
        assert_eq!(error.to_string(), sentence);
    };
    says("/sqs/", "/sns/", "Credential should be scoped to correct service: 'sqs'.");
    says(
        "aws4_request",
        "aws4",
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'.",
    );
    says("us-east-1", "us:east", "Credential should be scoped to a valid region, not 'us:east'.");
    says(
        "20261123",
        "20261122",
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20261122' != '20261123', from '20261123T154841Z'.",
    );
}

#[test]
fn the_date_is_within_fifteen_minutes() {
    let at = |seconds: i64| {
        let mut signed = header_form();
        signed.at = signed.at.after(seconds);
        signed.verify().map(drop).map_err(|error| (error.code(), error.to_string()))
    };
    assert_eq!(at(900), Ok(()));
    assert_eq!(at(-900), Ok(()));
    let late = "Signature expired: 20261123T154841Z is now earlier than 20261123T154842Z \
                (20261123T160342Z - 15 min.)";
    assert_eq!(at(901), Err(("SignatureDoesNotMatch", late.to_owned())));
    let early = "Signature not yet current: 20261123T154841Z is still later than 20261123T154840Z \
                 (20261123T153340Z + 15 min.)";
    assert_eq!(at(-901), Err(("SignatureDoesNotMatch", early.to_owned())));
}

#[test]
fn a_presigned_request_ends_when_it_says() {
    let at = |seconds: i64| {
        let mut signed = presigned(60);
        signed.at = signed.at.after(seconds);
        signed.verify().map(drop).map_err(|error| (error.code(), error.status().as_u16()))
    };
    assert_eq!(at(60), Ok(()));
    assert_eq!(at(61), Err(("RequestExpired", 400)));
    assert_eq!(at(-900), Ok(()));
    assert_eq!(at(-901), Err(("SignatureDoesNotMatch", 403)));
    let mut week = presigned(604_800);
    week.at = week.at.after(604_800);
    assert!(week.verify().is_ok());
}

#[test]
fn a_presigned_request_says_how_long() {
    for seconds in ["0", "604801", "-1", "+60", "", "6e1", "99999999999999999999"] {
        let error = with_query(|query| {
            query.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={seconds}"))
        });
        assert_eq!(error.code(), "IncompleteSignature", "{seconds}");
        assert!(error.to_string().starts_with("X-Amz-Expires must be"), "{error}");
    }
}

#[test]
fn each_missing_parameter_of_the_query_is_named() {
    let error = with_query(|query| query.replace("X-Amz-Date=", "Date="));
    assert_eq!(error.code(), "IncompleteSignature");
    assert_eq!(
        error.to_string(),
        "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string \
         parameters."
    );
    let error = with_query(|query| query.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"));
    assert!(error.to_string().starts_with("X-Amz-Algorithm only supports"), "{error}");
}

#[test]
fn a_date_in_another_form_is_incomplete() {
    for date in ["20261123", "2026-11-23T15:48:41Z", "20261123T154841+0000", "20261199T154841Z"] {
        let mut signed = header_form();
        signed.head.headers.insert("x-amz-date", HeaderValue::from_str(date).unwrap());
        let error = signed.verify().unwrap_err();
        assert_eq!(error.code(), "IncompleteSignature", "{date}");
        assert!(error.to_string().starts_with("Date must be in ISO-8601"), "{error}");
    }
}

/// Signs by hand what the oracle would not sign.
fn sign_by_hand(headers: &[(&str, &str)], signed_headers: &str, hash: &str) -> Signed {
    let at = Moment(1_795_448_921);
    let mut request = Request::post("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let scope = "20261123/us-east-1/sqs/aws4_request";
    let lines: String = signed_headers
        .split(';')
        .filter_map(|name| headers.iter().find(|(known, _)| *known == name))
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!("POST\n/\n\n{lines}\n{signed_headers}\n{hash}");
    let text = format!(
        "AWS4-HMAC-SHA256\n20261123T154841Z\n{scope}\n{}",
        super::canonical::hash(canonical.as_bytes())
    );
    let credential = format!("{KEY_ID}/{scope}");
    let key = super::signing_key(SECRET, &super::Scope::read(&credential).unwrap());
    let signature = {
        use hmac::Mac;
        super::escape::hex(&super::mac(&key, &text).finalize().into_bytes())
    };
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed_headers},\
         Signature={signature}"
    );
    let (head, ()) = request.header("authorization", authorization).body(()).unwrap().into_parts();
    Signed { head, body: b"body".to_vec(), at, presigned: false }
}

const HOST: (&str, &str) = ("host", "127.0.0.1:4566");
const DATED: (&str, &str) = ("x-amz-date", "20261123T154841Z");

fn hash() -> String {
    super::canonical::hash(b"body")
}

#[test]
fn what_is_signed_by_hand_verifies() {
    assert!(sign_by_hand(&[HOST, DATED], "host;x-amz-date", &hash()).verify().is_ok());
    let http = ("date", "Mon, 23 Nov 2026 15:48:41 GMT");
    assert!(sign_by_hand(&[HOST, http], "date;host", &hash()).verify().is_ok());
    let iso = ("date", "20261123T154841Z");
    assert!(sign_by_hand(&[HOST, iso], "date;host", &hash()).verify().is_ok());
}

#[test]
fn host_date_and_every_amz_header_must_be_signed() {
    let refused = |headers: &[(&str, &str)], signed: &str, name: &str| {
        let error = sign_by_hand(headers, signed, &hash()).verify().unwrap_err();
        assert_eq!(error, AuthError::NotSigned(name.to_owned()));
        assert_eq!((error.code(), error.status().as_u16()), ("SignatureDoesNotMatch", 403));
    };
    let target = ("x-amz-target", "AmazonSQS.SendMessage");
    refused(&[HOST, DATED], "x-amz-date", "Host");
    refused(&[HOST, DATED, target], "host;x-amz-date", "x-amz-target");
    refused(&[HOST, DATED], "host", "x-amz-date");
    refused(&[HOST, ("date", "Mon, 23 Nov 2026 15:48:41 GMT")], "host", "Date");
}

#[test]
fn a_signed_header_that_is_not_there_is_named() {
    let error = sign_by_hand(&[HOST, DATED], "host;x-amz-date;x-amz-target", &hash()).verify();
    assert_eq!(error, Err(AuthError::SignedAway("x-amz-target".to_owned())));
}

#[test]
fn an_unsigned_payload_is_taken_only_where_it_may_be() {
    let unsigned = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    let names = "host;x-amz-content-sha256;x-amz-date";
    let signed = sign_by_hand(&[HOST, unsigned, DATED], names, "UNSIGNED-PAYLOAD");
    assert_eq!(signed.verify().unwrap_err().code(), "SignatureDoesNotMatch");
    let may = Service { unsigned_payload: true, ..SQS };
    assert!(verify(&signed.head, b"any body", &keys(), &may, signed.at).is_ok());
}

/// The hash that the client says is signed, and the body is not what it says.
#[test]
fn the_hash_in_the_header_must_be_the_bodys() {
    let other = super::canonical::hash(b"another body");
    let said = ("x-amz-content-sha256", other.as_str());
    let signed = sign_by_hand(&[HOST, said, DATED], "host;x-amz-content-sha256;x-amz-date", &other);
    assert_eq!(signed.verify().unwrap_err().code(), "SignatureDoesNotMatch");
    assert!(verify(&signed.head, b"another body", &keys(), &SQS, signed.at).is_ok());
}

#[test]
fn a_mismatch_shows_what_should_have_been_signed() {
    let signed = header_form();
    let mut wrong = Keys::new();
    wrong.add(KEY_ID, "another secret", None).unwrap();
    let error = verify(&signed.head, &signed.body, &wrong, &SQS, signed.at).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("The request signature we calculated does not match the signature"));
    assert!(
        text.contains("\n\nThe Canonical String for this request should have been\n'POST\n/\n")
    );
    assert!(text.contains("'AWS4-HMAC-SHA256\n20261123T154841Z\n20261123/us-east-1/sqs/aws4_req"));
    assert!(!text.contains("another secret"));
}

#[test]
fn the_account_is_the_keys() {
    let mut keys = Keys::new();
    keys.add(KEY_ID, SECRET, Some("111122223333")).unwrap();
    let signed = header_form();
    let signer = verify(&signed.head, &signed.body, &keys, &SQS, signed.at).unwrap();
    assert_eq!(signer.account, "111122223333");
}

/// Headers and queries of any bytes are refused, and nothing panics.
#[test]
fn noise_is_refused() {
    let mut random = Random(3);
    let alphabet =
        "AWS4-HMAC-SHA256 Credential=/,;Signature%&X-Amz-0123456789abcdef\u{e9}\u{1F600}";
    for _ in 0..20_000 {
        let mut signed = plan(&mut random, false).sign();
        let noise = random.text(alphabet, 120);
        let header = HeaderValue::from_bytes(noise.as_bytes());
        if let (Ok(header), true) = (header, random.one_in(2)) {
            signed.head.headers.insert("authorization", header);
        } else if let Ok(uri) = format!("/?X-Amz-Signature={}", noise.replace(' ', "")).parse() {
            signed.head.uri = uri;
        } else {
            continue;
        }
        assert!(signed.verify().is_err());
    }
}
