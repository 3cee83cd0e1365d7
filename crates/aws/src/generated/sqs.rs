// Made by tools/gen from botocore 1.44.5, botocore/data/sqs/2012-11-05/service-2.json,
// sha256 282d08c85a2003ab91ed400a81339fe81952e446ae40a599877705903e870c0f.
// Do not edit: change the generator and run `make gen`.
//! Wire shapes of Amazon Simple Queue Service: names, members, constraints.
#![allow(missing_docs, dead_code, unreachable_pub, reason = "names and lists of the model, whole")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::blob::Blob;

/// What stands before the dot in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "AmazonSQS";

/// Every operation of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    AddPermission,
    CancelMessageMoveTask,
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch,
    CreateQueue,
    DeleteMessage,
    DeleteMessageBatch,
    DeleteQueue,
    GetQueueAttributes,
    GetQueueUrl,
    ListDeadLetterSourceQueues,
    ListMessageMoveTasks,
    ListQueueTags,
    ListQueues,
    PurgeQueue,
    ReceiveMessage,
    RemovePermission,
    SendMessage,
    SendMessageBatch,
    SetQueueAttributes,
    StartMessageMoveTask,
    TagQueue,
    UntagQueue,
}

impl Operation {
    /// Every one, in the order of their names.
    pub const ALL: [Self; 23] = [
        Self::AddPermission,
        Self::CancelMessageMoveTask,
        Self::ChangeMessageVisibility,
        Self::ChangeMessageVisibilityBatch,
        Self::CreateQueue,
        Self::DeleteMessage,
        Self::DeleteMessageBatch,
        Self::DeleteQueue,
        Self::GetQueueAttributes,
        Self::GetQueueUrl,
        Self::ListDeadLetterSourceQueues,
        Self::ListMessageMoveTasks,
        Self::ListQueueTags,
        Self::ListQueues,
        Self::PurgeQueue,
        Self::ReceiveMessage,
        Self::RemovePermission,
        Self::SendMessage,
        Self::SendMessageBatch,
        Self::SetQueueAttributes,
        Self::StartMessageMoveTask,
        Self::TagQueue,
        Self::UntagQueue,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddPermission => "AddPermission",
            Self::CancelMessageMoveTask => "CancelMessageMoveTask",
            Self::ChangeMessageVisibility => "ChangeMessageVisibility",
            Self::ChangeMessageVisibilityBatch => "ChangeMessageVisibilityBatch",
            Self::CreateQueue => "CreateQueue",
            Self::DeleteMessage => "DeleteMessage",
            Self::DeleteMessageBatch => "DeleteMessageBatch",
            Self::DeleteQueue => "DeleteQueue",
            Self::GetQueueAttributes => "GetQueueAttributes",
            Self::GetQueueUrl => "GetQueueUrl",
            Self::ListDeadLetterSourceQueues => "ListDeadLetterSourceQueues",
            Self::ListMessageMoveTasks => "ListMessageMoveTasks",
            Self::ListQueueTags => "ListQueueTags",
            Self::ListQueues => "ListQueues",
            Self::PurgeQueue => "PurgeQueue",
            Self::ReceiveMessage => "ReceiveMessage",
            Self::RemovePermission => "RemovePermission",
            Self::SendMessage => "SendMessage",
            Self::SendMessageBatch => "SendMessageBatch",
            Self::SetQueueAttributes => "SetQueueAttributes",
            Self::StartMessageMoveTask => "StartMessageMoveTask",
            Self::TagQueue => "TagQueue",
            Self::UntagQueue => "UntagQueue",
        }
    }

    /// The one with this exact name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Values of `MessageSystemAttributeName`.
pub const MESSAGE_SYSTEM_ATTRIBUTE_NAME: &[&str] = &[
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// Values of `MessageSystemAttributeNameForSends`.
pub const MESSAGE_SYSTEM_ATTRIBUTE_NAME_FOR_SENDS: &[&str] = &["AWSTraceHeader"];

/// Values of `QueueAttributeName`.
pub const QUEUE_ATTRIBUTE_NAME: &[&str] = &[
    "All",
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

/// `AddPermissionRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct AddPermissionRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Label")]
    pub label: Option<String>,
    #[serde(rename = "AWSAccountIds")]
    pub aws_account_ids: Option<Vec<String>>,
    #[serde(rename = "Actions")]
    pub actions: Option<Vec<String>>,
}

/// `BatchResultErrorEntry`.
#[derive(Debug, Default, Serialize)]
pub struct BatchResultErrorEntry {
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(rename = "SenderFault", skip_serializing_if = "Option::is_none")]
    pub sender_fault: Option<bool>,
    #[serde(rename = "Code", skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(rename = "Message", skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `CancelMessageMoveTaskRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct CancelMessageMoveTaskRequest {
    #[serde(rename = "TaskHandle")]
    pub task_handle: Option<String>,
}

