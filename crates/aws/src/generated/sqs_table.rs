// Made by tools/gen from botocore 1.44.5, botocore/data/sqs/2012-11-05/service-2.json,
// sha256 282d08c85a2003ab91ed400a81339fe81952e446ae40a599877705903e870c0f,
// and botocore 1.31.80, botocore/data/sqs/2012-11-05/service-2.json,
// sha256 a3ae7694a5cea329ae2b04614b349e871e5702bd5276ec73f22316e252f7d15e.
// Do not edit: change the generator and run `make gen`.
//! Shapes of Amazon Simple Queue Service as data, with their names in the Query protocol.

use super::sqs::Operation;
use crate::protocol::shape::{ErrorCode, List, Map, Service, Shape, Structure, error, member};

/// The service.
pub(crate) static SERVICE: Service = Service {
    target_prefix: "AmazonSQS",
    version: "2012-11-05",
    namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    errors: ERRORS,
};

/// For an operation that takes or says nothing.
static NOTHING: Structure = Structure { name: "", members: &[] };

impl Operation {
    /// What its request and its reply are made of.
    pub(crate) fn shapes(self) -> (&'static Structure, &'static Structure) {
        match self {
            Operation::AddPermission => (&ADD_PERMISSION_REQUEST, &NOTHING),
            Operation::CancelMessageMoveTask => {
                (&CANCEL_MESSAGE_MOVE_TASK_REQUEST, &CANCEL_MESSAGE_MOVE_TASK_RESULT)
            }
            Operation::ChangeMessageVisibility => (&CHANGE_MESSAGE_VISIBILITY_REQUEST, &NOTHING),
            Operation::ChangeMessageVisibilityBatch => {
                (&CHANGE_MESSAGE_VISIBILITY_BATCH_REQUEST, &CHANGE_MESSAGE_VISIBILITY_BATCH_RESULT)
            }
            Operation::CreateQueue => (&CREATE_QUEUE_REQUEST, &CREATE_QUEUE_RESULT),
            Operation::DeleteMessage => (&DELETE_MESSAGE_REQUEST, &NOTHING),
            Operation::DeleteMessageBatch => {
                (&DELETE_MESSAGE_BATCH_REQUEST, &DELETE_MESSAGE_BATCH_RESULT)
            }
            Operation::DeleteQueue => (&DELETE_QUEUE_REQUEST, &NOTHING),
            Operation::GetQueueAttributes => {
                (&GET_QUEUE_ATTRIBUTES_REQUEST, &GET_QUEUE_ATTRIBUTES_RESULT)
            }
            Operation::GetQueueUrl => (&GET_QUEUE_URL_REQUEST, &GET_QUEUE_URL_RESULT),
            Operation::ListDeadLetterSourceQueues => {
                (&LIST_DEAD_LETTER_SOURCE_QUEUES_REQUEST, &LIST_DEAD_LETTER_SOURCE_QUEUES_RESULT)
            }
            Operation::ListMessageMoveTasks => {
                (&LIST_MESSAGE_MOVE_TASKS_REQUEST, &LIST_MESSAGE_MOVE_TASKS_RESULT)
            }
            Operation::ListQueueTags => (&LIST_QUEUE_TAGS_REQUEST, &LIST_QUEUE_TAGS_RESULT),
            Operation::ListQueues => (&LIST_QUEUES_REQUEST, &LIST_QUEUES_RESULT),
            Operation::PurgeQueue => (&PURGE_QUEUE_REQUEST, &NOTHING),
            Operation::ReceiveMessage => (&RECEIVE_MESSAGE_REQUEST, &RECEIVE_MESSAGE_RESULT),
            Operation::RemovePermission => (&REMOVE_PERMISSION_REQUEST, &NOTHING),
            Operation::SendMessage => (&SEND_MESSAGE_REQUEST, &SEND_MESSAGE_RESULT),
            Operation::SendMessageBatch => {
                (&SEND_MESSAGE_BATCH_REQUEST, &SEND_MESSAGE_BATCH_RESULT)
            }
            Operation::SetQueueAttributes => (&SET_QUEUE_ATTRIBUTES_REQUEST, &NOTHING),
            Operation::StartMessageMoveTask => {
                (&START_MESSAGE_MOVE_TASK_REQUEST, &START_MESSAGE_MOVE_TASK_RESULT)
            }
            Operation::TagQueue => (&TAG_QUEUE_REQUEST, &NOTHING),
            Operation::UntagQueue => (&UNTAG_QUEUE_REQUEST, &NOTHING),
        }
    }
}

