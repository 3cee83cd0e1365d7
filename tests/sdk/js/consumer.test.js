// npm's `sqs-consumer`, unmodified, at work on queues of its own.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { client, start } from "./server.js";

const WITHIN = 20_000; // milliseconds; what is waited for takes a few, a loaded machine more

const consumers = [];
let server;

before(async () => {
  server = await start();
});

after(async () => {
  for (const consumer of consumers) consumer.stop({ abort: true }); // what a failed test left running
  server.sqs.destroy();
  assert.equal(await server.stop(), 0);
});

const send = (Command, input) => server.sqs.send(new Command(input));

async function queue(Attributes = {}) {
  const suffix = Attributes.FifoQueue ? ".fifo" : "";
  return (await send(sdk.CreateQueueCommand, { QueueName: `consumer-${randomUUID()}${suffix}`, Attributes })).QueueUrl;
}

function put(QueueUrl, bodies) {
  const Entries = bodies.map((MessageBody, n) => ({ Id: `${n}`, MessageBody }));
  return send(sdk.SendMessageBatchCommand, { QueueUrl, Entries });
}

/** Visible, in flight. */
async function count(QueueUrl) {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes } = await send(sdk.GetQueueAttributesCommand, { QueueUrl, AttributeNames: names });
  return names.map((name) => Number(Attributes[name]));
}

/** A consumer that keeps its complaints in `errors`; its handler acknowledges what it returns. */
function consume(queueUrl, options) {
  const consumer = Consumer.create({ queueUrl, sqs: server.sqs, strictReturn: true, suppressFifoWarning: true, ...options });
  consumer.errors = [];
  consumers.push(consumer);
  for (const kind of ["error", "processing_error", "timeout_error"]) {
    consumer.on(kind, (error) => consumer.errors.push(error));
  }
  return consumer;
}

const event = (consumer, name) => once(consumer, name, { signal: AbortSignal.timeout(WITHIN) });

/** A promise, and the function that fulfils it. */
function promised() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

/** Resolves when the consumer has acknowledged so many messages since now. */
function acknowledged(consumer, wanted) {
  return new Promise((done, fail) => {
    let found = 0;
    const late = setTimeout(() => fail(new Error(`${found} of ${wanted} acknowledged; ${consumer.errors.slice(0, 3)}`)), WITHIN);
    late.unref();
    consumer.on("message_processed", () => {
      found += 1;
      if (found < wanted) return;
      clearTimeout(late);
      done();
    });
  });
}

/** Ends a consumer in the middle of its long poll. */
async function end(consumer) {
  const stopped = event(consumer, "stopped");
  consumer.stop({ abort: true });
  await stopped;
}

