// Every SQS operation that the server has, through the official JavaScript SDK. Its middleware compares
// the MD5 of each body and of each batch entry with its own, so a wrong digest fails these tests too.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-sqs";
import { start } from "./server.js";

let server;

before(async () => {
  server = await start("--clock", "steerable");
});

after(async () => {
  server.sqs.destroy();
  assert.equal(await server.stop(), 0);
});

const send = (Command, input) => server.sqs.send(new Command(input));

async function queue(attributes = {}) {
  const suffix = attributes.FifoQueue ? ".fifo" : "";
  const answer = await send(sdk.CreateQueueCommand, { QueueName: `js-${randomUUID()}${suffix}`, Attributes: attributes });
  return answer.QueueUrl;
}

const fifo = (attributes = {}) => queue({ FifoQueue: "true", ContentBasedDeduplication: "true", ...attributes });

async function receive(QueueUrl, more = {}) {
  const input = { QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All"], ...more };
  return (await send(sdk.ReceiveMessageCommand, input)).Messages ?? [];
}

const bodies = (messages) => messages.map((message) => message.Body);

async function count(QueueUrl) {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes } = await send(sdk.GetQueueAttributesCommand, { QueueUrl, AttributeNames: names });
  return names.map((name) => Number(Attributes[name]));
}

/** The call is refused with this exception, or with an error of this name. */
function refused(call, name) {
  return assert.rejects(call, (error) => {
    const said = error.name.replace("AWS.SimpleQueueService.", "").replace(/Exception$/, "");
    assert.equal(said, name, `${error.name}: ${error.message}`);
    assert.equal(Math.floor(error.$metadata.httpStatusCode / 100), 4);
    return true;
  });
}

describe("queues", () => {
  test("CreateQueue, GetQueueUrl, ListQueues, DeleteQueue", async () => {
    const url = await queue();
    const name = url.split("/").at(-1);
    assert.equal((await send(sdk.GetQueueUrlCommand, { QueueName: name })).QueueUrl, url);
    assert.deepEqual((await send(sdk.ListQueuesCommand, { QueueNamePrefix: name })).QueueUrls, [url]);
    await send(sdk.DeleteQueueCommand, { QueueUrl: url });
    await assert.rejects(send(sdk.GetQueueUrlCommand, { QueueName: name }), sdk.QueueDoesNotExist);
    await assert.rejects(queueAgain(name), sdk.QueueDeletedRecently);
  });

  const queueAgain = (QueueName) => send(sdk.CreateQueueCommand, { QueueName });

  test("ListQueues page by page", async () => {
    const prefix = `js-${randomUUID()}-`;
    for (const n of [0, 1, 2, 3, 4]) await send(sdk.CreateQueueCommand, { QueueName: prefix + n });
    const found = [];
    const pages = sdk.paginateListQueues({ client: server.sqs, pageSize: 2 }, { QueueNamePrefix: prefix });
    for await (const page of pages) found.push(...(page.QueueUrls ?? []));
    assert.deepEqual(found.map((url) => url.slice(-1)).sort(), ["0", "1", "2", "3", "4"]);
  });

  test("GetQueueAttributes and SetQueueAttributes", async () => {
    const QueueUrl = await queue({ DelaySeconds: "1" });
    await send(sdk.SetQueueAttributesCommand, { QueueUrl, Attributes: { VisibilityTimeout: "77" } });
    const { Attributes } = await send(sdk.GetQueueAttributesCommand, { QueueUrl, AttributeNames: ["All"] });
    assert.equal(Attributes.VisibilityTimeout, "77");
    assert.equal(Attributes.DelaySeconds, "1");
    const bad = { QueueUrl, Attributes: { VisibilityTimeout: "-1" } };
    await assert.rejects(send(sdk.SetQueueAttributesCommand, bad), sdk.InvalidAttributeValue);
    const none = { QueueUrl, AttributeNames: ["Nonsense"] };
    await assert.rejects(send(sdk.GetQueueAttributesCommand, none), sdk.InvalidAttributeName);
  });

  test("CreateQueue with another attribute", async () => {
    const QueueName = `js-${randomUUID()}`;
    await send(sdk.CreateQueueCommand, { QueueName });
    const other = { QueueName, Attributes: { DelaySeconds: "5" } };
    await assert.rejects(send(sdk.CreateQueueCommand, other), sdk.QueueNameExists);
  });

  test("PurgeQueue", async () => {
    const QueueUrl = await queue();
    await send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "x" });
    await send(sdk.PurgeQueueCommand, { QueueUrl });
    assert.deepEqual(await receive(QueueUrl), []);
    await assert.rejects(send(sdk.PurgeQueueCommand, { QueueUrl }), sdk.PurgeQueueInProgress);
  });
});