/// The errors that the models name.
static ERRORS: &[ErrorCode] = &[
    error("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
    error("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400),
    error("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400),
    error("InvalidAddress", "InvalidAddress", 404),
    error("InvalidAttributeName", "InvalidAttributeName", 400),
    error("InvalidAttributeValue", "InvalidAttributeValue", 400),
    error("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400),
    error("InvalidIdFormat", "InvalidIdFormat", 400),
    error("InvalidMessageContents", "InvalidMessageContents", 400),
    error("InvalidSecurity", "InvalidSecurity", 403),
    error("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400),
    error("OverLimit", "OverLimit", 403),
    error("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", 403),
    error("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently", 400),
    error("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400),
    error("QueueNameExists", "QueueAlreadyExists", 400),
    error("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 400),
    error("RequestThrottled", "RequestThrottled", 403),
    error("ResourceNotFoundException", "ResourceNotFoundException", 404),
    error(
        "TooManyEntriesInBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        400,
    ),
    error("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400),
];

static ADD_PERMISSION_REQUEST: Structure = Structure {
    name: "AddPermissionRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member("Label", "Label", Shape::Text),
        member(
            "AWSAccountIds",
            "AWSAccountId",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
        member("Actions", "ActionName", Shape::List(&List { item: Shape::Text, within: None })),
    ],
};

static BATCH_RESULT_ERROR_ENTRY: Structure = Structure {
    name: "BatchResultErrorEntry",
    members: &[
        member("Id", "Id", Shape::Text),
        member("SenderFault", "SenderFault", Shape::Boolean),
        member("Code", "Code", Shape::Text),
        member("Message", "Message", Shape::Text),
    ],
};

static CANCEL_MESSAGE_MOVE_TASK_REQUEST: Structure = Structure {
    name: "CancelMessageMoveTaskRequest",
    members: &[member("TaskHandle", "TaskHandle", Shape::Text)],
};

static CANCEL_MESSAGE_MOVE_TASK_RESULT: Structure = Structure {
    name: "CancelMessageMoveTaskResult",
    members: &[member(
        "ApproximateNumberOfMessagesMoved",
        "ApproximateNumberOfMessagesMoved",
        Shape::Long,
    )],
};

static CHANGE_MESSAGE_VISIBILITY_BATCH_REQUEST: Structure = Structure {
    name: "ChangeMessageVisibilityBatchRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "Entries",
            "ChangeMessageVisibilityBatchRequestEntry",
            Shape::List(&List {
                item: Shape::Structure(&CHANGE_MESSAGE_VISIBILITY_BATCH_REQUEST_ENTRY),
                within: None,
            }),
        ),
    ],
};

static CHANGE_MESSAGE_VISIBILITY_BATCH_REQUEST_ENTRY: Structure = Structure {
    name: "ChangeMessageVisibilityBatchRequestEntry",
    members: &[
        member("Id", "Id", Shape::Text),
        member("ReceiptHandle", "ReceiptHandle", Shape::Text),
        member("VisibilityTimeout", "VisibilityTimeout", Shape::Integer),
    ],
};

static CHANGE_MESSAGE_VISIBILITY_BATCH_RESULT: Structure = Structure {
    name: "ChangeMessageVisibilityBatchResult",
    members: &[
        member(
            "Successful",
            "ChangeMessageVisibilityBatchResultEntry",
            Shape::List(&List {
                item: Shape::Structure(&CHANGE_MESSAGE_VISIBILITY_BATCH_RESULT_ENTRY),
                within: None,
            }),
        ),
        member(
            "Failed",
            "BatchResultErrorEntry",
            Shape::List(&List { item: Shape::Structure(&BATCH_RESULT_ERROR_ENTRY), within: None }),
        ),
    ],
};

static CHANGE_MESSAGE_VISIBILITY_BATCH_RESULT_ENTRY: Structure = Structure {
    name: "ChangeMessageVisibilityBatchResultEntry",
    members: &[member("Id", "Id", Shape::Text)],
};

static CHANGE_MESSAGE_VISIBILITY_REQUEST: Structure = Structure {
    name: "ChangeMessageVisibilityRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member("ReceiptHandle", "ReceiptHandle", Shape::Text),
        member("VisibilityTimeout", "VisibilityTimeout", Shape::Integer),
    ],
};

static CREATE_QUEUE_REQUEST: Structure = Structure {
    name: "CreateQueueRequest",
    members: &[
        member("QueueName", "QueueName", Shape::Text),
        member(
            "Attributes",
            "Attribute",
            Shape::Map(&Map { key: "Name", value: "Value", item: Shape::Text, within: None }),
        ),
        member(
            "tags",
            "Tag",
            Shape::Map(&Map { key: "Key", value: "Value", item: Shape::Text, within: None }),
        ),
    ],
};

static CREATE_QUEUE_RESULT: Structure = Structure {
    name: "CreateQueueResult",
    members: &[member("QueueUrl", "QueueUrl", Shape::Text)],
};

static DELETE_MESSAGE_BATCH_REQUEST: Structure = Structure {
    name: "DeleteMessageBatchRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "Entries",
            "DeleteMessageBatchRequestEntry",
            Shape::List(&List {
                item: Shape::Structure(&DELETE_MESSAGE_BATCH_REQUEST_ENTRY),
                within: None,
            }),
        ),
    ],
};

static DELETE_MESSAGE_BATCH_REQUEST_ENTRY: Structure = Structure {
    name: "DeleteMessageBatchRequestEntry",
    members: &[
        member("Id", "Id", Shape::Text),
        member("ReceiptHandle", "ReceiptHandle", Shape::Text),
    ],
};

static DELETE_MESSAGE_BATCH_RESULT: Structure = Structure {
    name: "DeleteMessageBatchResult",
    members: &[
        member(
            "Successful",
            "DeleteMessageBatchResultEntry",
            Shape::List(&List {
                item: Shape::Structure(&DELETE_MESSAGE_BATCH_RESULT_ENTRY),
                within: None,
            }),
        ),
        member(
            "Failed",
            "BatchResultErrorEntry",
            Shape::List(&List { item: Shape::Structure(&BATCH_RESULT_ERROR_ENTRY), within: None }),
        ),
    ],
};

static DELETE_MESSAGE_BATCH_RESULT_ENTRY: Structure = Structure {
    name: "DeleteMessageBatchResultEntry",
    members: &[member("Id", "Id", Shape::Text)],
};

static DELETE_MESSAGE_REQUEST: Structure = Structure {
    name: "DeleteMessageRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member("ReceiptHandle", "ReceiptHandle", Shape::Text),
    ],
};

static DELETE_QUEUE_REQUEST: Structure = Structure {
    name: "DeleteQueueRequest",
    members: &[member("QueueUrl", "QueueUrl", Shape::Text)],
};

static GET_QUEUE_ATTRIBUTES_REQUEST: Structure = Structure {
    name: "GetQueueAttributesRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "AttributeNames",
            "AttributeName",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
    ],
};

static GET_QUEUE_ATTRIBUTES_RESULT: Structure = Structure {
    name: "GetQueueAttributesResult",
    members: &[member(
        "Attributes",
        "Attribute",
        Shape::Map(&Map { key: "Name", value: "Value", item: Shape::Text, within: None }),
    )],
};

static GET_QUEUE_URL_REQUEST: Structure = Structure {
    name: "GetQueueUrlRequest",
    members: &[
        member("QueueName", "QueueName", Shape::Text),
        member("QueueOwnerAWSAccountId", "QueueOwnerAWSAccountId", Shape::Text),
    ],
};

static GET_QUEUE_URL_RESULT: Structure = Structure {
    name: "GetQueueUrlResult",
    members: &[member("QueueUrl", "QueueUrl", Shape::Text)],
};

static LIST_DEAD_LETTER_SOURCE_QUEUES_REQUEST: Structure = Structure {
    name: "ListDeadLetterSourceQueuesRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member("NextToken", "NextToken", Shape::Text),
        member("MaxResults", "MaxResults", Shape::Integer),
    ],
};

