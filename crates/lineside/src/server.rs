//! The one HTTP port: bounded connections, bounded heads and bodies, and the way to each face.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lineside_aws::Aws;
use lineside_aws::auth::Peer;
use lineside_engine::engine::Handle;
use lineside_native::face::{Body, Native};
use lineside_native::problem::{Kind, Problem};
use lineside_store::DiskLog;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::patient::Patient;
use crate::{admin, descriptors};

/// Most bytes of one request's body: a megabyte of message can be six of JSON.
const BODY_BYTES_MAX: usize = 8 << 20;
/// Most bytes of all request bodies together.
const BODIES_BYTES_MAX: usize = 512 << 20;
/// Bytes of one connection's read buffer, and so of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a request's head may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request's body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(15);

/// How long a request waits for the queues that are declared.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);

/// What every request works with.
pub(crate) struct Server {
    aws: Aws,
    engine: Handle,
    /// The native face, once its index is open.
    native: Arc<OnceLock<Native>>,
    /// The log on disk, once it is open, for backups.
    log: Arc<OnceLock<DiskLog>>,
    /// Whether the declared queues are there, and so the faces answer.
    open: watch::Receiver<bool>,
    bodies: Semaphore,
    /// As many as may be open at a time; more wait to be accepted.
    connections: Arc<Semaphore>,
    connections_max: usize,
    requests: AtomicU64,
}

impl Server {
    pub(crate) fn new(
        aws: Aws,
        engine: Handle,
        native: Arc<OnceLock<Native>>,
        log: Arc<OnceLock<DiskLog>>,
        open: watch::Receiver<bool>,
    ) -> Arc<Server> {
        let connections_max = descriptors::connections_max();
        Arc::new(Server {
            aws,
            engine,
            native,
            log,
            open,
            bodies: Semaphore::new(BODIES_BYTES_MAX),
            connections: Arc::new(Semaphore::new(connections_max)),
            connections_max,
            requests: AtomicU64::new(0),
        })
    }

    /// Accepts connections until `stop`; then each ends after its request.
    pub(crate) async fn serve(
        self: Arc<Server>,
        listener: TcpListener,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let Ok(permit) = self.connections.clone().acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.changed() => return,
            };
            // Out of file descriptors, say: let the connections that are here go on, then retry.
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (server, stop) = (self.clone(), stop.clone());
            tokio::spawn(async move {
                server.converse(stream, stop).await;
                drop(permit);
            });
        }
    }

    /// Resolves when no connection is left.
    pub(crate) async fn drained(&self) {
        let all = u32::try_from(self.connections_max).unwrap_or(u32::MAX);
        drop(self.connections.acquire_many(all).await);
    }

    async fn converse(self: Arc<Server>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        // Small answers must not wait for each other.
        let _ = stream.set_nodelay(true);
        let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
        let service = service_fn(|request| self.answer(peer, request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(Patient::new(stream)), service);
        let mut connection = std::pin::pin!(connection);
        // A connection that fails has told its client; there is nobody else to tell.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn answer(
        &self,
        peer: Option<Peer>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let (mut head, body) = request.into_parts();
        // Nobody else asks for it.
        if let Some(peer) = peer.filter(|_| self.aws.is_guarded()) {
            head.extensions.insert(peer);
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        let mut response = match self.read(body).await {
            Ok((body, _room)) => self.route(&head, body, &id).await,
            Err((status, why)) => unread(&head, status, why).map(Body::Whole),
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        Ok(response)
    }

    async fn route(&self, head: &Parts, body: Bytes, id: &str) -> Response<Body> {
        if Aws::is_addressed(head, &body) {
            if !self.opens().await {
                let why = "the server is still making the queues that are declared: try again";
                return admin::problem(StatusCode::SERVICE_UNAVAILABLE, why).map(Body::Whole);
            }
            return self.aws.answer(head, body, id).await.map(Body::Whole);
        }
        if Native::is_addressed(head) && may_come_here(self.aws.is_guarded(), head.uri.path(), head)
        {
            return self.answer_natively(head, &body, id).await;
        }
        let answer = match head.uri.path() {
            path if !may_come_here(self.aws.is_guarded(), path, head) => {
                let why = "where signatures are checked, this path answers the machine itself only";
                admin::problem(StatusCode::FORBIDDEN, why)
            }
            path if path.starts_with("/_lineside/") => {
                let behind = admin::Behind {
                    engine: &self.engine,
                    native: self.native.get(),
                    log: self.log.get(),
                    open: self.is_open(),
                };
                admin::answer(behind, &head.method, path, &body).await
            }
            _ => admin::problem(StatusCode::NOT_FOUND, "there is nothing at this path"),
        };
        answer.map(Body::Whole)
    }

    async fn answer_natively(&self, head: &Parts, body: &Bytes, id: &str) -> Response<Body> {
        self.opens().await;
        match self.native.get() {
            Some(native) => native.answer(head, body, id).await,
            None => {
                let why = "The server is still starting, its log is open for reading only, or \
                           its index could not be opened; what it prints says which.";
                Problem::new(Kind::Unavailable, why).response().map(Body::Whole)
            }
        }
    }

    fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// Waits, with patience, until the faces answer.
    async fn opens(&self) -> bool {
        if self.is_open() {
            return true;
        }
        let mut open = self.open.clone();
        let opened = tokio::time::timeout(OPEN_PATIENCE, open.wait_for(|open| *open)).await;
        matches!(opened, Ok(Ok(_)))
    }

    /// Reads a body within all bounds. The permit is held until the request is answered, so that
    /// the bodies of requests in the inbox count too.
    async fn read(
        &self,
        body: Incoming,
    ) -> Result<(Bytes, tokio::sync::SemaphorePermit<'_>), (StatusCode, &'static str)> {
        match tokio::time::timeout(BODY_PATIENCE, self.read_patiently(body)).await {
            Ok(read) => read,
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the request's body took too long")),
        }
    }

    async fn read_patiently(
        &self,
        mut body: Incoming,
    ) -> Result<(Bytes, tokio::sync::SemaphorePermit<'_>), (StatusCode, &'static str)> {
        let mut gathered = Gathered::default();
        let full = (StatusCode::SERVICE_UNAVAILABLE, "too many bytes of requests are under way");
        let mut room = self.bodies.try_acquire_many(0).map_err(|_| full)?;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| (StatusCode::BAD_REQUEST, "the body cannot be read"))?;
            let Ok(data) = frame.into_data() else { continue };
            if gathered.len() + data.len() > BODY_BYTES_MAX {
                let why = "the request's body is over 8 MiB";
                return Err((StatusCode::PAYLOAD_TOO_LARGE, why));
            }
            let more = u32::try_from(data.len()).unwrap_or(u32::MAX);
            room.merge(self.bodies.try_acquire_many(more).map_err(|_| full)?);
            gathered.push(data);
        }
        Ok((gathered.whole(), room))
    }
}