/// `CancelMessageMoveTaskResult`.
#[derive(Debug, Default, Serialize)]
pub struct CancelMessageMoveTaskResult {
    #[serde(rename = "ApproximateNumberOfMessagesMoved", skip_serializing_if = "Option::is_none")]
    pub approximate_number_of_messages_moved: Option<i64>,
}

/// `ChangeMessageVisibilityBatchRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ChangeMessageVisibilityBatchRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Entries")]
    pub entries: Option<Vec<ChangeMessageVisibilityBatchRequestEntry>>,
}

/// `ChangeMessageVisibilityBatchRequestEntry`.
#[derive(Debug, Default, Deserialize)]
pub struct ChangeMessageVisibilityBatchRequestEntry {
    #[serde(rename = "Id")]
    pub id: Option<String>,
    #[serde(rename = "ReceiptHandle")]
    pub receipt_handle: Option<String>,
    #[serde(rename = "VisibilityTimeout")]
    pub visibility_timeout: Option<i32>,
}

/// `ChangeMessageVisibilityBatchResult`.
#[derive(Debug, Default, Serialize)]
pub struct ChangeMessageVisibilityBatchResult {
    #[serde(rename = "Successful", skip_serializing_if = "Option::is_none")]
    pub successful: Option<Vec<ChangeMessageVisibilityBatchResultEntry>>,
    #[serde(rename = "Failed", skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<BatchResultErrorEntry>>,
}

/// `ChangeMessageVisibilityBatchResultEntry`.
#[derive(Debug, Default, Serialize)]
pub struct ChangeMessageVisibilityBatchResultEntry {
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// `ChangeMessageVisibilityRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ChangeMessageVisibilityRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "ReceiptHandle")]
    pub receipt_handle: Option<String>,
    #[serde(rename = "VisibilityTimeout")]
    pub visibility_timeout: Option<i32>,
}

/// `CreateQueueRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct CreateQueueRequest {
    #[serde(rename = "QueueName")]
    pub queue_name: Option<String>,
    #[serde(rename = "Attributes")]
    pub attributes: Option<BTreeMap<String, String>>,
    #[serde(rename = "tags")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// `CreateQueueResult`.
#[derive(Debug, Default, Serialize)]
pub struct CreateQueueResult {
    #[serde(rename = "QueueUrl", skip_serializing_if = "Option::is_none")]
    pub queue_url: Option<String>,
}

/// `DeleteMessageBatchRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DeleteMessageBatchRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Entries")]
    pub entries: Option<Vec<DeleteMessageBatchRequestEntry>>,
}

/// `DeleteMessageBatchRequestEntry`.
#[derive(Debug, Default, Deserialize)]
pub struct DeleteMessageBatchRequestEntry {
    #[serde(rename = "Id")]
    pub id: Option<String>,
    #[serde(rename = "ReceiptHandle")]
    pub receipt_handle: Option<String>,
}

/// `DeleteMessageBatchResult`.
#[derive(Debug, Default, Serialize)]
pub struct DeleteMessageBatchResult {
    #[serde(rename = "Successful", skip_serializing_if = "Option::is_none")]
    pub successful: Option<Vec<DeleteMessageBatchResultEntry>>,
    #[serde(rename = "Failed", skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<BatchResultErrorEntry>>,
}

/// `DeleteMessageBatchResultEntry`.
#[derive(Debug, Default, Serialize)]
pub struct DeleteMessageBatchResultEntry {
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// `DeleteMessageRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DeleteMessageRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "ReceiptHandle")]
    pub receipt_handle: Option<String>,
}

/// `DeleteQueueRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct DeleteQueueRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
}

/// `GetQueueAttributesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetQueueAttributesRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "AttributeNames")]
    pub attribute_names: Option<Vec<String>>,
}

/// `GetQueueAttributesResult`.
#[derive(Debug, Default, Serialize)]
pub struct GetQueueAttributesResult {
    #[serde(rename = "Attributes", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// `GetQueueUrlRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct GetQueueUrlRequest {
    #[serde(rename = "QueueName")]
    pub queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    pub queue_owner_aws_account_id: Option<String>,
}

/// `GetQueueUrlResult`.
#[derive(Debug, Default, Serialize)]
pub struct GetQueueUrlResult {
    #[serde(rename = "QueueUrl", skip_serializing_if = "Option::is_none")]
    pub queue_url: Option<String>,
}

/// `ListDeadLetterSourceQueuesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListDeadLetterSourceQueuesRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "NextToken")]
    pub next_token: Option<String>,
    #[serde(rename = "MaxResults")]
    pub max_results: Option<i32>,
}