describe("sqs-consumer", () => {
  test("consumes and deletes every message", async () => {
    const url = await queue();
    const bodies = Array.from({ length: 30 }, (_, n) => `order ${n}`);
    for (const from of [0, 10, 20]) await put(url, bodies.slice(from, from + 10));
    const seen = [];
    const handleMessage = async (message) => (seen.push(message.Body), message);
    const consumer = consume(url, { batchSize: 10, handleMessage });
    const done = acknowledged(consumer, bodies.length);
    consumer.start();
    await done;
    assert.deepEqual(seen.sort(), bodies.sort());
    assert.deepEqual(consumer.errors, []);
    assert.deepEqual(await count(url), [0, 0]);
    await end(consumer);
  });

  test("a message sent while it waits comes at once, with its attributes", async () => {
    const url = await queue();
    const MessageAttributes = { shop: { DataType: "String", StringValue: "north" } };
    const seen = [];
    const consumer = consume(url, {
      messageAttributeNames: ["All"],
      messageSystemAttributeNames: ["ApproximateReceiveCount"],
      handleMessage: async (message) => (seen.push(message), message),
    });
    const done = acknowledged(consumer, 1);
    consumer.start();
    await send(sdk.SendMessageCommand, { QueueUrl: url, MessageBody: "grüße 🚚", MessageAttributes });
    await done;
    assert.deepEqual(seen.map((message) => [message.Body, message.MessageAttributes, message.Attributes]), [
      ["grüße 🚚", MessageAttributes, { ApproximateReceiveCount: "1" }],
    ]);
    await end(consumer);
  });

  test("a message whose handler fails comes again", async () => {
    const url = await queue({ VisibilityTimeout: "600" });
    await put(url, ["poison"]);
    const counts = [];
    const consumer = consume(url, {
      terminateVisibilityTimeout: true,
      messageSystemAttributeNames: ["ApproximateReceiveCount"],
      handleMessage: async (message) => {
        counts.push(message.Attributes.ApproximateReceiveCount);
        if (counts.length < 3) throw new Error("not today");
        return message;
      },
    });
    const done = acknowledged(consumer, 1);
    consumer.start();
    await done;
    assert.deepEqual(counts, ["1", "2", "3"]);
    assert.equal(consumer.errors.length, 2);
    for (const error of consumer.errors) assert.match(error.message, /not today/);
    assert.deepEqual(await count(url), [0, 0]);
    await end(consumer);
  });

  test("a handler that is too slow loses its message to the next attempt", async () => {
    const url = await queue({ VisibilityTimeout: "1" });
    await put(url, ["slow"]);
    let attempts = 0;
    const never = new Promise(() => {});
    const handleMessage = (message) => ((attempts += 1), attempts === 1 ? never : Promise.resolve(message));
    const consumer = consume(url, { handleMessageTimeout: 500, handleMessage });
    const done = acknowledged(consumer, 1);
    consumer.start();
    await done;
    assert.equal(attempts, 2);
    assert.match(consumer.errors[0].message, /timed out/);
    await end(consumer);
  });

  test("a heartbeat keeps a message that takes longer than its visibility from everybody else", async () => {
    const url = await queue({ VisibilityTimeout: "600" });
    await put(url, ["long"]);
    let attempts = 0;
    const beats = heartbeats(4);
    const handleMessage = async (message) => ((attempts += 1), await beats.seen, message);
    const options = { visibilityTimeout: 3, heartbeatInterval: 1, handleMessage, sqs: beats.sqs };
    const both = [consume(url, options), consume(url, options)];
    const done = Promise.race(both.map((consumer) => acknowledged(consumer, 1)));
    for (const consumer of both) consumer.start();
    await done;
    assert.equal(attempts, 1);
    assert.deepEqual(both.flatMap((consumer) => consumer.errors), []);
    assert.deepEqual(await count(url), [0, 0]);
    for (const consumer of both) await end(consumer);
    beats.sqs.destroy();
  });

  /** A client, and a promise of so many answers to ChangeMessageVisibility on it. */
  function heartbeats(wanted) {
    const sqs = client(server.url);
    const seen = new Promise((done) => {
      let left = wanted;
      const count = (next, context) => async (args) => {
        const answer = await next(args);
        if (context.commandName === "ChangeMessageVisibilityCommand" && --left === 0) done();
        return answer;
      };
      sqs.middlewareStack.add(count, { step: "initialize" });
    });
    return { sqs, seen };
  }

  test("a batch handler acknowledges a part, the rest comes again", async () => {
    const url = await queue({ VisibilityTimeout: "2" });
    const bodies = Array.from({ length: 10 }, (_, n) => `${n}`);
    await put(url, bodies);
    const batches = [];
    const handleMessageBatch = async (messages) => {
      batches.push(messages.map((message) => message.Body));
      return batches.length === 1 ? messages.filter((message) => message.Body % 2 === 0) : messages;
    };
    const consumer = consume(url, { batchSize: 10, handleMessageBatch });
    const done = acknowledged(consumer, bodies.length);
    consumer.start();
    await done;
    assert.deepEqual(batches[0].toSorted(), bodies);
    assert.deepEqual(batches.slice(1).flat().toSorted(), ["1", "3", "5", "7", "9"]);
    assert.deepEqual(consumer.errors, []);
    assert.deepEqual(await count(url), [0, 0]);
    await end(consumer);
  });

  test("a batch whose handler fails comes again as a whole", async () => {
    const url = await queue({ VisibilityTimeout: "600" });
    await put(url, ["a", "b", "c"]);
    const seen = [];
    const consumer = consume(url, {
      batchSize: 10,
      terminateVisibilityTimeout: true,
      handleMessageBatch: async (messages) => {
        seen.push(...messages.map((message) => message.Body));
        if (seen.length === 3) throw new Error("not today");
        return messages;
      },
    });
    const done = acknowledged(consumer, 3);
    consumer.start();
    await done;
    assert.deepEqual(seen.toSorted(), ["a", "a", "b", "b", "c", "c"]);
    assert.deepEqual(await count(url), [0, 0]);
    await end(consumer);
  });

  test("a FIFO queue's group comes in order, one failure included", async () => {
    const url = await queue({ FifoQueue: "true", ContentBasedDeduplication: "true", VisibilityTimeout: "600" });
    for (const MessageBody of ["1", "2", "3"]) {
      await send(sdk.SendMessageCommand, { QueueUrl: url, MessageBody, MessageGroupId: "g" });
    }
    const seen = [];
    const handleMessage = async (message) => {
      seen.push(message.Body);
      if (seen.length === 2) throw new Error("again");
      return message;
    };
    const consumer = consume(url, { batchSize: 1, terminateVisibilityTimeout: true, handleMessage });
    const done = acknowledged(consumer, 3);
    consumer.start();
    await done;
    assert.deepEqual(seen, ["1", "2", "2", "3"]);
    await end(consumer);
  });

  test("stops when the message in its hands is done, and takes no other", async () => {
    const url = await queue();
    await put(url, ["first"]);
    const begun = promised();
    const go = promised();
    const handleMessage = async (message) => (begun.resolve(), await go.promise, message);
    const consumer = consume(url, { handleMessage, pollingCompleteWaitTimeMs: WITHIN });
    const done = acknowledged(consumer, 1);
    const stopped = event(consumer, "stopped");
    consumer.start();
    await begun.promise;
    consumer.stop();
    await put(url, ["second"]);
    go.resolve();
    await Promise.all([done, stopped]);
    assert.deepEqual(consumer.status, { isRunning: false, isPolling: false });
    assert.deepEqual(consumer.errors, []);
    assert.deepEqual(await count(url), [1, 0]);
  });

  test("stops in the middle of a long poll; what is sent then goes to the next consumer", async () => {
    const url = await queue({ VisibilityTimeout: "2" });
    const polling = promised();
    const handleMessage = async (message) => message;
    const first = consume(url, { handleMessage, preReceiveMessageCallback: async () => polling.resolve() });
    const failed = event(first, "error");
    const began = Date.now();
    first.start();
    await polling.promise;
    await end(first);
    await failed;
    assert.ok(Date.now() - began < WITHIN / 2, "the poll ran on");
    await put(url, ["left over"]);
    const second = consume(url, { handleMessage });
    const done = acknowledged(second, 1);
    second.start();
    await done;
    assert.deepEqual(await count(url), [0, 0]);
    await end(second);
  });
});
