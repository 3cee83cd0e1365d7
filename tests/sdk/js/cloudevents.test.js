// The package `cloudevents` of npm: what it writes is read, and what is answered it reads, in each mode.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudEvent, HTTP } from "cloudevents";
import { start } from "./server.js";

const BATCH = "application/cloudevents-batch+json";
const DATA = [
  ["application/json", { amount: 12.5, to: "Zoë €😀", list: [1, null, true] }],
  ["text/plain", 'letters "Zoë" 100%'],
  ["application/octet-stream", Uint8Array.from({ length: 256 }, (_, n) => n)],
  ["application/json", undefined],
];

let server;

before(async () => {
  server = await start();
});

after(async () => {
  assert.equal(await server.stop(), 0);
});

// The package neither escapes headers nor undoes it, so no attribute here has letters to be escaped.
function made(datacontenttype, data) {
  const time = new Date(Date.UTC(2026, 0, 31, 12, 30, 15, 250)).toISOString();
  const named = { id: crypto.randomUUID(), source: "/shop/7?a=b#c", type: "shop.order.paid", time };
  return new CloudEvent({ ...named, subject: "order-7", datacontenttype, data, stream: "orders", comment: "x-y" });
}

async function post(headers, body) {
  const answer = await fetch(`${server.url}/v1/events`, { method: "POST", headers, body });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}

async function read(path, headers = {}) {
  const answer = await fetch(`${server.url}${path}`, { headers });
  assert.ok(answer.ok);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { headers: Object.fromEntries(answer.headers), bytes };
}

/** The event of an answer; the package wants a body as text, or as bytes where it is no text. */
function event({ headers, bytes }) {
  const isBytes = headers["content-type"] === "application/octet-stream";
  return HTTP.toEvent({ headers, body: isBytes ? bytes : bytes.toString() });
}

function check(sent, got) {
  for (const name of ["id", "source", "type", "subject", "time", "comment", "stream"]) {
    assert.equal(got[name], sent[name], name);
  }
  // Bytes come back in arrays of several kinds, an element for each.
  const bytes = (data) => (ArrayBuffer.isView(data) ? Buffer.from(data) : data);
  assert.deepEqual(bytes(got.data) || undefined, bytes(sent.data));
}

for (const [mode, write] of Object.entries({ binary: HTTP.binary, structured: HTTP.structured })) {
  for (const [kind, data] of DATA) {
    test(`${mode}: ${data === undefined ? "no data" : kind}`, async () => {
      const sent = made(kind, data);
      const { headers, body } = write(sent);
      const { first } = await post(headers, body);
      check(sent, event(await read(`/v1/events/${first}`)));
      check(sent, event(await read(`/v1/events/${first}?mode=binary`)));
    });
  }
}

test("a batch", async () => {
  const sent = DATA.map(([kind, data]) => made(kind, data));
  const bodies = sent.map((one) => HTTP.structured(one).body);
  const { first } = await post({ "Content-Type": BATCH }, `[${bodies.join(",")}]`);
  const got = event(await read(`/v1/events?from=${first}`, { Accept: BATCH }));
  assert.equal(got.length, sent.length);
  got.forEach((one, index) => check(sent[index], one));
});
