//! The operations of SQS as policies know them (developer guide, "Amazon SQS API permissions").

/// What is asked for, such as `sqs:SendMessage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    name: &'static str,
    shared: bool,
}

/// Each operation, its action, and whether a policy may let another account do it (developer guide,
/// "Limitations of Amazon SQS custom policies", and the note of each operation in the API
/// reference). A batch is its single operation many times.
const ACTIONS: [(&str, &str, bool); 23] = [
    ("AddPermission", "AddPermission", false),
    ("CancelMessageMoveTask", "CancelMessageMoveTask", false),
    ("ChangeMessageVisibility", "ChangeMessageVisibility", true),
    ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility", true),
    ("CreateQueue", "CreateQueue", false),
    ("DeleteMessage", "DeleteMessage", true),
    ("DeleteMessageBatch", "DeleteMessage", true),
    ("DeleteQueue", "DeleteQueue", false),
    ("GetQueueAttributes", "GetQueueAttributes", true),
    ("GetQueueUrl", "GetQueueUrl", true),
    ("ListDeadLetterSourceQueues", "ListDeadLetterSourceQueues", true),
    ("ListMessageMoveTasks", "ListMessageMoveTasks", false),
    ("ListQueueTags", "ListQueueTags", false),
    ("ListQueues", "ListQueues", false),
    ("PurgeQueue", "PurgeQueue", true),
    ("ReceiveMessage", "ReceiveMessage", true),
    ("RemovePermission", "RemovePermission", false),
    ("SendMessage", "SendMessage", true),
    ("SendMessageBatch", "SendMessage", true),
    ("SetQueueAttributes", "SetQueueAttributes", false),
    ("StartMessageMoveTask", "StartMessageMoveTask", false),
    ("TagQueue", "TagQueue", false),
    ("UntagQueue", "UntagQueue", false),
];

impl Action {
    /// The action that an operation of SQS needs.
    pub fn of_operation(operation: &str) -> Option<Action> {
        let of = |(name, action, shared): &(&str, &'static str, bool)| {
            (*name == operation).then_some(Action { name: action, shared: *shared })
        };
        ACTIONS.iter().find_map(of)
    }

    /// All operations of SQS, in the order of their names.
    pub fn operations() -> impl Iterator<Item = &'static str> {
        ACTIONS.iter().map(|(operation, _, _)| *operation)
    }

    /// Whether a policy may let another account do this.
    pub fn is_shared(self) -> bool {
        self.shared
    }

    /// As patterns are matched with it, and as SQS's refusals show it: in lower case.
    pub(super) fn lower(self) -> String {
        format!("sqs:{}", self.name.to_ascii_lowercase())
    }
}
