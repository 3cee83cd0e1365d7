//! What policies say, and which texts are none.
#![allow(clippy::needless_pass_by_value, reason = "a `json!` is handed over as it is written")]

use serde_json::{Value, json};

use super::{Action, Context, Denied, POLICY_BYTES_MAX, Policy, PolicyError, Principal, authorize};
use crate::auth::Moment;

const OWNER: &str = "111122223333";
const OTHER: &str = "444455556666";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";

fn owner() -> Principal {
    Principal::of_key(OWNER, "AKIDOWNER")
}

fn other() -> Principal {
    Principal::of_key(OTHER, "AKIDOTHER")
}

fn policy(statement: Value) -> Policy {
    let policy = json!({ "Version": "2012-10-17", "Statement": statement });
    Policy::parse(&policy.to_string()).unwrap()
}

fn allow_all() -> Value {
    json!({ "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE })
}

/// A statement that allows all, with some elements replaced; `null` takes one away.
fn statement(changes: Value) -> Value {
    let mut statement = allow_all();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(statement.as_object_mut().unwrap().remove(name)),
            value => statement[name] = value.clone(),
        }
    }
    statement
}

fn context(principal: &Principal) -> Context {
    Context::of(principal, "eu-west-1", Moment(1_795_448_921))
}

fn ask(principal: &Principal, operation: &str, policy: Option<&Policy>) -> Result<(), Denied> {
    let action = Action::of_operation(operation).unwrap();
    authorize(principal, action, QUEUE, &context(principal), policy)
}

/// Whether one statement lets another account send.
fn lets_send(changes: Value) -> bool {
    ask(&other(), "SendMessage", Some(&policy(statement(changes)))).is_ok()
}

fn lets_send_in(context: &Context, condition: Value) -> bool {
    let policy = policy(statement(json!({ "Condition": condition })));
    let action = Action::of_operation("SendMessage").unwrap();
    authorize(&other(), action, QUEUE, context, Some(&policy)).is_ok()
}

/// Operations that a policy may share with another account (developer guide, "Limitations of Amazon
/// SQS custom policies").
const SHARED: [&str; 11] = [
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "DeleteMessage",
    "DeleteMessageBatch",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
    "SendMessageBatch",
];

#[test]
fn the_matrix_of_all_operations() {
    assert_eq!(Action::operations().count(), 23);
    let allow = policy(allow_all());
    let deny = policy(json!([allow_all(), statement(json!({ "Effect": "Deny" }))]));
    let nobody = policy(statement(json!({ "Principal": { "AWS": "777788889999" } })));
    for operation in Action::operations() {
        let shared = SHARED.contains(&operation);
        let allowed = |principal: &Principal, policy| ask(principal, operation, policy).is_ok();
        assert!(allowed(&owner(), None), "{operation}");
        assert!(!allowed(&other(), None), "{operation}");
        assert!(allowed(&owner(), Some(&nobody)), "{operation}");
        assert!(!allowed(&other(), Some(&nobody)), "{operation}");
        assert!(allowed(&owner(), Some(&allow)), "{operation}");
        assert_eq!(allowed(&other(), Some(&allow)), shared, "{operation}");
        assert!(!allowed(&owner(), Some(&deny)), "{operation}");
        assert!(!allowed(&other(), Some(&deny)), "{operation}");
    }
}

/// Each single action lets through its own operation, and the batch of it, and nothing else.
#[test]
fn each_action_allows_and_denies_its_own_operations_only() {
    for named in Action::operations() {
        let only = json!({ "Action": format!("SQS:{named}") });
        let allow = policy(statement(only.clone()));
        let mut deny = statement(only);
        deny["Effect"] = "Deny".into();
        let deny = policy(json!([allow_all(), deny]));
        for operation in Action::operations() {
            let same = operation.strip_suffix("Batch").unwrap_or(operation) == named;
            let shared = SHARED.contains(&operation);
            let asked = |policy| ask(&other(), operation, Some(policy)).is_ok();
            assert_eq!(asked(&allow), same && shared, "{named} {operation}");
            assert_eq!(asked(&deny), !same && shared, "{named} {operation}");
            assert_eq!(ask(&owner(), operation, Some(&deny)).is_ok(), !same, "{named} {operation}");
        }
    }
}

