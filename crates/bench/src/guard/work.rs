//! The work: messages through the face and the engine, one request after another on one thread, so
//! that two runs do the same.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use http::Request;
use http::request::Parts;
use lineside_aws::Aws;
use lineside_core::id::PartitionId;
use lineside_core::limits::Limits;
use lineside_core::receipt::ReceiptKey;
use lineside_engine::checkpoint::BYTES_BETWEEN;
use lineside_engine::engine::{self, INBOX_MAX, Options, STATE_BYTES_MAX, Storage};
use lineside_engine::log::{Log, LogFault};
use lineside_store::{DiskLog, DiskOptions, MemoryLog};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// `SendMessage`.
    Send,
    /// `SendMessageBatch` of ten.
    Batch,
    /// `SendMessageBatch` of ten, `ReceiveMessage` of ten and `DeleteMessageBatch` of ten.
    Settle,
}

const BODY_BYTES: usize = 1024;

/// Does it; what the kernel counted as written meanwhile, in bytes.
pub(crate) fn run(kind: Kind, messages: u64, log: Option<PathBuf>) -> anyhow::Result<u64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let log: Arc<dyn Log> = match log {
            None => Arc::new(MemoryLog::new()),
            Some(folder) => Arc::new(DiskLog::open(&folder, DiskOptions::default())?),
        };
        // Without blobs there are no checkpoints, which are written when they come to it.
        let storage = Storage { log, blobs: None };
        let (engine, ended) = engine::start(options(), async { Ok::<_, LogFault>(storage) });
        let face = Face { aws: Aws::new(engine.clone(), ReceiptKey::new([7; 16])) };
        let before = written()?;
        face.work(kind, messages).await?;
        let after = written()?;
        engine.finish();
        ended.await??;
        Ok(after - before)
    })
}

fn options() -> Options {
    Options {
        partition: PartitionId(0),
        limits: Limits::relaxed(),
        steerable: false,
        inbox_max: INBOX_MAX,
        checkpoint_bytes: BYTES_BETWEEN,
        state_bytes_max: STATE_BYTES_MAX,
        notice: |text| eprintln!("{text}"),
    }
}

/// Bytes that this process has written so far, by the kernel's account.
fn written() -> anyhow::Result<u64> {
    let account = std::fs::read_to_string("/proc/self/io")?;
    let line = account.lines().find_map(|line| line.strip_prefix("wchar: "));
    Ok(line.context("no account of what is written")?.trim().parse()?)
}

struct Face {
    aws: Aws,
}

impl Face {
    async fn work(&self, kind: Kind, messages: u64) -> anyhow::Result<()> {
        let created = self.ask("CreateQueue", &json!({ "QueueName": "guard" })).await?;
        let url = created.pointer("/QueueUrl").context("no queue")?;
        let body = "x".repeat(BODY_BYTES);
        if kind == Kind::Send {
            let send = Ask::new("SendMessage", &json!({ "QueueUrl": url, "MessageBody": body }))?;
            for _ in 0..messages {
                self.answer(&send).await?;
            }
            return Ok(());
        }
        let entry = |n: usize| json!({ "Id": n.to_string(), "MessageBody": body });
        let entries: Vec<Value> = (0..10).map(entry).collect();
        let send = Ask::new("SendMessageBatch", &json!({ "QueueUrl": url, "Entries": entries }))?;
        for _ in 0..messages / 10 {
            self.answer(&send).await?;
            if kind == Kind::Settle {
                self.settle(url).await?;
            }
        }
        Ok(())
    }

    /// Receives ten and deletes them.
    async fn settle(&self, url: &Value) -> anyhow::Result<()> {
        let receive = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let received = self.ask("ReceiveMessage", &receive).await?;
        let messages = received.pointer("/Messages").and_then(Value::as_array);
        let messages = messages.filter(|messages| messages.len() == 10).context("not all ten")?;
        let entry = |(n, message): (usize, &Value)| json!({ "Id": n.to_string(), "ReceiptHandle": message.pointer("/ReceiptHandle") });
        let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
        let delete = json!({ "QueueUrl": url, "Entries": entries });
        self.ask("DeleteMessageBatch", &delete).await.map(drop)
    }

    async fn ask(&self, operation: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.answer(&Ask::new(operation, body)?).await?;
        // A deletion's answer may be empty.
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    async fn answer(&self, ask: &Ask) -> anyhow::Result<Bytes> {
        let answer = self.aws.answer(&ask.head, ask.body.clone(), "id").await;
        let text = || String::from_utf8_lossy(answer.body()).into_owned();
        ensure!(answer.status() == 200, "not a success: {}", text());
        Ok(answer.into_body())
    }
}

/// A request, made once and asked again and again: making it is not what is measured.
struct Ask {
    head: Parts,
    body: Bytes,
}

impl Ask {
    fn new(operation: &str, body: &Value) -> anyhow::Result<Ask> {
        let request = Request::post("/")
            .header("host", "127.0.0.1:4566")
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(())?;
        Ok(Ask { head: request.into_parts().0, body: Bytes::from(body.to_string()) })
    }
}