/// `ListDeadLetterSourceQueuesResult`.
#[derive(Debug, Default, Serialize)]
pub struct ListDeadLetterSourceQueuesResult {
    #[serde(rename = "queueUrls", skip_serializing_if = "Option::is_none")]
    pub queue_urls: Option<Vec<String>>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `ListMessageMoveTasksRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListMessageMoveTasksRequest {
    #[serde(rename = "SourceArn")]
    pub source_arn: Option<String>,
    #[serde(rename = "MaxResults")]
    pub max_results: Option<i32>,
}

/// `ListMessageMoveTasksResult`.
#[derive(Debug, Default, Serialize)]
pub struct ListMessageMoveTasksResult {
    #[serde(rename = "Results", skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<ListMessageMoveTasksResultEntry>>,
}

/// `ListMessageMoveTasksResultEntry`.
#[derive(Debug, Default, Serialize)]
pub struct ListMessageMoveTasksResultEntry {
    #[serde(rename = "TaskHandle", skip_serializing_if = "Option::is_none")]
    pub task_handle: Option<String>,
    #[serde(rename = "Status", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(rename = "SourceArn", skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
    #[serde(rename = "DestinationArn", skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
    #[serde(rename = "MaxNumberOfMessagesPerSecond", skip_serializing_if = "Option::is_none")]
    pub max_number_of_messages_per_second: Option<i32>,
    #[serde(rename = "ApproximateNumberOfMessagesMoved", skip_serializing_if = "Option::is_none")]
    pub approximate_number_of_messages_moved: Option<i64>,
    #[serde(rename = "ApproximateNumberOfMessagesToMove", skip_serializing_if = "Option::is_none")]
    pub approximate_number_of_messages_to_move: Option<i64>,
    #[serde(rename = "FailureReason", skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    #[serde(rename = "StartedTimestamp", skip_serializing_if = "Option::is_none")]
    pub started_timestamp: Option<i64>,
}

/// `ListQueueTagsRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListQueueTagsRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
}

/// `ListQueueTagsResult`.
#[derive(Debug, Default, Serialize)]
pub struct ListQueueTagsResult {
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// `ListQueuesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ListQueuesRequest {
    #[serde(rename = "QueueNamePrefix")]
    pub queue_name_prefix: Option<String>,
    #[serde(rename = "NextToken")]
    pub next_token: Option<String>,
    #[serde(rename = "MaxResults")]
    pub max_results: Option<i32>,
}

/// `ListQueuesResult`.
#[derive(Debug, Default, Serialize)]
pub struct ListQueuesResult {
    #[serde(rename = "QueueUrls", skip_serializing_if = "Option::is_none")]
    pub queue_urls: Option<Vec<String>>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// `Message`.
#[derive(Debug, Default, Serialize)]
pub struct Message {
    #[serde(rename = "MessageId", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(rename = "ReceiptHandle", skip_serializing_if = "Option::is_none")]
    pub receipt_handle: Option<String>,
    #[serde(rename = "MD5OfBody", skip_serializing_if = "Option::is_none")]
    pub md5_of_body: Option<String>,
    #[serde(rename = "Body", skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(rename = "Attributes", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_attributes: Option<String>,
    #[serde(rename = "MessageAttributes", skip_serializing_if = "Option::is_none")]
    pub message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
}

/// `MessageAttributeValue`.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct MessageAttributeValue {
    #[serde(rename = "StringValue", skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    #[serde(rename = "BinaryValue", skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<Blob>,
    #[serde(rename = "StringListValues", skip_serializing_if = "Option::is_none")]
    pub string_list_values: Option<Vec<String>>,
    #[serde(rename = "BinaryListValues", skip_serializing_if = "Option::is_none")]
    pub binary_list_values: Option<Vec<Blob>>,
    #[serde(rename = "DataType", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
}

/// `MessageSystemAttributeValue`.
#[derive(Debug, Default, Deserialize)]
pub struct MessageSystemAttributeValue {
    #[serde(rename = "StringValue")]
    pub string_value: Option<String>,
    #[serde(rename = "BinaryValue")]
    pub binary_value: Option<Blob>,
    #[serde(rename = "StringListValues")]
    pub string_list_values: Option<Vec<String>>,
    #[serde(rename = "BinaryListValues")]
    pub binary_list_values: Option<Vec<Blob>>,
    #[serde(rename = "DataType")]
    pub data_type: Option<String>,
}

/// `PurgeQueueRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct PurgeQueueRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
}