#[test]
fn a_refusal_reads_like_sqss() {
    let error = ask(&other(), "SendMessageBatch", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "User: arn:aws:iam::444455556666:user/AKIDOTHER is not authorized to perform: \
         sqs:sendmessage on resource: arn:aws:sqs:eu-west-1:111122223333:orders because no \
         resource-based policy allows the sqs:sendmessage action"
    );
    let deny = policy(statement(json!({ "Effect": "Deny" })));
    let error = ask(&owner(), "PurgeQueue", Some(&deny)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "User: arn:aws:iam::111122223333:user/AKIDOWNER is not authorized to perform: \
         sqs:purgequeue on resource: arn:aws:sqs:eu-west-1:111122223333:orders with an explicit \
         deny in a resource-based policy"
    );
    assert_eq!(Denied::STATUS.as_u16(), 403);
}

#[test]
fn an_explicit_deny_wins_in_any_order() {
    let deny = statement(json!({ "Effect": "Deny", "Action": "sqs:Send*" }));
    for both in [json!([allow_all(), deny]), json!([deny, allow_all()])] {
        let policy = policy(both);
        assert!(ask(&other(), "SendMessage", Some(&policy)).is_err());
        assert!(ask(&other(), "ReceiveMessage", Some(&policy)).is_ok());
    }
}

#[test]
fn principals_are_accounts_users_and_everybody() {
    let lets = |principal: Value| lets_send(json!({ "Principal": principal }));
    assert!(lets(json!("*")) && lets(json!({ "AWS": "*" })) && lets(json!({ "AWS": OTHER })));
    assert!(lets(json!({ "AWS": ["777788889999", "arn:aws:iam::444455556666:root"] })));
    assert!(lets(json!({ "AWS": "arn:aws:iam::444455556666:user/AKIDOTHER" })));
    assert!(!lets(json!({ "AWS": "arn:aws:iam::444455556666:user/AKIDOTHE" })));
    assert!(!lets(json!({ "AWS": "arn:aws:iam::777788889999:user/AKIDOTHER" })));
    assert!(!lets(json!({ "AWS": OWNER })) && !lets(json!({ "Service": "sns.amazonaws.com" })));
    assert!(!lets(
        json!({ "CanonicalUser": "x", "Federated": "y", "AWS": "AIDA1234567890ABCDEF" })
    ));
}

#[test]
fn a_service_is_a_principal_of_its_own() {
    let sns = Principal::Service("sns.amazonaws.com".to_owned());
    let allow = policy(statement(json!({ "Principal": { "Service": "sns.amazonaws.com" } })));
    assert!(ask(&sns, "SendMessage", Some(&allow)).is_ok());
    assert!(ask(&sns, "SendMessage", None).is_err());
    assert!(ask(&other(), "SendMessage", Some(&allow)).is_err());
}

#[test]
fn what_is_not_named_is_meant_by_the_negated_elements() {
    let both = |deny: Value| policy(json!([allow_all(), deny]));
    let not_other =
        json!({ "NotPrincipal": { "AWS": OTHER }, "Principal": null, "Effect": "Deny" });
    let policy = both(statement(not_other));
    assert!(ask(&other(), "SendMessage", Some(&policy)).is_ok());
    assert!(ask(&owner(), "SendMessage", Some(&policy)).is_err());
    assert!(!lets_send(json!({ "NotAction": "sqs:SendMessage", "Action": null })));
    assert!(lets_send(json!({ "NotAction": ["sqs:Receive*", "sqs:Delete?*"], "Action": null })));
    assert!(!lets_send(json!({ "NotResource": QUEUE, "Resource": null })));
    assert!(lets_send(json!({ "NotResource": "arn:aws:sqs:*:*:other", "Resource": null })));
}

