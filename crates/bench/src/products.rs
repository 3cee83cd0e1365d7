//! What speaks SQS: ours, its peers, and the echo, which takes any request.

use std::net::SocketAddr;

use anyhow::Context;
use serde_json::json;
use tokio::process::Command;

use crate::process::{Process, free_address, fresh};
use crate::row::Plan;
use crate::side::{self, Side, clear};
use crate::sqs::{call, text};

/// One that can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// Ours, with a `--durability`.
    Lineside(&'static str),
    Echo,
    Moto,
    MiniStack,
    LocalStack,
}

/// One that runs, with a queue of its own in it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) queue: String,
    /// Ended when this value goes.
    _process: Kept,
}

enum Kept {
    Side { _side: Side },
    Process { _process: Process },
}

/// A lease longer than any measurement: what is received twice was given out twice.
const LEASE_SECONDS: &str = "3600";

impl Product {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Product::Lineside(_) => "Lineside",
            Product::Echo => "the echo",
            Product::Moto => "moto",
            Product::MiniStack => "MiniStack",
            Product::LocalStack => "LocalStack",
        }
    }

    /// When a message is on disk.
    pub(crate) fn durability(self) -> String {
        match self {
            Product::Lineside(durability) => durability.to_owned(),
            Product::Echo => "nothing kept".to_owned(),
            Product::Moto | Product::MiniStack | Product::LocalStack => "in memory".to_owned(),
        }
    }

    /// Whether what it was sent can be counted.
    pub(crate) fn keeps(self) -> bool {
        self != Product::Echo
    }

    pub(crate) fn missing(self, plan: &Plan) -> Option<String> {
        match self {
            Product::Lineside(_) | Product::Echo => None,
            Product::Moto => absent(plan, "venv-bench/bin/moto_server", "make venv-bench"),
            Product::MiniStack => absent(plan, "venv-bench/bin/ministack", "make venv-bench"),
            Product::LocalStack => absent(
                plan,
                "venv-bench-localstack/bin/python",
                "LocalStack 2026.3.0 needs Python 3.13 or later, and none was found; or run `make \
                 venv-bench-localstack`",
            ),
        }
    }

    /// Starts it with nothing in it but an empty queue.
    pub(crate) async fn start(self, plan: &Plan) -> anyhow::Result<Running> {
        let (address, process) = match self {
            Product::Echo => kept(Side::echo().await?),
            Product::Lineside(durability) => {
                let data = plan.data.join("data");
                clear(&data)?;
                let binary = plan.binary.clone().map_or_else(side::beside, Ok)?;
                kept(Side::lineside(&binary, &data, durability).await?)
            }
            Product::Moto | Product::MiniStack | Product::LocalStack => {
                let process = self.start_peer(plan).await?;
                (process.address, Kept::Process { _process: process })
            }
        };
        let queue = match self {
            Product::Echo => "http://127.0.0.1:4566/000000000000/bench".to_owned(),
            _ => create(address).await.with_context(|| format!("{} as a queue", self.name()))?,
        };
        Ok(Running { address, queue, _process: process })
    }

    async fn start_peer(self, plan: &Plan) -> anyhow::Result<Process> {
        let address = free_address()?;
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let tools = plan.tools.canonicalize()?;
        let folder = fresh(&plan.data.join(self.name()))?;
        let command = match self {
            Product::MiniStack => {
                let mut command = Command::new(tools.join("venv-bench/bin/ministack"));
                command.env("GATEWAY_PORT", port).env("BIND_HOST", ip);
                command
            }
            Product::LocalStack => {
                let mut command = Command::new(tools.join("venv-bench-localstack/bin/python"));
                command.arg("-B").arg(std::path::absolute("tools/bench/loopback.py")?);
                command.env("GATEWAY_LISTEN", address.to_string()).env("DNS_ADDRESS", "0");
                command.env("SKIP_SSL_CERT_DOWNLOAD", "1").env("DISABLE_EVENTS", "1");
                command.env("FILESYSTEM_ROOT", &folder);
                command
            }
            _ => {
                let mut command = Command::new(tools.join("venv-bench/bin/moto_server"));
                command.args(["-H", &ip, "-p", &port]);
                command
            }
        };
        Process::start(command, address, folder).await
    }
}

fn kept(side: Side) -> (SocketAddr, Kept) {
    (side.address, Kept::Side { _side: side })
}

/// Why something that is not installed cannot be measured.
pub(crate) fn absent(plan: &Plan, program: &str, what_to_do: &str) -> Option<String> {
    (!plan.tools.join(program).exists()).then(|| format!("it is not installed: {what_to_do}"))
}

/// An empty queue.
pub(crate) async fn create(address: SocketAddr) -> anyhow::Result<String> {
    let attributes = json!({ "VisibilityTimeout": LEASE_SECONDS });
    let asked = json!({ "QueueName": "bench", "Attributes": attributes });
    Ok(text(&call(address, "CreateQueue", &asked).await?, "/QueueUrl")?.to_owned())
}

impl Running {
    /// How many messages there are, in flight or not.
    pub(crate) async fn count(&self) -> anyhow::Result<u64> {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let asked = json!({ "QueueUrl": self.queue, "AttributeNames": names });
        let described = call(self.address, "GetQueueAttributes", &asked).await?;
        let mut all = 0;
        for name in names {
            all += text(&described, &format!("/Attributes/{name}"))?.parse::<u64>()?;
        }
        Ok(all)
    }
}
