//! Ours: `POST /v1/streams/{stream}` with `Expected-Version`, over a kept connection.

use std::net::SocketAddr;

use anyhow::ensure;

use super::{Appender, name_of};
use crate::native::{data, request};
use crate::row::Plan;
use crate::side::{self, Side, clear};
use crate::wire::Connection;

/// An empty server, durable before each answer.
pub(super) async fn start(plan: &Plan) -> anyhow::Result<Side> {
    let data = plan.data.join("data");
    clear(&data)?;
    let binary = plan.binary.clone().map_or_else(side::beside, Ok)?;
    Side::lineside(&binary, &data, "commit").await
}

pub(super) struct Http {
    connection: Connection,
    writer: usize,
    body: String,
    busy: u64,
}

impl Http {
    pub(super) async fn open(
        address: SocketAddr,
        writer: usize,
        batch: usize,
        bytes: usize,
    ) -> anyhow::Result<Http> {
        let connection = Connection::open(address).await?;
        Ok(Http { connection, writer, body: body(batch, bytes), busy: 0 })
    }
}

/// One event as it is, more of them in a list.
fn body(batch: usize, bytes: usize) -> String {
    let event = format!("{{\"type\":\"Posted\",\"data\":{}}}", data(bytes));
    match batch {
        1 => event,
        _ => format!("{{\"events\":[{}]}}", vec![event; batch].join(",")),
    }
}

impl Appender for Http {
    async fn append(&mut self, stream: usize, version: u64) -> anyhow::Result<()> {
        let path = format!("/v1/streams/{}", name_of(self.writer, stream));
        let expected = format!("Expected-Version: {version}\r\n");
        let asked = request("POST", &path, &expected, &self.body);
        let answer = self.connection.ask_until_free(&asked, &mut self.busy).await?;
        ensure!(answer.starts_with(b"{\"first\":"), "no answer of an append");
        Ok(())
    }

    fn busy(&self) -> u64 {
        self.busy
    }
}