static LIST_DEAD_LETTER_SOURCE_QUEUES_RESULT: Structure = Structure {
    name: "ListDeadLetterSourceQueuesResult",
    members: &[
        member("queueUrls", "QueueUrl", Shape::List(&List { item: Shape::Text, within: None })),
        member("NextToken", "NextToken", Shape::Text),
    ],
};

static LIST_MESSAGE_MOVE_TASKS_REQUEST: Structure = Structure {
    name: "ListMessageMoveTasksRequest",
    members: &[
        member("SourceArn", "SourceArn", Shape::Text),
        member("MaxResults", "MaxResults", Shape::Integer),
    ],
};

static LIST_MESSAGE_MOVE_TASKS_RESULT: Structure = Structure {
    name: "ListMessageMoveTasksResult",
    members: &[member(
        "Results",
        "ListMessageMoveTasksResultEntry",
        Shape::List(&List {
            item: Shape::Structure(&LIST_MESSAGE_MOVE_TASKS_RESULT_ENTRY),
            within: None,
        }),
    )],
};

static LIST_MESSAGE_MOVE_TASKS_RESULT_ENTRY: Structure = Structure {
    name: "ListMessageMoveTasksResultEntry",
    members: &[
        member("TaskHandle", "TaskHandle", Shape::Text),
        member("Status", "Status", Shape::Text),
        member("SourceArn", "SourceArn", Shape::Text),
        member("DestinationArn", "DestinationArn", Shape::Text),
        member("MaxNumberOfMessagesPerSecond", "MaxNumberOfMessagesPerSecond", Shape::Integer),
        member("ApproximateNumberOfMessagesMoved", "ApproximateNumberOfMessagesMoved", Shape::Long),
        member(
            "ApproximateNumberOfMessagesToMove",
            "ApproximateNumberOfMessagesToMove",
            Shape::Long,
        ),
        member("FailureReason", "FailureReason", Shape::Text),
        member("StartedTimestamp", "StartedTimestamp", Shape::Long),
    ],
};

