//! One server's SQS through the official SDK, with the few verbs that nearly every test uses.

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{Config, Credentials, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use aws_smithy_http_client::Builder;

/// The variable that says where the server listens, as `http://127.0.0.1:PORT`.
pub const ENDPOINT: &str = "LINESIDE_ENDPOINT";

/// A server's SQS, each call made once, so that a test sees each answer.
pub struct Face {
    /// The SDK's client.
    pub client: Client,
}

impl Face {
    /// A client of the server that the environment names.
    ///
    /// # Panics
    /// When it names none.
    pub fn new() -> Self {
        let endpoint = std::env::var(ENDPOINT)
            .unwrap_or_else(|_| panic!("say in {ENDPOINT} where the server listens"));
        let config = Config::builder()
            .endpoint_url(endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .retry_config(RetryConfig::disabled())
            .http_client(Builder::new().build_http())
            .build();
        Self { client: Client::from_conf(config) }
    }

    /// A new queue with these attributes; its URL. One with `FifoQueue` is named as such.
    ///
    /// # Panics
    /// When the server refuses it, as do the verbs below.
    pub async fn queue(&self, attributes: &[(QueueAttributeName, &str)]) -> String {
        let fifo = attributes.iter().any(|(name, _)| *name == QueueAttributeName::FifoQueue);
        let mut call = self.client.create_queue().queue_name(name(fifo));
        for (name, value) in attributes {
            call = call.attributes(name.clone(), *value);
        }
        call.send().await.unwrap().queue_url.unwrap()
    }

    /// Sends one text.
    pub async fn send(&self, url: &str, body: &str) {
        self.client.send_message().queue_url(url).message_body(body).send().await.unwrap();
    }

    /// Up to ten messages, with all their attributes, hidden for ten minutes.
    pub async fn receive(&self, url: &str) -> Vec<Message> {
        let call = self.client.receive_message().queue_url(url).max_number_of_messages(10);
        let call = call.message_system_attribute_names(MessageSystemAttributeName::All);
        let call = call.message_attribute_names("All").visibility_timeout(600);
        call.send().await.unwrap().messages.unwrap_or_default()
    }

    /// The one message that is there.
    pub async fn receive_one(&self, url: &str) -> Message {
        let mut messages = self.receive(url).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    /// One attribute of a queue.
    pub async fn attribute(&self, url: &str, name: QueueAttributeName) -> Option<String> {
        let call = self.client.get_queue_attributes().queue_url(url).attribute_names(name.clone());
        call.send().await.unwrap().attributes?.remove(&name)
    }

    /// Visible, in flight, delayed.
    pub async fn counts(&self, url: &str) -> [u64; 3] {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let mut found = [0; 3];
        for (slot, name) in found.iter_mut().zip([Visible, InFlight, Delayed]) {
            *slot = self.attribute(url, name).await.unwrap().parse().unwrap();
        }
        found
    }
}

impl Default for Face {
    fn default() -> Self {
        Self::new()
    }
}

/// A queue's name that was never used before.
pub fn name(fifo: bool) -> String {
    let chance = || RandomState::new().hash_one(());
    format!("rust-{:016x}{:016x}{}", chance(), chance(), if fifo { ".fifo" } else { "" })
}

/// The texts of messages.
pub fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(Message::body).collect()
}

/// The code of a refusal as the service model names it, whatever was sent with it.
///
/// # Panics
/// When the call was not refused, or not as the caller's fault.
pub fn refused<T: Debug, E: ProvideErrorMetadata + Debug>(
    answer: Result<T, SdkError<E>>,
) -> String {
    let error = answer.expect_err("refused");
    let status = error.raw_response().map(|response| response.status().as_u16());
    assert!(status.is_some_and(|status| (400..500).contains(&status)), "{error:?}");
    let code = error.code().unwrap_or_default();
    code.rsplit(['#', '.']).next().unwrap_or_default().to_owned()
}