#[test]
fn actions_and_resources_have_wildcards() {
    let action = |action: &str| lets_send(json!({ "Action": action }));
    assert!(
        action("*") && action("sqs:*") && action("SQS:SENDMESSAGE") && action("sqs:Send?essage")
    );
    assert!(!action("sqs:Send") && !action("sns:*") && !action("sqs:SendMessageBatch"));
    let resource = |resource: &str| lets_send(json!({ "Resource": resource }));
    assert!(
        resource("*") && resource("arn:aws:sqs:*:111122223333:ord*") && resource("arn:aws:sqs")
    );
    assert!(!resource("arn:aws:sqs:eu-west-1:111122223333:order"));
    assert!(!resource("arn:aws:sqs:eu-west-1:111122223333:ORDERS"));
    assert!(resource("arn:aws:sqs:${aws:RequestedRegion}:111122223333:orders"));
    assert!(!resource("arn:aws:sqs:*:*:${aws:username}"));
}

#[test]
fn text_conditions() {
    let mut context = Context::new();
    context.set("aws:SourceAccount", "Acc");
    let holds = |operator: &str, value: Value| {
        lets_send_in(&context, json!({ operator: { "AWS:sourceaccount": value } }))
    };
    assert!(holds("StringEquals", json!("Acc")) && holds("StringEquals", json!(["x", "Acc"])));
    assert!(!holds("StringEquals", json!("acc")) && !holds("StringEquals", json!("A*")));
    assert!(
        holds("StringNotEquals", json!("acc")) && !holds("StringNotEquals", json!(["x", "Acc"]))
    );
    assert!(holds("StringEqualsIgnoreCase", json!("aCC")));
    assert!(!holds("StringNotEqualsIgnoreCase", json!("aCC")));
    assert!(holds("StringLike", json!("A?*")) && !holds("StringLike", json!("a*")));
    assert!(!holds("StringNotLike", json!("A*")) && holds("StringNotLike", json!("a*")));
    assert!(holds("BinaryEquals", json!("Acc")) && !holds("StringEquals", json!([])));
    assert!(holds("StringEquals", json!("${aws:SourceAccount}")));
    assert!(!holds("StringLike", json!("${aws:none}*")));
}

#[test]
fn conditions_of_numbers_dates_and_truths() {
    let mut context = Context::new();
    context.set("a:n", "10");
    context.set("a:bool", "true");
    context.set("a:text", "ten");
    context.set("aws:CurrentTime", "2026-11-23T15:48:41Z");
    let holds = |operator: &str, key: &str, value: Value| {
        lets_send_in(&context, json!({ operator: { key: value } }))
    };
    assert!(
        holds("NumericEquals", "a:n", json!(10)) && holds("NumericEquals", "a:n", json!("10.0"))
    );
    assert!(
        holds("NumericLessThan", "a:n", json!(10.5)) && !holds("NumericLessThan", "a:n", json!(10))
    );
    assert!(holds("NumericLessThanEquals", "a:n", json!(10)));
    assert!(holds("NumericGreaterThan", "a:n", json!(-1)));
    assert!(!holds("NumericGreaterThanEquals", "a:n", json!(11)));
    assert!(!holds("NumericNotEquals", "a:n", json!([9, 10])));
    assert!(!holds("NumericLessThan", "a:text", json!(99)));
    let time = "aws:CurrentTime";
    assert!(holds("DateGreaterThan", time, json!("2026-11-23")));
    assert!(!holds("DateLessThan", time, json!("2026-11-23T15:48:41Z")));
    assert!(holds("DateLessThanEquals", time, json!("2026-11-23T16:48:41+01:00")));
    assert!(
        holds("DateEquals", time, json!(1_795_448_921))
            && !holds("DateNotEquals", time, json!("1795448921"))
    );
    assert!(holds("DateGreaterThanEquals", time, json!("1795448921")));
    assert!(holds("Bool", "a:bool", json!(true)) && holds("Bool", "a:bool", json!("TRUE")));
    assert!(!holds("Bool", "a:bool", json!("false")) && !holds("Bool", "a:text", json!("false")));
}

