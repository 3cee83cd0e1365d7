//! Requests signed by AWS's own signer (the crate `aws-sigv4`): each must verify.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use http::request::Parts;
use http::{HeaderValue, Request};

use super::{Service, Signer, verify};
use crate::auth::{AuthError, Keys, Moment};

pub(super) const KEY_ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(super) const SQS: Service<'static> =
    Service { name: "sqs", region: None, unsigned_payload: false };

/// Numbers that look random and are the same in each run (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub(super) fn text(&mut self, alphabet: &str, longest: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..self.below(longest + 1)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

/// A request with its signature, and when it was signed.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) head: Parts,
    pub(super) body: Vec<u8>,
    pub(super) at: Moment,
    pub(super) presigned: bool,
}

impl Signed {
    pub(super) fn verify(&self) -> Result<Signer, AuthError> {
        verify(&self.head, &self.body, &keys(), &SQS, self.at)
    }
}

pub(super) fn keys() -> Keys {
    let mut keys = Keys::new();
    keys.add(KEY_ID, SECRET, None).unwrap();
    keys.add("AKIDOTHER", "another secret", Some("111122223333")).unwrap();
    keys
}

/// What is to be signed, and how.
pub(super) struct Plan {
    pub(super) request: Request<Vec<u8>>,
    pub(super) at: Moment,
    pub(super) region: String,
    pub(super) token: Option<String>,
    pub(super) presign: Option<u64>,
    pub(super) checksum: bool,
}

impl Plan {
    /// Signs a request to `http://HOST/…` as a client would, and gives it as a server sees it.
    pub(super) fn sign(mut self) -> Signed {
        let identity: Identity =
            Credentials::new(KEY_ID, SECRET, self.token.take(), None, "test").into();
        let seconds = u64::try_from(self.at.0).unwrap();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("sqs")
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .settings(self.settings())
            .build()
            .unwrap();
        let headers = self
            .request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signable = SignableRequest::new(
            self.request.method().as_str(),
            self.request.uri().to_string(),
            headers,
            SignableBody::Bytes(self.request.body()),
        );
        let signed = sign(signable.unwrap(), &params.into()).unwrap();
        signed.into_parts().0.apply_to_request_http1x(&mut self.request);
        let (mut head, body) = self.request.into_parts();
        let host = head.uri.authority().unwrap().to_string();
        head.headers.insert("host", HeaderValue::from_str(&host).unwrap());
        head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
        Signed { head, body, at: self.at, presigned: self.presign.is_some() }
    }

    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if let Some(seconds) = self.presign {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        if self.checksum {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}

/// A request as wild as the forms allow: `plain` leaves out what has two ways to be written.
pub(super) fn plan(random: &mut Random, plain: bool) -> Plan {
    let host = random.pick(&["127.0.0.1:4566", "sqs.eu-west-1.amazonaws.com", "localhost"]);
    let uri = format!("http://{host}{}{}", path(random, plain), query(random, plain));
    let mut request = Request::builder().method(random.pick(&["POST", "GET", "PUT"])).uri(uri);
    let values = if plain { "abcXYZ019-_.!#" } else { "abc XYZ  019,;=\t\"'%+" };
    let names = ["x-amz-target", "content-type", "x-amz-meta", "accept", "cookie", "x-a"];
    for name in names {
        for _ in 0..random.below(3) {
            request = request.header(name, random.text(values, 20).trim_matches('\t'));
        }
    }
    let body = (0..random.below(200)).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
    let token = random.one_in(3).then(|| format!("token/+={}", random.text("abc+/=", 30)));
    Plan {
        request: request.body(body).unwrap(),
        at: Moment(1_700_000_000 + i64::try_from(random.below(100_000_000)).unwrap()),
        region: random.pick(&["us-east-1", "eu-west-1", "ap-southeast-2"]).to_owned(),
        token,
        presign: random.one_in(3).then(|| 1 + u64::try_from(random.below(604_800)).unwrap()),
        checksum: random.one_in(4),
    }
}

fn path(random: &mut Random, plain: bool) -> String {
    let mut path = "/".to_owned();
    for _ in 0..random.below(5) {
        let wild = ["..", ".", "", "a%20b", "%2F", "caf%c3%a9", "x:y", "a~b", "a=b", "q(1)"];
        let part = match plain || random.one_in(2) {
            true => format!("{}x", random.text("abcXYZ019-_", 8)),
            false => random.pick(&wild).to_owned(),
        };
        path.push_str(&part);
        path.push('/');
    }
    if random.one_in(2) && path.len() > 1 {
        path.pop();
    }
    path
}

fn query(random: &mut Random, plain: bool) -> String {
    let wild =
        ["%20", "+", "%2B", "%c3%A9", "%", "%zz", "~", "/", "?", "*", "'", "!", ":", "@", "-"];
    let mut part = |most| {
        let text = random.text("abcXYZ019", most);
        match plain || random.one_in(2) {
            true => text,
            false => text + random.pick(&wild),
        }
    };
    let many = part(6).len();
    let pairs: Vec<String> = (0..many).map(|at| format!("p{}{at}={}", part(5), part(9))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

#[test]
fn every_request_that_awss_signer_has_signed_verifies() {
    let mut random = Random(7);
    let (mut presigned, mut with_token) = (0, 0);
    for number in 0..4000 {
        let plan = plan(&mut random, false);
        let (region, token) = (plan.region.clone(), plan.token.clone());
        let signed = plan.sign();
        presigned += u32::from(signed.presigned);
        with_token += u32::from(token.is_some());
        let expected =
            Signer { key_id: KEY_ID.to_owned(), account: "000000000000".to_owned(), region, token };
        assert_eq!(signed.verify(), Ok(expected), "request {number}: {:?}", signed.head);
    }
    assert!(presigned > 1000 && with_token > 1000);
}
