//! Requests and answers.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{ClientError, Problem};

/// A way to a server. A clone shares its connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    endpoint: String,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// A client of the server at this address, such as `http://127.0.0.1:4566`. Nothing is sent yet.
    pub fn new(endpoint: &str) -> Result<Client, ClientError> {
        let endpoint = endpoint.trim_end_matches('/');
        let is_one = endpoint.parse::<http::Uri>().is_ok_and(|uri| {
            uri.scheme_str() == Some("http") && uri.host().is_some() && uri.path() == "/"
        });
        if !is_one {
            return Err(ClientError::Address(endpoint.to_owned()));
        }
        let pool = Pool::builder(TokioExecutor::new()).build_http();
        Ok(Client { pool, endpoint: endpoint.to_owned() })
    }

    /// The server's address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Asks, and gives the answer as it begins; a problem is an error.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let uri = format!("{}{path}", self.endpoint);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(body));
        let request = request.map_err(|error| ClientError::Unsendable(error.to_string()))?;
        let response = self
            .pool
            .request(request)
            .await
            .map_err(|error| ClientError::Unreachable { endpoint: self.endpoint.clone(), error })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(problem.into()),
            Err(_) => Err(self.foreign(format!("status {status} {}", said(&body)))),
        }
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask_whole(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let (head, body) = self.ask(method, path, headers, body).await?.into_parts();
        Ok(Answer { headers: head.headers, body: body.collect().await?.to_bytes() })
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(body).map_err(|error| self.foreign(error.to_string()))
    }

    pub(crate) fn foreign(&self, why: String) -> ClientError {
        ClientError::Foreign { endpoint: self.endpoint.clone(), why }
    }
}

/// What an answer says that is no problem: below `/_lineside` it is an error's text.
fn said(body: &[u8]) -> String {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let error = body.as_ref().and_then(|body| body.get("error")).and_then(Value::as_str);
    error.map_or("without a problem".to_owned(), |error| format!("because {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_a_server() {
        for address in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:1"] {
            assert!(Client::new(address).is_ok(), "{address}");
        }
        for address in ["", "127.0.0.1:4566", "https://x", "http://x/path", "http://", "x"] {
            assert!(Client::new(address).is_err(), "{address}");
        }
    }
}
