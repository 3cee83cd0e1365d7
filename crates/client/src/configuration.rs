//! What a server is configured to have.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::ClientError;

const PATH: &str = "/_lineside/config";

#[derive(Deserialize)]
struct Text {
    text: String,
}

impl Client {
    /// A file that declares all queues, models and subscriptions that there are.
    pub async fn configuration(&self) -> Result<String, ClientError> {
        let answer = self.ask_whole(Method::GET, PATH, &[], Vec::new().into()).await?;
        let Text { text } = self.decode(&answer.body)?;
        Ok(text)
    }

    /// Sends a file: `file` is its name, `text` its content, `modules` the modules that it names by
    /// their files; with `plan` the server only says what it would do.
    pub async fn configure(&self, wish: &Value) -> Result<Value, ClientError> {
        let headers = [("content-type", "application/json".to_owned())];
        let body = wish.to_string().into();
        let answer = self.ask_whole(Method::POST, PATH, &headers, body).await?;
        self.decode(&answer.body)
    }
}