static LIST_QUEUE_TAGS_REQUEST: Structure = Structure {
    name: "ListQueueTagsRequest",
    members: &[member("QueueUrl", "QueueUrl", Shape::Text)],
};

static LIST_QUEUE_TAGS_RESULT: Structure = Structure {
    name: "ListQueueTagsResult",
    members: &[member(
        "Tags",
        "Tag",
        Shape::Map(&Map { key: "Key", value: "Value", item: Shape::Text, within: None }),
    )],
};

static LIST_QUEUES_REQUEST: Structure = Structure {
    name: "ListQueuesRequest",
    members: &[
        member("QueueNamePrefix", "QueueNamePrefix", Shape::Text),
        member("NextToken", "NextToken", Shape::Text),
        member("MaxResults", "MaxResults", Shape::Integer),
    ],
};

static LIST_QUEUES_RESULT: Structure = Structure {
    name: "ListQueuesResult",
    members: &[
        member("QueueUrls", "QueueUrl", Shape::List(&List { item: Shape::Text, within: None })),
        member("NextToken", "NextToken", Shape::Text),
    ],
};

static MESSAGE: Structure = Structure {
    name: "Message",
    members: &[
        member("MessageId", "MessageId", Shape::Text),
        member("ReceiptHandle", "ReceiptHandle", Shape::Text),
        member("MD5OfBody", "MD5OfBody", Shape::Text),
        member("Body", "Body", Shape::Text),
        member(
            "Attributes",
            "Attribute",
            Shape::Map(&Map { key: "Name", value: "Value", item: Shape::Text, within: None }),
        ),
        member("MD5OfMessageAttributes", "MD5OfMessageAttributes", Shape::Text),
        member(
            "MessageAttributes",
            "MessageAttribute",
            Shape::Map(&Map {
                key: "Name",
                value: "Value",
                item: Shape::Structure(&MESSAGE_ATTRIBUTE_VALUE),
                within: None,
            }),
        ),
    ],
};