/// The answer to a request whose body was not read, in the words of whom it is for.
fn unread(head: &Parts, status: StatusCode, why: &'static str) -> Response<Bytes> {
    let (kind, detail) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => (Kind::TooLarge, "The request's body is over 8 MiB."),
        StatusCode::SERVICE_UNAVAILABLE => {
            (Kind::Busy, "Too many bytes of requests are under way.")
        }
        _ => return admin::problem(status, why),
    };
    match Native::is_addressed(head) {
        true => Problem::new(kind, detail).response(),
        false => admin::problem(status, why),
    }
}

/// A body as it comes. One that comes in one piece, as most do, is not copied.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    more: BytesMut,
}

impl Gathered {
    fn len(&self) -> usize {
        self.first.len().max(self.more.len())
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.more.is_empty() {
            self.more.extend_from_slice(&self.first);
        }
        self.more.extend_from_slice(&data);
    }

    fn whole(self) -> Bytes {
        if self.more.is_empty() { self.first } else { self.more.freeze() }
    }
}

/// Nobody signs a request to the server itself, so where signatures are checked it is for those who
/// are on the machine; health is for all.
fn may_come_here(is_guarded: bool, path: &str, head: &Parts) -> bool {
    let near = |Peer(address): &Peer| address.to_canonical().is_loopback();
    !is_guarded || path == "/_lineside/health" || head.extensions.get().is_some_and(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_gate_the_servers_own_paths_are_for_the_machine_itself() {
        let may = |path: &str, peer: &str| {
            let mut head = Request::post(path).body(()).unwrap().into_parts().0;
            head.extensions.insert(Peer(peer.parse().unwrap()));
            may_come_here(true, path, &head)
        };
        for peer in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert!(may("/_lineside/clock", peer), "{peer}");
        }
        for peer in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "0.0.0.0"] {
            assert!(!may("/_lineside/clock", peer) && !may("/_lineside/backup", peer), "{peer}");
            assert!(may("/_lineside/health", peer), "{peer}");
        }
        let unknown = Request::post("/_lineside/clock").body(()).unwrap().into_parts().0;
        assert!(!may_come_here(true, "/_lineside/clock", &unknown));
    }
}
