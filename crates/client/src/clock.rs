//! Time that can be moved.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;
use crate::error::ClientError;

/// What a move of time answers, as far as it is told here.
#[derive(Deserialize)]
struct Advanced {
    now: u64,
}

impl Client {
    /// Moves the time of a server that is under `--clock steerable` by a span such as `24h`, and says
    /// which time it is then, in milliseconds since 1970. All that falls due on the way happens.
    pub async fn advance(&self, by: &str) -> Result<u64, ClientError> {
        let body = json!({ "advance": by }).to_string();
        let headers = [("content-type", "application/json".to_owned())];
        let path = "/_lineside/clock";
        let answer = self.ask_whole(Method::POST, path, &headers, body.into()).await?;
        Ok(self.decode::<Advanced>(&answer.body)?.now)
    }
}
