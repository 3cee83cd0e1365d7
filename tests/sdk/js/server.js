// A Lineside process for the tests, and an official SDK client that talks to it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SQSClient } from "@aws-sdk/client-sqs";

const ROOT = resolve(import.meta.dirname, "../../..");
const BINARY = process.env.LINESIDE_BIN ?? join(ROOT, "target/release/lineside");
const READY_WITHIN = 10_000; // milliseconds

// Nothing of the user's own configuration may reach the SDK.
process.env.AWS_CONFIG_FILE = process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null";

/** Starts a server in a fresh directory; `stop` ends it and answers its exit status. */
export async function start(...flags) {
  const folder = mkdtempSync(join(tmpdir(), "lineside-js-"));
  const ready = join(folder, "ready.json");
  const log = join(folder, "server.log");
  const output = openSync(log, "a");
  const server = ["up", "--data", join(folder, "data"), "--listen", "127.0.0.1:0", "--ready-file", ready];
  const watched = appears(folder, ready);
  const child = spawn(BINARY, [...server, ...flags], { stdio: ["ignore", output, output] });
  const ended = once(child, "exit");
  const failed = ended.then(([status]) => Promise.reject(new Error(`exited with ${status}\n${readFileSync(log)}`)));
  await Promise.race([watched, failed]);
  failed.catch(() => {}); // later exits are `stop`'s business
  const url = JSON.parse(readFileSync(ready)).endpoints.aws;
  return { url, sqs: client(url), advance: (span) => advance(url, span), stop: () => stop(child, ended, folder) };
}

/** Resolves when the file is there; it is renamed into place, so it is whole then. */
function appears(folder, file) {
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`no ${file} after ${READY_WITHIN} ms`)), READY_WITHIN);
    const watcher = watch(folder, () => {
      if (!existsSync(file)) return;
      clearTimeout(late);
      watcher.close();
      done();
    });
  });
}

async function stop(child, ended, folder) {
  child.kill("SIGTERM");
  const [status] = await ended;
  rmSync(folder, { recursive: true });
  return status;
}

async function advance(url, span) {
  const answer = await fetch(`${url}/_lineside/clock`, { method: "POST", body: JSON.stringify({ advance: span }) });
  if (!answer.ok) throw new Error(`clock: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** A client that never retries, so that a test sees each answer; it checks MD5s by itself. */
export function client(endpoint) {
  return new SQSClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
}
