//! Parameters of a query string, strict: what an operation does not have is refused, and so is what
//! is there twice and can be only once. A reader who misspells `after` must not get everything.

use percent_encoding::percent_decode_str;

use crate::bounds::{NUMBER_MAX, PARAMETERS_MAX, QUERY_BYTES_MAX};
use crate::problem::{Kind, Problem};
use crate::text::shown;

/// One parameter; without a `=` it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param {
    name: String,
    value: Option<String>,
}

/// The parameters of a request.
#[derive(Clone, Debug)]
pub(crate) struct Params(Vec<Param>);

impl Params {
    /// Reads a query string; `known` are the names that the operation has.
    pub(crate) fn read(query: Option<&str>, known: &[&str]) -> Result<Params, Problem> {
        let query = query.unwrap_or_default();
        if query.len() > QUERY_BYTES_MAX {
            let len = query.len();
            let detail =
                format!("The query string has {len} bytes; at most {QUERY_BYTES_MAX} fit.");
            return Err(Problem::new(Kind::LimitExceeded, detail));
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        if pairs.clone().count() > PARAMETERS_MAX {
            let detail = format!("There are more than {PARAMETERS_MAX} parameters.");
            return Err(Problem::new(Kind::LimitExceeded, detail));
        }
        let params: Result<Vec<_>, _> = pairs.map(Param::read).collect();
        let params = Params(params?);
        let unknown = params.0.iter().find(|param| !known.contains(&param.name.as_str()));
        match unknown {
            Some(param) => Err(unknown_parameter(&param.name, known)),
            None => Ok(params),
        }
    }

    /// The values of a parameter that may be there several times.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |param| param.name == name);
        named.map(|param| param.value.as_deref().unwrap_or_default())
    }

    /// The value of a parameter that may be there once.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (value, None) => Ok(value),
            _ => Err(invalid(name, format!("The parameter `{name}` is there twice."))),
        }
    }

    /// Refuses a parameter that is there more than `most` times.
    pub(crate) fn at_most(&self, name: &str, most: usize) -> Result<(), Problem> {
        match self.all(name).count() {
            count if count > most => {
                let detail =
                    format!("The parameter `{name}` is there {count} times; at most {most} fit.");
                Err(invalid(name, detail))
            }
            _ => Ok(()),
        }
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u64>, Problem> {
        self.one(name)?.map(|value| whole(name, value)).transpose()
    }

    /// A flag: `?follow`, `?follow=`, `?follow=true`; `=false` is as if it were not there.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        match self.one(name)? {
            Some("" | "true") => Ok(true),
            None | Some("false") => Ok(false),
            Some(other) => {
                let detail = format!("`{name}` is true or false, and not {}.", shown(other));
                Err(invalid(name, detail))
            }
        }
    }
}

impl Param {
    fn read(pair: &str) -> Result<Param, Problem> {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        };
        let name = decoded(name)?;
        Ok(Param { name, value: value.map(decoded).transpose()? })
    }
}

/// A text as a form writes it (WHATWG URL, section 5.1): a plus sign is a space.
fn decoded(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| {
        let detail = format!("In {} the escapes do not stand for UTF-8.", shown(text));
        Problem::new(Kind::InvalidParameter, detail)
    })
}

/// A whole number from 0 to [`NUMBER_MAX`], in digits alone.
pub(crate) fn whole(name: &str, value: &str) -> Result<u64, Problem> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| digits && *number <= NUMBER_MAX);
    number.ok_or_else(|| {
        let rule = format!("`{name}` is a whole number from 0 to {NUMBER_MAX}");
        let detail = format!("{rule}, and not {}.", shown(value));
        invalid(name, detail)
    })
}

/// A problem with a parameter.
pub(crate) fn invalid(name: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidParameter, detail).at(format!("parameter {name}"))
}

fn unknown_parameter(name: &str, known: &[&str]) -> Problem {
    let detail = match known.split_last() {
        None => format!("There is no parameter {}: this operation has none.", shown(name)),
        Some((last, [])) => format!("There is no parameter {}, only `{last}`.", shown(name)),
        Some((last, rest)) => {
            let rest = rest.join("`, `");
            format!("There is no parameter {}, only `{rest}` and `{last}`.", shown(name))
        }
    };
    Problem::new(Kind::UnknownParameter, detail).at(format!("parameter {}", shown(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Params, Problem> {
        Params::read(Some(query), &["a", "b", "c"])
    }

    #[test]
    fn parameters_are_decoded_as_forms_are() {
        let params = read("a=x+y&a=%E2%82%AC%2b&&b&c=1=2").unwrap();
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["x y", "€+"]);
        assert!(params.flag("b").unwrap());
        assert_eq!(params.one("c").unwrap(), Some("1=2"));
        assert_eq!(Params::read(None, &[]).unwrap().one("a").unwrap(), None);
    }

    #[test]
    fn what_is_unknown_or_there_twice_is_refused() {
        let unknown = read("a=1&d=2").unwrap_err();
        assert_eq!(unknown.kind(), Kind::UnknownParameter);
        assert_eq!(unknown.detail(), "There is no parameter `d`, only `a`, `b` and `c`.");
        let none = Params::read(Some("x"), &[]).unwrap_err();
        assert!(none.detail().ends_with("this operation has none."));
        assert!(read("a=1&a=2").unwrap().number("a").unwrap_err().detail().contains("twice"));
    }

    #[test]
    fn numbers_and_flags_have_one_form() {
        let number = |value: &str| read(&format!("a={value}")).unwrap().number("a");
        assert_eq!(number("9007199254740991").unwrap(), Some(NUMBER_MAX));
        for value in ["", "-1", "%2B1", "1.0", "0x1", "9007199254740992"] {
            assert_eq!(number(value).unwrap_err().kind(), Kind::InvalidParameter, "{value}");
        }
        let flag = |query: &str| read(query).unwrap().flag("a");
        assert!(flag("a").unwrap() && flag("a=").unwrap() && flag("a=true").unwrap());
        assert!(!flag("").unwrap() && !flag("a=false").unwrap());
        assert!(flag("a=1").is_err());
    }

    #[test]
    fn query_strings_are_bounded() {
        assert!(read(&"a=1&".repeat(256)).is_ok());
        assert_eq!(read(&"a=1&".repeat(257)).unwrap_err().kind(), Kind::LimitExceeded);
        assert!(read(&"&".repeat(QUERY_BYTES_MAX + 1)).is_err());
        assert!(read("a=%ff").is_err(), "escapes that are not UTF-8");
    }
}
