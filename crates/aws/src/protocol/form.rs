//! The parameters of a Query request: `application/x-www-form-urlencoded`, from the URL, the body,
//! or both. Bounded before anything is made of them.

use std::collections::BTreeMap;
use std::ops::Bound;

use http::StatusCode;

use super::error::WireError;

/// Most parameters of one request. A batch of ten messages with ten attributes each has 400.
const PARAMS_MAX: usize = 2000;
/// Most bytes of a parameter's name. The longest of SQS has about 80.
const NAME_LEN_MAX: usize = 256;
/// Most dots in a name, which bounds how deep a reader goes. SQS has seven.
const DOTS_MAX: usize = 16;

/// Parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads the parameters of a request. One that the body has goes before one of the URL, since
    /// the URL of a queue may carry some; twice in one place is an error.
    pub fn read(query: Option<&str>, body: &[u8]) -> Result<Params, WireError> {
        let mut params = parse(body)?;
        for (name, value) in parse(query.unwrap_or_default().as_bytes())? {
            params.entry(name).or_insert(value);
        }
        Ok(Params(params))
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Gives a parameter a value, if it has none.
    pub fn set_default(&mut self, name: &str, value: impl Into<String>) {
        self.0.entry(name.to_owned()).or_insert_with(|| value.into());
    }

    /// The rest of the names that begin with `prefix` and a dot.
    pub(super) fn below<'a>(&'a self, prefix: &str) -> impl Iterator<Item = &'a str> {
        let start = format!("{prefix}.");
        let range = self.0.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded));
        range.map_while(move |(name, _)| name.strip_prefix(&start))
    }

    /// Whether a name begins with `prefix` and a dot.
    pub(super) fn has_below(&self, prefix: &str) -> bool {
        self.below(prefix).next().is_some()
    }
}

fn parse(text: &[u8]) -> Result<BTreeMap<String, String>, WireError> {
    let mut params = BTreeMap::new();
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if params.len() == PARAMS_MAX {
            return Err(malformed(&format!("it has more than {PARAMS_MAX} parameters")));
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = name(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        if params.contains_key(&name) {
            return Err(invalid(&name, "It is given twice."));
        }
        params.insert(name, value);
    }
    Ok(params)
}

fn name(text: &[u8]) -> Result<String, WireError> {
    let name = decode(text)?;
    let dots = name.bytes().filter(|byte| *byte == b'.').count();
    if name.len() > NAME_LEN_MAX || dots > DOTS_MAX {
        return Err(malformed("the name of a parameter is too long"));
    }
    Ok(name)
}

/// `+` and `%XX` into what they stand for.
fn decode(text: &[u8]) -> Result<String, WireError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = (rest.next().and_then(digit), rest.next().and_then(digit));
                let (Some(high), Some(low)) = digits else {
                    return Err(malformed("a % is not followed by two digits"));
                };
                high << 4 | low
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// A string that breaks the rules of its form (API reference, "Common errors": 404).
fn malformed(why: &str) -> WireError {
    let message = format!("The query string cannot be read: {why}.");
    WireError::common(StatusCode::NOT_FOUND, "MalformedQueryString", message)
}

/// A parameter that cannot stand so.
pub(super) fn invalid(name: &str, why: &str) -> WireError {
    let message = format!("The query parameter {name} is invalid. {why}");
    WireError::common(StatusCode::BAD_REQUEST, "InvalidQueryParameter", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, body: &str) -> Result<Params, WireError> {
        Params::read(Some(query), body.as_bytes())
    }

    fn refused(query: &str, body: &str) -> String {
        read(query, body).unwrap_err().code().to_owned()
    }

    #[test]
    fn decodes_names_and_values() {
        let params = read("", "A%2e1=x%20y+z%C3%A4&B&C=&&D=a=b").unwrap();
        assert_eq!(params.get("A.1"), Some("x y zä"));
        assert_eq!((params.get("B"), params.get("C")), (Some(""), Some("")));
        assert_eq!(params.get("D"), Some("a=b"));
        assert_eq!(params.get("E"), None);
    }

    #[test]
    fn the_body_goes_before_the_url() {
        let params = read("A=url&B=url", "A=body").unwrap();
        assert_eq!((params.get("A"), params.get("B")), (Some("body"), Some("url")));
    }

    #[test]
    fn refuses_what_is_no_form() {
        for text in ["A=%", "A=%4", "A=%zz", "A=%ff", "%=a", "A=%-1"] {
            assert_eq!(refused("", text), "MalformedQueryString", "{text}");
            assert_eq!(refused(text, ""), "MalformedQueryString", "{text}");
        }
        assert_eq!(refused("", "A=1&A=2"), "InvalidQueryParameter");
        assert_eq!(refused("", "A=1&%41=1"), "InvalidQueryParameter");
    }

    #[test]
    fn is_bounded() {
        let many = |count: usize| (0..count).map(|n| format!("{n}=&")).collect::<String>();
        assert!(read("", &many(PARAMS_MAX)).is_ok());
        assert_eq!(refused("", &many(PARAMS_MAX + 1)), "MalformedQueryString");
        assert!(read("", &"a".repeat(NAME_LEN_MAX)).is_ok());
        assert_eq!(refused("", &"a".repeat(NAME_LEN_MAX + 1)), "MalformedQueryString");
        assert!(read("", &"a.".repeat(DOTS_MAX)).is_ok());
        assert_eq!(refused("", &"a.".repeat(DOTS_MAX + 1)), "MalformedQueryString");
    }

    #[test]
    fn below_a_name_is_what_begins_with_it_and_a_dot() {
        let params = read("", "A=0&A-1=0&A.1=0&A.2.B=0&A0=0&B.1=0").unwrap();
        assert_eq!(params.below("A").collect::<Vec<_>>(), ["1", "2.B"]);
        assert!(!params.has_below("A-1"));
        assert!(!params.has_below("A.1"));
    }
}