#[test]
fn conditions_of_addresses() {
    let from = |address: &str, operator: &str, value: Value| {
        let mut context = Context::new();
        context.set("aws:SourceIp", address);
        lets_send_in(&context, json!({ operator: { "aws:SourceIp": value } }))
    };
    assert!(from("10.1.2.3", "IpAddress", json!("10.0.0.0/8")));
    assert!(from("10.1.2.3", "IpAddress", json!(["::1", "10.1.2.3"])));
    assert!(from("::ffff:10.1.2.3", "IpAddress", json!("10.1.0.1/16")));
    assert!(!from("11.1.2.3", "IpAddress", json!("10.0.0.0/8")));
    assert!(!from("10.1.2.3", "NotIpAddress", json!("10.0.0.0/8")));
    assert!(from("2001:db8::1", "IpAddress", json!("2001:db8::/32")));
    assert!(from("2001:db9::1", "NotIpAddress", json!(["2001:db8::/32", "0.0.0.0/0"])));
    assert!(!from("somewhere", "IpAddress", json!("0.0.0.0/0")));
}

#[test]
fn conditions_of_arns() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:topic";
    let mut context = Context::new();
    context.set("aws:SourceArn", topic);
    let holds = |operator: &str, value: &str| {
        lets_send_in(&context, json!({ operator: { "aws:SourceArn": value } }))
    };
    for operator in ["ArnEquals", "ArnLike"] {
        assert!(holds(operator, topic) && holds(operator, "arn:aws:sns:*:111122223333:top*"));
        assert!(!holds(operator, "arn:aws:sns:*:other") && holds(operator, "*"));
    }
    for operator in ["ArnNotEquals", "ArnNotLike"] {
        assert!(!holds(operator, "arn:*:sns:*:*:*") && holds(operator, "arn:aws:s3:*:*:*"));
    }
}

/// User guide, "Condition operators": a missing key does not match, so that what must not match
/// holds.
#[test]
fn a_key_that_is_missing() {
    let none = Context::new();
    let holds = |operator: &str, value: &str| {
        lets_send_in(&none, json!({ operator: { "aws:SourceIp": value } }))
    };
    assert!(!holds("IpAddress", "0.0.0.0/0") && holds("NotIpAddress", "0.0.0.0/0"));
    assert!(holds("IpAddressIfExists", "10.0.0.0/8") && holds("NotIpAddressIfExists", "::/0"));
    assert!(!holds("StringLike", "*") && holds("StringNotLike", "*"));
    assert!(holds("Null", "true") && !holds("Null", "false"));
    assert!(holds("ForAllValues:StringEquals", "x") && !holds("ForAnyValue:StringEquals", "x"));
    assert!(holds("ForAnyValue:StringEqualsIfExists", "x"));
    assert!(
        !holds("NumericLessThan", "1") && !holds("DateLessThan", "1") && !holds("Bool", "false")
    );
}

#[test]
fn keys_of_several_values() {
    let holds = |operator: &str, values: &[&str]| {
        let mut context = Context::new();
        context.set_all("aws:TagKeys", values.iter().map(|&value| value.to_owned()).collect());
        lets_send_in(&context, json!({ operator: { "aws:TagKeys": ["a", "b"] } }))
    };
    assert!(holds("ForAllValues:StringEquals", &["a", "b"]));
    assert!(!holds("ForAllValues:StringEquals", &["a", "c"]));
    assert!(holds("ForAnyValue:StringEquals", &["c", "b"]));
    assert!(!holds("ForAnyValue:StringEquals", &["c", "d"]));
    assert!(!holds("ForAllValues:StringNotEquals", &["c", "a"]));
    assert!(holds("ForAnyValue:StringNotEquals", &["c", "a"]));
    assert!(!holds("ForAnyValue:StringNotEquals", &["b", "a"]));
    assert!(!holds("StringNotEquals", &["c", "a"]) && !holds("StringEquals", &[]));
}