/// `ReceiveMessageRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct ReceiveMessageRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "AttributeNames")]
    pub attribute_names: Option<Vec<String>>,
    #[serde(rename = "MessageSystemAttributeNames")]
    pub message_system_attribute_names: Option<Vec<String>>,
    #[serde(rename = "MessageAttributeNames")]
    pub message_attribute_names: Option<Vec<String>>,
    #[serde(rename = "MaxNumberOfMessages")]
    pub max_number_of_messages: Option<i32>,
    #[serde(rename = "VisibilityTimeout")]
    pub visibility_timeout: Option<i32>,
    #[serde(rename = "WaitTimeSeconds")]
    pub wait_time_seconds: Option<i32>,
    #[serde(rename = "ReceiveRequestAttemptId")]
    pub receive_request_attempt_id: Option<String>,
}

/// `ReceiveMessageResult`.
#[derive(Debug, Default, Serialize)]
pub struct ReceiveMessageResult {
    #[serde(rename = "Messages", skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<Message>>,
}

/// `RemovePermissionRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct RemovePermissionRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Label")]
    pub label: Option<String>,
}

/// `SendMessageBatchRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct SendMessageBatchRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Entries")]
    pub entries: Option<Vec<SendMessageBatchRequestEntry>>,
}

/// `SendMessageBatchRequestEntry`.
#[derive(Debug, Default, Deserialize)]
pub struct SendMessageBatchRequestEntry {
    #[serde(rename = "Id")]
    pub id: Option<String>,
    #[serde(rename = "MessageBody")]
    pub message_body: Option<String>,
    #[serde(rename = "DelaySeconds")]
    pub delay_seconds: Option<i32>,
    #[serde(rename = "MessageAttributes")]
    pub message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    #[serde(rename = "MessageSystemAttributes")]
    pub message_system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    #[serde(rename = "MessageDeduplicationId")]
    pub message_deduplication_id: Option<String>,
    #[serde(rename = "MessageGroupId")]
    pub message_group_id: Option<String>,
}

/// `SendMessageBatchResult`.
#[derive(Debug, Default, Serialize)]
pub struct SendMessageBatchResult {
    #[serde(rename = "Successful", skip_serializing_if = "Option::is_none")]
    pub successful: Option<Vec<SendMessageBatchResultEntry>>,
    #[serde(rename = "Failed", skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<BatchResultErrorEntry>>,
}

/// `SendMessageBatchResultEntry`.
#[derive(Debug, Default, Serialize)]
pub struct SendMessageBatchResultEntry {
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(rename = "MessageId", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(rename = "MD5OfMessageBody", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_body: Option<String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_attributes: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_system_attributes: Option<String>,
    #[serde(rename = "SequenceNumber", skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
}

/// `SendMessageRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct SendMessageRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "MessageBody")]
    pub message_body: Option<String>,
    #[serde(rename = "DelaySeconds")]
    pub delay_seconds: Option<i32>,
    #[serde(rename = "MessageAttributes")]
    pub message_attributes: Option<BTreeMap<String, MessageAttributeValue>>,
    #[serde(rename = "MessageSystemAttributes")]
    pub message_system_attributes: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    #[serde(rename = "MessageDeduplicationId")]
    pub message_deduplication_id: Option<String>,
    #[serde(rename = "MessageGroupId")]
    pub message_group_id: Option<String>,
}

/// `SendMessageResult`.
#[derive(Debug, Default, Serialize)]
pub struct SendMessageResult {
    #[serde(rename = "MD5OfMessageBody", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_body: Option<String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_attributes: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    pub md5_of_message_system_attributes: Option<String>,
    #[serde(rename = "MessageId", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    #[serde(rename = "SequenceNumber", skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
}

/// `SetQueueAttributesRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct SetQueueAttributesRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Attributes")]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// `StartMessageMoveTaskRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct StartMessageMoveTaskRequest {
    #[serde(rename = "SourceArn")]
    pub source_arn: Option<String>,
    #[serde(rename = "DestinationArn")]
    pub destination_arn: Option<String>,
    #[serde(rename = "MaxNumberOfMessagesPerSecond")]
    pub max_number_of_messages_per_second: Option<i32>,
}

/// `StartMessageMoveTaskResult`.
#[derive(Debug, Default, Serialize)]
pub struct StartMessageMoveTaskResult {
    #[serde(rename = "TaskHandle", skip_serializing_if = "Option::is_none")]
    pub task_handle: Option<String>,
}

/// `TagQueueRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct TagQueueRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "Tags")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// `UntagQueueRequest`.
#[derive(Debug, Default, Deserialize)]
pub struct UntagQueueRequest {
    #[serde(rename = "QueueUrl")]
    pub queue_url: Option<String>,
    #[serde(rename = "TagKeys")]
    pub tag_keys: Option<Vec<String>>,
}
