//! The access keys that this server knows.

use std::collections::BTreeMap;
use std::fmt;

use crate::address::{DEFAULT_ACCOUNT, is_account};

/// Longest id of an access key, in bytes (API reference of IAM, AccessKey: 16 to 128).
const ID_BYTES_MAX: usize = 128;

/// Access keys by their ids. `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Keys(BTreeMap<String, Key>);

#[derive(Clone)]
pub(super) struct Key {
    pub(super) secret: String,
    pub(super) account: String,
}

/// Why something is no access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The id is empty, too long, or has characters that no id has.
    Id,
    /// The secret is empty.
    Secret,
    /// The account is not twelve digits.
    Account,
    /// There is a key of this id already.
    Repeated,
}

impl Keys {
    /// No keys at all: every signature is refused.
    pub fn new() -> Keys {
        Keys::default()
    }

    /// Adds a key. Its account is the one given, else the id if that is twelve digits, else
    /// [`DEFAULT_ACCOUNT`].
    pub fn add(&mut self, id: &str, secret: &str, account: Option<&str>) -> Result<(), KeyError> {
        // Other bytes would be ambiguous in `Credential=ID/…,` or in an ARN.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if id.is_empty() || id.len() > ID_BYTES_MAX || !id.bytes().all(plain) {
            return Err(KeyError::Id);
        }
        if secret.is_empty() {
            return Err(KeyError::Secret);
        }
        let account = account.unwrap_or(if is_account(id) { id } else { DEFAULT_ACCOUNT });
        if !is_account(account) {
            return Err(KeyError::Account);
        }
        if self.0.contains_key(id) {
            return Err(KeyError::Repeated);
        }
        let key = Key { secret: secret.to_owned(), account: account.to_owned() };
        self.0.insert(id.to_owned(), key);
        Ok(())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Key> {
        self.0.get(id)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(id, key)| (id, &key.account))).finish()
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyError::Id => {
                "the id of an access key must be 1 to 128 letters, digits, hyphens, underscores \
                 or full stops"
            }
            KeyError::Secret => "the secret of an access key must not be empty",
            KeyError::Account => "the account of an access key must be 12 digits",
            KeyError::Repeated => "there is an access key of this id already: give each id once",
        })
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_the_one_given_or_the_id_or_the_default() {
        let mut keys = Keys::new();
        keys.add("AKIDEXAMPLE", "s", None).unwrap();
        keys.add("111122223333", "s", None).unwrap();
        keys.add("AKIDOTHER", "s", Some("444455556666")).unwrap();
        let account = |id| keys.get(id).unwrap().account.clone();
        assert_eq!(account("AKIDEXAMPLE"), "000000000000");
        assert_eq!(account("111122223333"), "111122223333");
        assert_eq!(account("AKIDOTHER"), "444455556666");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let mut keys = Keys::new();
        assert_eq!(keys.add("", "s", None), Err(KeyError::Id));
        assert_eq!(keys.add("a/b", "s", None), Err(KeyError::Id));
        assert_eq!(keys.add(&"a".repeat(129), "s", None), Err(KeyError::Id));
        assert_eq!(keys.add("a", "", None), Err(KeyError::Secret));
        assert_eq!(keys.add("a", "s", Some("123")), Err(KeyError::Account));
        keys.add("a", "s", None).unwrap();
        assert_eq!(keys.add("a", "t", None), Err(KeyError::Repeated));
    }

    #[test]
    fn no_secret_is_shown() {
        let mut keys = Keys::new();
        keys.add("AKIDEXAMPLE", "hunter2", None).unwrap();
        let shown = format!("{keys:?}");
        assert!(shown.contains("AKIDEXAMPLE") && !shown.contains("hunter2"), "{shown}");
    }
}
