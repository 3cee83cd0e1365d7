//! Durable publish to brokers: messages pipelined over connections of their own protocols.
//!
//! The three protocols are small where nothing but a publish is needed ([`crate::nats`],
//! [`crate::redis`], [`crate::amqp`]), so the clients are ours, as light as the one for HTTP.

use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::{Buf, BytesMut};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::amqp::Amqp;
use crate::nats::Nats;
use crate::process::Process;
use crate::redis::Redis;
use crate::row::{Contestant, Measure, Plan};

/// The publisher's half of a protocol, over one connection.
pub(crate) trait Publisher: Send {
    /// Appends one message to what is to be written.
    fn publish(&mut self, out: &mut Vec<u8>);
    /// Takes whole answers off the front of what was read; how many messages they confirm.
    fn confirmed(&mut self, read: &mut BytesMut) -> anyhow::Result<u64>;
}

/// A broker, set up so or so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broker {
    /// JetStream, a stream in files, as it comes: synced every two minutes.
    NatsDefault,
    /// The same, synced before each confirmation.
    NatsAlways,
    /// A stream, the append-only file synced before each answer.
    RedisAlways,
    /// A quorum queue of one node.
    RabbitQuorum,
}

/// A broker under a load.
pub(crate) struct Publish {
    pub(crate) broker: Broker,
    pub(crate) connections: usize,
    /// Messages under way on each connection.
    pub(crate) window: usize,
}

impl Contestant for Publish {
    fn name(&self) -> String {
        let name = match self.broker {
            Broker::NatsDefault | Broker::NatsAlways => "NATS JetStream",
            Broker::RedisAlways => "Redis Streams",
            Broker::RabbitQuorum => "RabbitMQ quorum queue",
        };
        name.to_owned()
    }

    fn durability(&self) -> String {
        let (connections, window) = (self.connections, self.window);
        let synced = match self.broker {
            Broker::NatsDefault => "default: synced every 2 min",
            Broker::NatsAlways => "sync_interval: always",
            Broker::RedisAlways => "appendfsync always",
            Broker::RabbitQuorum => "fsync of the Raft log before a confirm",
        };
        format!("{synced}; {connections} connections, {window} under way on each")
    }

    fn missing(&self, plan: &Plan) -> Option<String> {
        match self.broker {
            Broker::NatsDefault | Broker::NatsAlways => crate::nats::missing(plan),
            Broker::RedisAlways => crate::redis::missing(),
            Broker::RabbitQuorum => crate::amqp::missing(),
        }
    }

    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>> {
        async move {
            match self.broker {
                Broker::NatsDefault => self.nats(plan, false).await,
                Broker::NatsAlways => self.nats(plan, true).await,
                Broker::RedisAlways => self.redis(plan).await,
                Broker::RabbitQuorum => self.rabbit(plan).await,
            }
        }
        .boxed()
    }
}

impl Publish {
    async fn nats(&self, plan: &Plan, always: bool) -> anyhow::Result<Measure> {
        let server = crate::nats::start(plan, always).await?;
        let mut stream = crate::nats::prepare(&server).await?;
        let publisher = |number| Nats::new(number, plan.bytes);
        let measure = self.pump(&server, plan, crate::nats::connect, publisher).await?;
        checked(measure, crate::nats::count(&mut stream).await?)
    }

    async fn redis(&self, plan: &Plan) -> anyhow::Result<Measure> {
        let server = crate::redis::start(plan).await?;
        let publisher = |_| Redis::new(plan.bytes);
        let measure = self.pump(&server, plan, crate::redis::connect, publisher).await?;
        checked(measure, crate::redis::count(&server).await?)
    }

    async fn rabbit(&self, plan: &Plan) -> anyhow::Result<Measure> {
        let broker = crate::amqp::start(plan).await?;
        let server = &broker.server;
        let mut stream = crate::amqp::prepare(server).await?;
        let publisher = |_| Amqp::new(plan.bytes);
        let measure = self.pump(server, plan, crate::amqp::connect, publisher).await?;
        checked(measure, crate::amqp::count(&mut stream).await?)
    }

    /// All connections at once, each with its window full until the time is over.
    async fn pump<P: Publisher, F: Future<Output = anyhow::Result<TcpStream>>>(
        &self,
        server: &Process,
        plan: &Plan,
        connect: impl Fn(std::net::SocketAddr, usize) -> F,
        publisher: impl Fn(usize) -> P,
    ) -> anyhow::Result<Measure> {
        let streams = (0..self.connections).map(|number| connect(server.address, number));
        let streams = try_join_all(streams).await?;
        let start = Instant::now();
        let pumps = streams.into_iter().enumerate().map(|(number, stream)| {
            pump(stream, publisher(number), self.window, start, plan.lasts)
        });
        let count = try_join_all(pumps).await?.into_iter().sum();
        Ok(Measure { count, seconds: start.elapsed().as_secs_f64(), more: Vec::new() })
    }
}

/// Keeps a window full; how many messages were confirmed, all that were sent.
async fn pump(
    mut stream: TcpStream,
    mut publisher: impl Publisher,
    window: usize,
    start: Instant,
    lasts: Duration,
) -> anyhow::Result<u64> {
    stream.set_nodelay(true)?;
    let (mut out, mut read) = (Vec::new(), BytesMut::with_capacity(64 * 1024));
    let (mut under_way, mut all) = (0, 0);
    loop {
        out.clear();
        while under_way < window && start.elapsed() < lasts {
            publisher.publish(&mut out);
            under_way += 1;
        }
        if under_way == 0 {
            return Ok(all);
        }
        stream.write_all(&out).await?;
        ensure!(stream.read_buf(&mut read).await? > 0, "the broker hung up");
        let confirmed = publisher.confirmed(&mut read)?;
        under_way = under_way.saturating_sub(usize::try_from(confirmed)?);
        all += confirmed;
    }
}

fn checked(measure: Measure, counted: u64) -> anyhow::Result<Measure> {
    let confirmed = measure.count;
    ensure!(counted == confirmed, "{confirmed} were confirmed, and {counted} are there");
    Ok(measure)
}

/// A line without its end, taken off the front.
pub(crate) fn line(read: &mut BytesMut) -> Option<String> {
    let end = read.windows(2).position(|two| two == b"\r\n")?;
    let line = read.split_to(end);
    read.advance(2);
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// A line of a conversation outside the load; `read` keeps what came behind it.
pub(crate) async fn read_line(
    stream: &mut TcpStream,
    read: &mut BytesMut,
) -> anyhow::Result<String> {
    loop {
        if let Some(line) = line(read) {
            return Ok(line);
        }
        ensure!(stream.read_buf(read).await? > 0, "the broker hung up");
    }
}
