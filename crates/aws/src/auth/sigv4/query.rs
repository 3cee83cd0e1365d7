//! The query string: its parameters, and its canonical form.

use super::escape;
use crate::auth::AuthError;

/// The parameters of a query, decoded, in their order.
pub(super) struct Query(Vec<(Vec<u8>, Vec<u8>)>);

impl Query {
    /// Reads a query; bounded by whoever read the request's head.
    pub(super) fn read(query: &str) -> Query {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (escape::decode(name), escape::decode(value))
        });
        Query(pairs.collect())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name.as_bytes())
    }

    /// The only value of a parameter: with two, it is not said which one counts.
    pub(super) fn single(&self, name: &str) -> Result<Option<String>, AuthError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name.as_bytes());
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(AuthError::Twice),
            (Some((_, value)), None) => String::from_utf8(value.clone())
                .map(Some)
                .map_err(|_| AuthError::Malformed(format!("The parameter '{name}' is not UTF-8."))),
        }
    }

    /// The canonical form: encoded once, in order of encoded names and then of encoded values,
    /// without the parameter named `without`.
    pub(super) fn canonical(&self, without: &str) -> String {
        let encoded = |bytes: &[u8]| {
            let mut text = String::with_capacity(bytes.len());
            escape::encode(bytes, None, &mut text);
            text
        };
        let kept = self.0.iter().filter(|(name, _)| name != without.as_bytes());
        let mut pairs: Vec<(String, String)> =
            kept.map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.sort();
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_sorted_by_encoded_names_then_values() {
        let query = Query::read("b=2&a=z&a=%C3%A9&a-b=1&a=+&c&X-Amz-Signature=00&&A=");
        let canonical = "A=&a=%20&a=%C3%A9&a=z&a-b=1&b=2&c=";
        assert_eq!(query.canonical("X-Amz-Signature"), canonical);
    }

    #[test]
    fn two_values_are_none() {
        let query = Query::read("a=1&a=2&b=3&%62=4&c=5&d=%ff");
        assert_eq!(query.single("a"), Err(AuthError::Twice));
        assert_eq!(query.single("b"), Err(AuthError::Twice));
        assert_eq!(query.single("c"), Ok(Some("5".to_owned())));
        assert!(matches!(query.single("d"), Err(AuthError::Malformed(_))));
        assert_eq!(query.single("e"), Ok(None));
    }
}