describe("messages", () => {
  const MessageAttributes = {
    text: { DataType: "String", StringValue: "grüße 🚚" },
    number: { DataType: "Number", StringValue: "12.5" },
    binary: { DataType: "Binary", BinaryValue: new Uint8Array([0, 1, 254, 255]) },
    custom: { DataType: "Binary.png", BinaryValue: new Uint8Array([137, 80]) },
  };

  test("SendMessage, ReceiveMessage, DeleteMessage", async () => {
    const QueueUrl = await queue();
    const sent = await send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "grüße 🚚", MessageAttributes });
    const [message] = await receive(QueueUrl, { MessageAttributeNames: ["All"] });
    assert.equal(message.MessageId, sent.MessageId);
    assert.equal(message.Body, "grüße 🚚");
    assert.deepEqual(message.MessageAttributes, MessageAttributes);
    assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
    assert.equal(message.Attributes.ApproximateReceiveCount, "1");
    await send(sdk.DeleteMessageCommand, { QueueUrl, ReceiptHandle: message.ReceiptHandle });
    assert.deepEqual(await count(QueueUrl), [0, 0]);
  });

  test("what SendMessage refuses", async () => {
    const QueueUrl = await queue();
    const bad = send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "a\0b" });
    await assert.rejects(bad, sdk.InvalidMessageContents);
    await refused(send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "x", DelaySeconds: 901 }), "InvalidParameterValue");
    await refused(send(sdk.SendMessageCommand, { QueueUrl }), "MissingParameter");
    const gone = { QueueUrl: `${QueueUrl}-gone`, MessageBody: "x" };
    await assert.rejects(send(sdk.SendMessageCommand, gone), sdk.QueueDoesNotExist);
  });

  test("SendMessageBatch and DeleteMessageBatch, with an entry that fails", async () => {
    const QueueUrl = await queue();
    const Entries = ["a", "b", "c"].map((Id) => ({ Id, MessageBody: Id }));
    Entries.push({ Id: "late", MessageBody: "x", DelaySeconds: 901 });
    const sent = await send(sdk.SendMessageBatchCommand, { QueueUrl, Entries });
    assert.deepEqual(sent.Successful.map((entry) => entry.Id), ["a", "b", "c"]);
    assert.deepEqual(sent.Failed.map((entry) => [entry.Id, entry.Code]), [["late", "InvalidParameterValue"]]);
    const messages = await receive(QueueUrl);
    const handles = messages.map(({ ReceiptHandle }, n) => ({ Id: `${n}`, ReceiptHandle }));
    handles.push({ Id: "bad", ReceiptHandle: "nonsense" });
    const deleted = await send(sdk.DeleteMessageBatchCommand, { QueueUrl, Entries: handles });
    assert.equal(deleted.Successful.length, 3);
    assert.equal(deleted.Failed[0].Code, "ReceiptHandleIsInvalid");
    assert.deepEqual(await count(QueueUrl), [0, 0]);
  });

  test("batches that are refused whole", async () => {
    const QueueUrl = await queue();
    const batch = (Entries) => send(sdk.SendMessageBatchCommand, { QueueUrl, Entries });
    const entry = (Id, MessageBody = "x") => ({ Id, MessageBody });
    const eleven = Array.from({ length: 11 }, (_, n) => entry(`${n}`));
    await assert.rejects(batch([]), sdk.EmptyBatchRequest);
    await assert.rejects(batch(eleven), sdk.TooManyEntriesInBatchRequest);
    await assert.rejects(batch([entry("a"), entry("a")]), sdk.BatchEntryIdsNotDistinct);
    await assert.rejects(batch([entry("a b")]), sdk.InvalidBatchEntryId);
    const large = "x".repeat(600 * 1024);
    await assert.rejects(batch([entry("a", large), entry("b", large)]), sdk.BatchRequestTooLong);
  });

  test("ChangeMessageVisibility and its batch", async () => {
    const QueueUrl = await queue();
    await send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "x" });
    const [{ ReceiptHandle }] = await receive(QueueUrl, { VisibilityTimeout: 600 });
    await send(sdk.ChangeMessageVisibilityCommand, { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
    const [again] = await receive(QueueUrl, { VisibilityTimeout: 600 });
    const Entries = [{ Id: "a", ReceiptHandle: again.ReceiptHandle, VisibilityTimeout: 10 }];
    const changed = await send(sdk.ChangeMessageVisibilityBatchCommand, { QueueUrl, Entries });
    assert.deepEqual(changed.Successful.map((entry) => entry.Id), ["a"]);
    await server.advance("11s");
    assert.deepEqual(await count(QueueUrl), [1, 0]);
    const late = { QueueUrl, ReceiptHandle: again.ReceiptHandle, VisibilityTimeout: 10 };
    await assert.rejects(send(sdk.ChangeMessageVisibilityCommand, late), sdk.MessageNotInflight);
  });

  test("a receipt that is none", async () => {
    const QueueUrl = await queue();
    const bad = { QueueUrl, ReceiptHandle: "nonsense" };
    await assert.rejects(send(sdk.DeleteMessageCommand, bad), sdk.ReceiptHandleIsInvalid);
    const hide = send(sdk.ChangeMessageVisibilityCommand, { ...bad, VisibilityTimeout: 1 });
    await assert.rejects(hide, sdk.ReceiptHandleIsInvalid);
  });

  test("a long poll ends with the send", async () => {
    const QueueUrl = await queue();
    const poll = receive(QueueUrl, { WaitTimeSeconds: 20 });
    await send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "here" });
    assert.deepEqual(bodies(await poll), ["here"]);
  });

  test("retention of fourteen days", async () => {
    const QueueUrl = await queue({ MessageRetentionPeriod: "1209600" });
    await send(sdk.SendMessageCommand, { QueueUrl, MessageBody: "x" });
    await server.advance("14d");
    assert.deepEqual(await receive(QueueUrl), []);
  });
});