static MESSAGE_ATTRIBUTE_VALUE: Structure = Structure {
    name: "MessageAttributeValue",
    members: &[
        member("StringValue", "StringValue", Shape::Text),
        member("BinaryValue", "BinaryValue", Shape::Blob),
        member(
            "StringListValues",
            "StringListValue",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
        member(
            "BinaryListValues",
            "BinaryListValue",
            Shape::List(&List { item: Shape::Blob, within: None }),
        ),
        member("DataType", "DataType", Shape::Text),
    ],
};

static MESSAGE_SYSTEM_ATTRIBUTE_VALUE: Structure = Structure {
    name: "MessageSystemAttributeValue",
    members: &[
        member("StringValue", "StringValue", Shape::Text),
        member("BinaryValue", "BinaryValue", Shape::Blob),
        member(
            "StringListValues",
            "StringListValue",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
        member(
            "BinaryListValues",
            "BinaryListValue",
            Shape::List(&List { item: Shape::Blob, within: None }),
        ),
        member("DataType", "DataType", Shape::Text),
    ],
};

static PURGE_QUEUE_REQUEST: Structure = Structure {
    name: "PurgeQueueRequest",
    members: &[member("QueueUrl", "QueueUrl", Shape::Text)],
};

static RECEIVE_MESSAGE_REQUEST: Structure = Structure {
    name: "ReceiveMessageRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "AttributeNames",
            "AttributeName",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
        member(
            "MessageSystemAttributeNames",
            "MessageSystemAttributeName",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
        member(
            "MessageAttributeNames",
            "MessageAttributeName",
            Shape::List(&List { item: Shape::Text, within: None }),
        ),
        member("MaxNumberOfMessages", "MaxNumberOfMessages", Shape::Integer),
        member("VisibilityTimeout", "VisibilityTimeout", Shape::Integer),
        member("WaitTimeSeconds", "WaitTimeSeconds", Shape::Integer),
        member("ReceiveRequestAttemptId", "ReceiveRequestAttemptId", Shape::Text),
    ],
};

static RECEIVE_MESSAGE_RESULT: Structure = Structure {
    name: "ReceiveMessageResult",
    members: &[member(
        "Messages",
        "Message",
        Shape::List(&List { item: Shape::Structure(&MESSAGE), within: None }),
    )],
};

static REMOVE_PERMISSION_REQUEST: Structure = Structure {
    name: "RemovePermissionRequest",
    members: &[member("QueueUrl", "QueueUrl", Shape::Text), member("Label", "Label", Shape::Text)],
};

static SEND_MESSAGE_BATCH_REQUEST: Structure = Structure {
    name: "SendMessageBatchRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "Entries",
            "SendMessageBatchRequestEntry",
            Shape::List(&List {
                item: Shape::Structure(&SEND_MESSAGE_BATCH_REQUEST_ENTRY),
                within: None,
            }),
        ),
    ],
};

static SEND_MESSAGE_BATCH_REQUEST_ENTRY: Structure = Structure {
    name: "SendMessageBatchRequestEntry",
    members: &[
        member("Id", "Id", Shape::Text),
        member("MessageBody", "MessageBody", Shape::Text),
        member("DelaySeconds", "DelaySeconds", Shape::Integer),
        member(
            "MessageAttributes",
            "MessageAttribute",
            Shape::Map(&Map {
                key: "Name",
                value: "Value",
                item: Shape::Structure(&MESSAGE_ATTRIBUTE_VALUE),
                within: None,
            }),
        ),
        member(
            "MessageSystemAttributes",
            "MessageSystemAttribute",
            Shape::Map(&Map {
                key: "Name",
                value: "Value",
                item: Shape::Structure(&MESSAGE_SYSTEM_ATTRIBUTE_VALUE),
                within: None,
            }),
        ),
        member("MessageDeduplicationId", "MessageDeduplicationId", Shape::Text),
        member("MessageGroupId", "MessageGroupId", Shape::Text),
    ],
};

