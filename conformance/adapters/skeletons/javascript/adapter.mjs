/**
 * An adapter for arcrun-conformance, with one method to begin with.
 *
 * The protocol is described in PROTOCOL.md of arcrun-conformance. Replace `Client` by your SDK, then add a method to
 * CAPABILITIES and to `call`, run the suite, and repeat.
 */

import { createInterface } from "node:readline";

const CAPABILITIES = ["health", "user_agent"];

/** Stands for the errors of your SDK: `name` is one of the names that PROTOCOL.md lists. */
class SdkError extends Error {
  constructor(name, message, status) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** Stands for the client of your SDK. */
class Client {
  constructor(options) {
    this.baseUrl = options.base_url.replace(/\/+$/, "");
  }

  /** Returns the engine's health. */
  async health() {
    const headers = { "User-Agent": "arcrun-javascript/0.1.0" };
    let response;
    try {
      response = await fetch(`${this.baseUrl}/health`, { headers });
    } catch (error) {
      throw new SdkError("connection", `no response from ${this.baseUrl}: ${error.cause ?? error}`);
    }
    if (response.ok) return await response.json();
    const name = response.status >= 500 ? "server" : "status";
    throw new SdkError(name, `the engine responded with ${response.status}`, response.status);
  }
}

const clients = new Map();

/** Returns what a method of the SDK returns. */
async function call(client, method, _arguments) {
  if (method === "health") return await client.health();
  throw new Error(`${method} is missing in this adapter`);
}

/** Returns the result of a command. */
async function carryOut(command) {
  switch (command.command) {
    case "start": {
      const sdk = { name: "SDK_NAME", version: "0.1.0", language: "javascript" };
      return { protocol: 1, sdk, runtime: `Node.js ${process.version}`, capabilities: CAPABILITIES };
    }
    case "construct":
      clients.set(command.client, new Client(command.options));
      return {};
    case "call":
      return await call(clients.get(command.client), command.method, command.arguments);
    case "reset":
      clients.clear();
      return {};
    default:
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const reply = { id: command.id };
  try {
    reply.result = await carryOut(command);
  } catch (error) {
    // Whatever is no error of the SDK is a failure of the adapter.
    if (error instanceof SdkError)
      reply.error = { name: error.name, class: "SdkError", message: error.message, status: error.status };
    else reply.failure = { message: String(error) };
  }
  console.log(JSON.stringify(reply));
  if (command.command === "stop") break;
}