describe("FIFO and dead letters", () => {
  const message = (QueueUrl, MessageGroupId, MessageBody) =>
    send(sdk.SendMessageCommand, { QueueUrl, MessageGroupId, MessageBody });

  test("order inside a group, duplicates dropped", async () => {
    const url = await fifo();
    const sent = [];
    for (const body of ["1", "2", "1", "3"]) sent.push(await message(url, "g", body));
    assert.equal(sent[2].MessageId, sent[0].MessageId);
    assert.match(sent[3].SequenceNumber, /^\d{20}$/);
    assert.deepEqual(bodies(await receive(url)), ["1", "2", "3"]);
    assert.deepEqual(await receive(url), []);
  });

  test("one group does not hold up another", async () => {
    const url = await fifo();
    await message(url, "a", "a1");
    await message(url, "a", "a2");
    await message(url, "b", "b1");
    assert.deepEqual(bodies(await receive(url, { MaxNumberOfMessages: 1 })), ["a1"]);
    assert.deepEqual(bodies(await receive(url)), ["b1"]);
  });

  test("a poison message ends in the dead-letter queue", async () => {
    const dead = await queue();
    const arn = (await send(sdk.GetQueueAttributesCommand, { QueueUrl: dead, AttributeNames: ["QueueArn"] })).Attributes.QueueArn;
    const url = await queue({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 2 }) });
    await send(sdk.SendMessageCommand, { QueueUrl: url, MessageBody: "poison" });
    for (const _ of [1, 2]) assert.equal((await receive(url, { VisibilityTimeout: 0 })).length, 1);
    assert.deepEqual(await receive(url), []);
    const [moved] = await receive(dead);
    assert.equal(moved.Body, "poison");
    assert.match(moved.Attributes.DeadLetterQueueSourceArn, /:js-/);
  });
});
