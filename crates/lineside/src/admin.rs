//! `/_lineside`: health, the clock, backups, the configuration of what is served.

use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use lineside_engine::engine::Handle;
use lineside_engine::off_loop::on_own_thread;
use lineside_engine::request::CallError;
use lineside_native::face::Native;
use lineside_store::DiskLog;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::apply;
use crate::config::declare::Trouble;
use crate::span;

/// What is behind these paths.
#[derive(Clone, Copy)]
pub(crate) struct Behind<'a> {
    pub(crate) engine: &'a Handle,
    /// The face of events, if they can be served.
    pub(crate) native: Option<&'a Native>,
    pub(crate) log: Option<&'a DiskLog>,
    /// Whether the faces answer, which they do when what is declared is there.
    pub(crate) open: bool,
}

/// Answers a request below `/_lineside`.
pub(crate) async fn answer(
    behind: Behind<'_>,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Response<Bytes> {
    let Behind { engine, native, log, open } = behind;
    match (method, path) {
        (&Method::GET, "/_lineside/health") => health(engine, open),
        (&Method::POST, "/_lineside/clock") => clock(engine, body).await,
        (&Method::POST, "/_lineside/backup") => backup(log, body).await,
        (&Method::GET, "/_lineside/config") => match apply::export(engine, native).await {
            Ok(text) => respond(StatusCode::OK, &json!({ "text": text })),
            Err(why) => troubled(&why),
        },
        (&Method::POST, "/_lineside/config") => configure(engine, native, body).await,
        (
            _,
            "/_lineside/health" | "/_lineside/clock" | "/_lineside/backup" | "/_lineside/config",
        ) => problem(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method"),
        _ => problem(StatusCode::NOT_FOUND, "there is nothing at this path"),
    }
}

/// Says at once whether the server lives, whether a canary went through its log, and why none will
/// if it is open for reading only.
fn health(engine: &Handle, open: bool) -> Response<Bytes> {
    let ready = engine.is_ready() && open;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut told = json!({ "live": true, "ready": ready });
    if let (Some(why), Some(told)) = (engine.read_only(), told.as_object_mut()) {
        told.insert("read_only".to_owned(), why.into());
    }
    respond(status, &told)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: String,
}

async fn clock(engine: &Handle, body: &[u8]) -> Response<Bytes> {
    if !engine.is_steerable() {
        let why = "time can be moved only under `lineside up --clock steerable`";
        return problem(StatusCode::CONFLICT, why);
    }
    let asked: Move = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => {
            let why = format!("send {{\"advance\":\"5m\"}}: {error}");
            return problem(StatusCode::BAD_REQUEST, &why);
        }
    };
    let by = match span::parse(&asked.advance) {
        Ok(by) => by,
        Err(why) => return problem(StatusCode::BAD_REQUEST, &why),
    };
    match engine.advance(by).await {
        Ok(advanced) => {
            let fired: Vec<Value> =
                advanced.fired.iter().map(|f| json!({ "at": f.at.0, "what": f.what })).collect();
            let reply = json!({
                "now": advanced.now.0, "advanced": advanced.by.0, "fired": fired,
            });
            respond(StatusCode::OK, &reply)
        }
        Err(CallError::Throttled) => problem(StatusCode::TOO_MANY_REQUESTS, "too many requests"),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    to: PathBuf,
}

/// Copies the data into a directory that is not there yet, or is empty.
async fn backup(log: Option<&DiskLog>, body: &[u8]) -> Response<Bytes> {
    let Some(log) = log.cloned() else {
        return problem(StatusCode::CONFLICT, "this server keeps nothing, or is still starting");
    };
    let asked: Copy = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => {
            let why = format!("send {{\"to\":\"/a/new/directory\"}}: {error}");
            return problem(StatusCode::BAD_REQUEST, &why);
        }
    };
    match on_own_thread("backup", move || log.backup(&asked.to)).await {
        Ok(Ok(report)) => respond(
            StatusCode::OK,
            &json!({
                "segments": report.segments, "blobs": report.blobs, "bytes": report.bytes,
                "linked_bytes": report.linked_bytes,
            }),
        ),
        Ok(Err(error)) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Brings about what a file declares, or says what that would be.
async fn configure(engine: &Handle, native: Option<&Native>, body: &[u8]) -> Response<Bytes> {
    let wish: apply::Wish = match serde_json::from_slice(body) {
        Ok(wish) => wish,
        Err(error) => {
            let why = format!("send {{\"file\":\"lineside.yaml\",\"text\":\"…\"}}: {error}");
            return problem(StatusCode::BAD_REQUEST, &why);
        }
    };
    match apply::apply(wish, engine, native).await {
        Ok(done) => respond(StatusCode::OK, &json!(done)),
        Err(why) => troubled(&why),
    }
}

fn troubled(why: &Trouble) -> Response<Bytes> {
    let status = match why {
        Trouble::Mistake(_) => StatusCode::BAD_REQUEST,
        Trouble::Unable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    problem(status, &why.to_string())
}

/// A refusal of the server itself.
pub(crate) fn problem(status: StatusCode, why: &str) -> Response<Bytes> {
    respond(status, &json!({ "error": why }))
}

fn respond(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lineside_core::id::PartitionId;
    use lineside_core::limits::Limits;
    use lineside_engine::engine::{Options, Storage, start};
    use lineside_store::MemoryLog;
    use tokio::sync::oneshot;

    use super::*;

    async fn ask_health(engine: &Handle) -> (StatusCode, String) {
        let behind = Behind { engine, native: None, log: None, open: true };
        let answer = answer(behind, &Method::GET, "/_lineside/health", b"").await;
        (answer.status(), String::from_utf8(answer.body().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn health_says_live_at_once_and_ready_when_a_canary_is_through() {
        let options = Options {
            partition: PartitionId(0),
            limits: Limits::cloud(),
            steerable: false,
            inbox_max: 16,
            checkpoint_bytes: 1 << 20,
            state_bytes_max: u64::MAX,
            notice: |_| {},
        };
        let (open, opened) = oneshot::channel::<Storage>();
        let (engine, _ended) = start(options, async { Ok(opened.await.unwrap()) });
        let starting =
            (StatusCode::SERVICE_UNAVAILABLE, r#"{"live":true,"ready":false}"#.to_owned());
        assert_eq!(ask_health(&engine).await, starting);
        drop(open.send(Storage { log: Arc::new(MemoryLog::new()), blobs: None }));
        assert!(engine.ready().await);
        let ready = (StatusCode::OK, r#"{"live":true,"ready":true}"#.to_owned());
        assert_eq!(ask_health(&engine).await, ready);
    }
}