#[test]
fn all_conditions_must_hold() {
    let mut context = Context::new();
    context.set("a:one", "1");
    context.set("a:two", "2");
    let right = json!({ "a:one": "1", "a:two": "2" });
    assert!(lets_send_in(
        &context,
        json!({ "StringEquals": right, "NumericLessThan": { "a:one": 2 } })
    ));
    assert!(!lets_send_in(&context, json!({ "StringEquals": { "a:one": "1", "a:two": "1" } })));
    assert!(!lets_send_in(&context, json!({ "StringEquals": right, "Null": { "a:one": "true" } })));
}

/// What a request says of itself can be conditions.
#[test]
fn the_context_of_a_request() {
    let holds = |condition| lets_send_in(&context(&other()), condition);
    assert!(holds(json!({ "StringEquals": { "aws:PrincipalAccount": OTHER } })));
    assert!(holds(json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/AKID*" } })));
    assert!(holds(json!({ "Bool": { "aws:SecureTransport": "false" } })));
    assert!(holds(json!({ "DateLessThan": { "aws:CurrentTime": "2027-01-01" } })));
    assert!(holds(json!({ "NumericGreaterThan": { "aws:EpochTime": 1_795_000_000 } })));
    assert!(holds(json!({ "StringEquals": { "aws:RequestedRegion": "eu-west-1" } })));
    assert!(!holds(json!({ "Bool": { "aws:PrincipalIsAWSService": "true" } })));
}

fn refused(text: &str) -> PolicyError {
    Policy::parse(text).expect_err(text)
}

#[test]
fn what_is_no_policy_is_refused() {
    for text in ["", "null", "[]", "{", "1", "\"x\"", "{}", "{\"Version\":\"2012-10-17\"}", "{}x"] {
        refused(text);
    }
    let with = |name: &str, value: Value| {
        let mut policy = json!({ "Version": "2012-10-17", "Statement": [allow_all()] });
        policy[name] = value;
        policy.to_string()
    };
    assert!(Policy::parse(&with("Id", json!("x"))).is_ok());
    assert!(Policy::parse(&with("Version", json!("2008-10-17"))).is_ok());
    refused(&with("Version", json!("2012-10-18")));
    refused(&with("Version", json!(null)));
    refused(&with("Id", json!(["x"])));
    refused(&with("version", json!("2012-10-17")));
    refused(&with("Statement", json!([])));
    refused(&with("Statement", json!([[allow_all()]])));
}

#[test]
fn what_is_no_statement_is_refused() {
    for changes in [
        json!({ "Effect": null }),
        json!({ "Effect": "allow" }),
        json!({ "Effect": ["Allow"] }),
        json!({ "Principal": null }),
        json!({ "Principal": OTHER }),
        json!({ "Principal": { "AWS": [] } }),
        json!({ "Principal": { "AWS": "arn:aws:iam::444455556666:user/*" } }),
        json!({ "Principal": { "AWS": "444455556666*" } }),
        json!({ "Principal": { "AWS": "12345" } }),
        json!({ "Principal": { "aws": OTHER } }),
        json!({ "Principal": { "Service": "*" } }),
        json!({ "Principal": {} }),
        json!({ "NotPrincipal": "*" }),
        json!({ "NotPrincipal": "*", "Principal": null }),
        json!({ "Action": null }),
        json!({ "Action": "SendMessage" }),
        json!({ "Action": "sqs:" }),
        json!({ "Action": "*:*" }),
        json!({ "Action": [] }),
        json!({ "NotAction": "sqs:*" }),
        json!({ "Resource": null }),
        json!({ "Resource": "orders" }),
        json!({ "Resource": [QUEUE, 1] }),
        json!({ "NotResource": "*" }),
        json!({ "Resource": "arn:aws:sqs:${x" }),
        json!({ "Sid": 1 }),
        json!({ "Conditions": {} }),
        json!({ "Condition": [] }),
        json!({ "Condition": { "StringEqual": { "aws:x": "y" } } }),
        json!({ "Condition": { "stringequals": { "aws:x": "y" } } }),
        json!({ "Condition": { "ForSome:StringEquals": { "aws:x": "y" } } }),
        json!({ "Condition": { "NullIfExists": { "aws:x": "true" } } }),
        json!({ "Condition": { "ForAnyValue:Null": { "aws:x": "true" } } }),
        json!({ "Condition": { "StringEquals": { "x": "y" } } }),
        json!({ "Condition": { "StringEquals": { "aws:x": { "y": "z" } } } }),
        json!({ "Condition": { "StringEquals": { "aws:x": [["y"]] } } }),
        json!({ "Condition": { "Bool": { "aws:x": "yes" } } }),
        json!({ "Condition": { "NumericEquals": { "aws:x": "nan" } } }),
        json!({ "Condition": { "NumericEquals": { "aws:x": "1e3" } } }),
        json!({ "Condition": { "DateLessThan": { "aws:x": "soon" } } }),
        json!({ "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0.0/33" } } }),
        json!({ "Condition": { "IpAddress": { "aws:SourceIp": "10.0.0" } } }),
    ] {
        let policy = json!({ "Version": "2012-10-17", "Statement": statement(changes) });
        let error = refused(&policy.to_string());
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let twice = |inner: &str| {
        let text = format!(
            "{{\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:*\",\
             \"Resource\":\"*\",{inner}}}}}"
        );
        Policy::parse(&text)
    };
    assert!(twice("\"Sid\":\"a\"").is_ok());
    assert!(matches!(twice("\"Effect\":\"Deny\""), Err(PolicyError::Json(_))));
    let condition = "\"Condition\":{\"Bool\":{\"a:b\":\"true\"},\"Bool\":{\"a:c\":\"true\"}}";
    assert!(matches!(twice(condition), Err(PolicyError::Json(_))));
    let sid = |sid: &str| statement(json!({ "Sid": sid }));
    let sids = json!({ "Statement": [sid("a"), sid("b"), sid("a")] });
    assert!(refused(&sids.to_string()).to_string().contains("\"a\""));
    assert!(Policy::parse(&json!({ "Statement": [sid("a"), sid("b")] }).to_string()).is_ok());
}

#[test]
fn a_policy_is_bounded() {
    let many =
        |count: usize| Policy::parse(&json!({ "Statement": vec![allow_all(); count] }).to_string());
    assert!(many(20).is_ok());
    assert_eq!(many(21), Err(PolicyError::Many("statements", 21, 20)));
    let accounts = |count: usize| {
        let accounts: Vec<String> = (0..count).map(|number| format!("{number:012}")).collect();
        let statement = statement(json!({ "Principal": { "AWS": accounts } }));
        Policy::parse(&json!({ "Statement": statement }).to_string())
    };
    assert!(accounts(50).is_ok());
    assert_eq!(accounts(51), Err(PolicyError::Many("principals", 51, 50)));
    let conditions = |count: usize| {
        let keys: serde_json::Map<_, _> =
            (0..count).map(|number| (format!("a:{number}"), json!("x"))).collect();
        let statement = statement(json!({ "Condition": { "StringEquals": keys } }));
        Policy::parse(&json!({ "Statement": statement }).to_string())
    };
    assert!(conditions(10).is_ok());
    assert_eq!(conditions(11), Err(PolicyError::Many("conditions", 11, 10)));
}

#[test]
fn a_million_characters_are_refused_at_once() {
    let pattern = "*a".repeat(500_000);
    let policy = json!({ "Statement": statement(json!({ "Resource": format!("arn:{pattern}") })) });
    let text = policy.to_string();
    assert_eq!(refused(&text), PolicyError::TooLong(text.len()));
    assert!(text.len() > POLICY_BYTES_MAX);
    refused(&"[".repeat(8000));
}
