//! `auth`: puts the face behind a gate, if the settings say so.

use anyhow::Context;
use lineside_aws::Aws;
use lineside_aws::auth::{Gate, Keys, Moment};
use lineside_engine::clock;

use crate::config::{Auth, AuthMode};

/// The face behind the gate that the settings want, or as it is.
pub(crate) fn guard(aws: Aws, auth: &Auth) -> anyhow::Result<Aws> {
    if auth.mode == AuthMode::None {
        return Ok(aws);
    }
    let mut keys = Keys::new();
    for key in &auth.keys {
        let added = keys.add(&key.id, key.secret.reveal(), Some(&key.account));
        added.with_context(|| format!("the access key {:?} cannot be used", key.id))?;
    }
    Ok(aws.behind(Gate::new(keys, now)))
}

/// Credentials use real time, whatever the clock of what is stored says.
fn now() -> Moment {
    Moment(i64::try_from(clock::wall().as_seconds()).unwrap_or(i64::MAX))
}
