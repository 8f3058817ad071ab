/** Loopback servers that record requests, and respond as a test tells them to. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { onTestFinished, vi } from "vitest";
import { Arcrun, type ArcrunOptions } from "../src/index.js";

export const KEY = `ak_${"0123456789abcdef".repeat(3)}`;

/** A request as it arrived. */
export interface Arrived {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the test expects in it
  json: any;
}

/** What a server responds with. */
export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
}

type Handler = (request: Arrived, response: ServerResponse) => Reply | undefined | Promise<Reply | undefined>;

export interface Served {
  url: string;
  requests: Arrived[];
}

/** Starts a server for the rest of the test. A handler that returns undefined responds by itself, or not at all. */
export async function serve(handler: Handler): Promise<Served> {
  const requests: Arrived[] = [];
  const server = createServer(async (request, response) => {
    const arrived = await arrivedFrom(request);
    requests.push(arrived);
    const reply = await handler(arrived, response);
    if (!reply) return;
    const { status = 200, headers = {}, json, text = json === undefined ? "" : JSON.stringify(json) } = reply;
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

async function arrivedFrom(request: IncomingMessage): Promise<Arrived> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // not JSON
  }
  const { method = "", url: path = "", headers } = request;
  return { method, path, headers, text, json };
}

/** Responds with one reply after the other, with the last one again and again. */
export const inTurn = (...replies: Reply[]): Handler => {
  let next = 0;
  return () => replies[Math.min(next++, replies.length - 1)];
};

/** Returns a client of a server, with the key. */
export const clientOf = (served: Served, options: ArcrunOptions = {}): Arcrun =>
  new Arcrun({ apiKey: KEY, baseUrl: served.url, ...options });

/** Makes retries happen without delay. */
export const withoutDelays = (): void => {
  vi.spyOn(Math, "random").mockReturnValue(0);
};

/** Returns the error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("the promise was fulfilled");
}

/** Returns everything that logging or inspecting a value may show. */
export function inspections(value: unknown): string {
  const shown = [
    inspect(value, { showHidden: true, depth: 12 }),
    String(value),
    JSON.stringify(value),
    String((value as Error)?.stack),
    inspect((value as Error)?.cause, { showHidden: true, depth: 12 }),
  ];
  try {
    shown.push(inspect(structuredClone(value), { depth: 12 }));
  } catch {
    // what can't be cloned shows nothing
  }
  return shown.join("\n");
}

/** Returns an auth recipe. */
export const recipeOf = (service: string, baseUrl: string, inject: object, more: object = {}): object => ({
  kind: "auth_recipe",
  service,
  version: 1,
  primitive: "static_key",
  base_url: baseUrl,
  required_secrets: [{ key: `${service}_token`, help_url: "https://example.com/help" }],
  inject,
  ...more,
});

/** The auth recipe of notion. */
export const NOTION = recipeOf("notion", "https://api.notion.com/v1", {
  header: { Authorization: "Bearer {{secret.notion_token}}", "Notion-Version": "2022-06-28" },
});

/** Starts an engine with one recipe, which stores what is pushed, unless `refuses` is set, and returns no secret. */
export async function engineOf(recipe: object): Promise<Served & { refuses: boolean }> {
  const engine = { ...(await serve(respond)), refuses: false };
  return engine;
  function respond({ method, path, json }: Arrived): Reply {
    if (path.startsWith("/auth-recipes/")) return { json: { success: true, recipe } };
    if (method !== "POST" || path !== "/credentials")
      return { status: 404, json: { error: "not found", code: "not_found" } };
    return engine.refuses
      ? { status: 403, json: { error: "no" } }
      : { json: { success: true, name: json.name } };
  }
}
