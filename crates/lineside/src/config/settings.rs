//! What a server is set to, as the rest of the binary takes it.

use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use lineside_store::Durability;

use super::queue::Declared;
use super::subscription;

/// Everything that `lineside up` is told, by whichever way.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The directory that holds the log; none if nothing is kept.
    pub(crate) data: Option<PathBuf>,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// When a call is answered.
    pub(crate) durability: Durability,
    /// Whose time it is.
    pub(crate) clock: ClockKind,
    /// Which limits clients meet.
    pub(crate) limits: LimitSet,
    /// What is written when the server is ready.
    pub(crate) ready_file: Option<PathBuf>,
    /// Most requests that wait for a turn.
    pub(crate) inbox: usize,
    /// With so many bytes of state, what would make it larger is refused.
    pub(crate) state_bytes_max: u64,
    /// Whether others may reach a server that checks nobody.
    pub(crate) insecure: bool,
    /// Who may call.
    pub(crate) auth: Auth,
    /// The models that are defined before the server is ready.
    pub(crate) models: Vec<super::model::Declared>,
    /// The queues that are there before the server is ready.
    pub(crate) queues: Vec<Declared>,
    /// The subscriptions that are.
    pub(crate) subscriptions: Vec<subscription::Declared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockKind {
    /// The machine's.
    Real,
    /// One that can be moved ahead.
    Steerable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitSet {
    /// As the clouds document them.
    Cloud,
    /// For throw-away servers of tests.
    Relaxed,
}

/// Who may call, as it was said; nothing is checked here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Auth {
    pub(crate) mode: AuthMode,
    /// Each id once.
    pub(crate) keys: Vec<AccessKey>,
}

/// What is asked of a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AuthMode {
    /// Nothing.
    #[default]
    None,
    /// A signature (AWS Signature Version 4) with one of the keys.
    Sigv4,
}

/// A key that callers sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessKey {
    /// 1 to 128 letters, digits and `_`.
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// 12 digits: the account that the key's holder acts in.
    pub(crate) account: String,
}

/// A text that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for whoever checks signatures.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::MASK)
    }
}

impl AccessKey {
    /// A key whose account may be left out: an id of 12 digits is an account itself.
    pub(crate) fn new(id: &str, secret: &str, account: Option<&str>) -> AccessKey {
        let own = super::queue::is_account(id).then_some(id);
        let account = account.or(own).unwrap_or(lineside_aws::DEFAULT_ACCOUNT);
        AccessKey { id: id.to_owned(), secret: Secret::new(secret), account: account.to_owned() }
    }
}

impl Settings {
    /// What a server is before anything is said, the table's defaults included, is told it.
    pub(super) fn blank() -> Settings {
        Settings {
            data: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            durability: Durability::Commit,
            clock: ClockKind::Real,
            limits: LimitSet::Cloud,
            ready_file: None,
            inbox: 0,
            state_bytes_max: 0,
            insecure: false,
            auth: Auth::default(),
            models: Vec::new(),
            queues: Vec::new(),
            subscriptions: Vec::new(),
        }
    }

    pub(super) fn take_data(&mut self, given: &OsStr) -> Result<(), String> {
        self.data = Some(given.into());
        Ok(())
    }

    pub(super) fn take_listen(&mut self, given: &OsStr) -> Result<(), String> {
        self.listen = address(text(given)?)?;
        Ok(())
    }

    pub(super) fn take_durability(&mut self, given: &OsStr) -> Result<(), String> {
        self.durability = durability(text(given)?)?;
        Ok(())
    }

    pub(super) fn take_clock(&mut self, given: &OsStr) -> Result<(), String> {
        let steerable = given == "steerable";
        self.clock = if steerable { ClockKind::Steerable } else { ClockKind::Real };
        Ok(())
    }

    pub(super) fn take_limits(&mut self, given: &OsStr) -> Result<(), String> {
        self.limits = if given == "relaxed" { LimitSet::Relaxed } else { LimitSet::Cloud };
        Ok(())
    }

    pub(super) fn take_ready_file(&mut self, given: &OsStr) -> Result<(), String> {
        self.ready_file = Some(given.into());
        Ok(())
    }

    pub(super) fn take_inbox(&mut self, given: &OsStr) -> Result<(), String> {
        self.inbox = text(given)?.parse().map_err(|_| "this is no number")?;
        Ok(())
    }

    pub(super) fn take_state(&mut self, given: &OsStr) -> Result<(), String> {
        let mebibytes: u64 = text(given)?.parse().map_err(|_| "this is no number")?;
        self.state_bytes_max = mebibytes.saturating_mul(1 << 20);
        Ok(())
    }

    pub(super) fn take_insecure(&mut self, given: &OsStr) -> Result<(), String> {
        self.insecure = given == "true";
        Ok(())
    }

    pub(super) fn take_auth_mode(&mut self, given: &OsStr) -> Result<(), String> {
        self.auth.mode = if given == "sigv4" { AuthMode::Sigv4 } else { AuthMode::None };
        Ok(())
    }

    pub(super) fn take_auth_keys(&mut self, given: &OsStr) -> Result<(), String> {
        self.auth.keys = access_keys(text(given)?)?;
        Ok(())
    }
}

fn text(given: &OsStr) -> Result<&str, String> {
    given.to_str().ok_or_else(|| "this is not UTF-8".to_owned())
}

/// Reads `127.0.0.1:4566`.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let shown = super::yaml::shown(text);
        format!("{shown} is no address: write an IP address and a port, such as 127.0.0.1:4566")
    })
}

/// Reads `commit`, `interval=<ms>`, `memory`.
pub(super) fn durability(text: &str) -> Result<Durability, String> {
    text.parse().map_err(|unknown: lineside_store::UnknownDurability| unknown.to_string())
}

/// Reads `ID:SECRET`, several with a comma between them. What is wrong is never shown: it may be a
/// secret.
pub(super) fn access_keys(text: &str) -> Result<Vec<AccessKey>, String> {
    let one = |pair: &str| {
        let (id, secret) = pair.split_once(':').ok_or("a key is written ID:SECRET")?;
        super::queue::check_key_id(id)?;
        super::queue::check_secret(secret)?;
        Ok(AccessKey::new(id, secret, None))
    };
    text.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_text_have_the_account_that_their_id_says() {
        let keys = access_keys("AKID:se/cr+et=,123456789012:x").unwrap();
        assert_eq!(keys[0], AccessKey::new("AKID", "se/cr+et=", Some("000000000000")));
        assert_eq!(
            (keys[1].id.as_str(), keys[1].account.as_str()),
            ("123456789012", "123456789012")
        );
        assert_eq!(keys[0].secret.reveal(), "se/cr+et=");
    }

    #[test]
    fn what_is_wrong_with_a_key_does_not_tell_its_secret() {
        for text in ["hush", "ID:", ":hush", "ID:hush hush", "I D:hush", "ID:hush,", "ID:hush,hush"]
        {
            let error = access_keys(text).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
        let shown = format!("{:?}", access_keys("ID:hush").unwrap());
        assert!(!shown.contains("hush") && shown.contains("********"), "{shown}");
    }
}