static SEND_MESSAGE_BATCH_RESULT: Structure = Structure {
    name: "SendMessageBatchResult",
    members: &[
        member(
            "Successful",
            "SendMessageBatchResultEntry",
            Shape::List(&List {
                item: Shape::Structure(&SEND_MESSAGE_BATCH_RESULT_ENTRY),
                within: None,
            }),
        ),
        member(
            "Failed",
            "BatchResultErrorEntry",
            Shape::List(&List { item: Shape::Structure(&BATCH_RESULT_ERROR_ENTRY), within: None }),
        ),
    ],
};

static SEND_MESSAGE_BATCH_RESULT_ENTRY: Structure = Structure {
    name: "SendMessageBatchResultEntry",
    members: &[
        member("Id", "Id", Shape::Text),
        member("MessageId", "MessageId", Shape::Text),
        member("MD5OfMessageBody", "MD5OfMessageBody", Shape::Text),
        member("MD5OfMessageAttributes", "MD5OfMessageAttributes", Shape::Text),
        member("MD5OfMessageSystemAttributes", "MD5OfMessageSystemAttributes", Shape::Text),
        member("SequenceNumber", "SequenceNumber", Shape::Text),
    ],
};

static SEND_MESSAGE_REQUEST: Structure = Structure {
    name: "SendMessageRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member("MessageBody", "MessageBody", Shape::Text),
        member("DelaySeconds", "DelaySeconds", Shape::Integer),
        member(
            "MessageAttributes",
            "MessageAttribute",
            Shape::Map(&Map {
                key: "Name",
                value: "Value",
                item: Shape::Structure(&MESSAGE_ATTRIBUTE_VALUE),
                within: None,
            }),
        ),
        member(
            "MessageSystemAttributes",
            "MessageSystemAttribute",
            Shape::Map(&Map {
                key: "Name",
                value: "Value",
                item: Shape::Structure(&MESSAGE_SYSTEM_ATTRIBUTE_VALUE),
                within: None,
            }),
        ),
        member("MessageDeduplicationId", "MessageDeduplicationId", Shape::Text),
        member("MessageGroupId", "MessageGroupId", Shape::Text),
    ],
};

static SEND_MESSAGE_RESULT: Structure = Structure {
    name: "SendMessageResult",
    members: &[
        member("MD5OfMessageBody", "MD5OfMessageBody", Shape::Text),
        member("MD5OfMessageAttributes", "MD5OfMessageAttributes", Shape::Text),
        member("MD5OfMessageSystemAttributes", "MD5OfMessageSystemAttributes", Shape::Text),
        member("MessageId", "MessageId", Shape::Text),
        member("SequenceNumber", "SequenceNumber", Shape::Text),
    ],
};

static SET_QUEUE_ATTRIBUTES_REQUEST: Structure = Structure {
    name: "SetQueueAttributesRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "Attributes",
            "Attribute",
            Shape::Map(&Map { key: "Name", value: "Value", item: Shape::Text, within: None }),
        ),
    ],
};

static START_MESSAGE_MOVE_TASK_REQUEST: Structure = Structure {
    name: "StartMessageMoveTaskRequest",
    members: &[
        member("SourceArn", "SourceArn", Shape::Text),
        member("DestinationArn", "DestinationArn", Shape::Text),
        member("MaxNumberOfMessagesPerSecond", "MaxNumberOfMessagesPerSecond", Shape::Integer),
    ],
};

static START_MESSAGE_MOVE_TASK_RESULT: Structure = Structure {
    name: "StartMessageMoveTaskResult",
    members: &[member("TaskHandle", "TaskHandle", Shape::Text)],
};

static TAG_QUEUE_REQUEST: Structure = Structure {
    name: "TagQueueRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member(
            "Tags",
            "Tag",
            Shape::Map(&Map { key: "Key", value: "Value", item: Shape::Text, within: None }),
        ),
    ],
};

static UNTAG_QUEUE_REQUEST: Structure = Structure {
    name: "UntagQueueRequest",
    members: &[
        member("QueueUrl", "QueueUrl", Shape::Text),
        member("TagKeys", "TagKey", Shape::List(&List { item: Shape::Text, within: None })),
    ],
};
