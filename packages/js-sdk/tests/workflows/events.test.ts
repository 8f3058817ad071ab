import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import * as sdk from "../../src/index.js";
import { eventParser } from "../../src/workflows/events.js";
import { clientOf, rejection, type Served, serve, withoutDelays } from "../support.js";

const RUN = "0123456789abcdef".repeat(2);
const HEALTH = { json: { ok: true, capabilities: ["durable_runs"] } };
const QUEUED = 'id: 0-0\nevent: status\ndata: {"status": "queued"}\n\n';
const NODE = 'id: 0-2\nevent: node\ndata: {"node": "讀", "status": "ok"}\n\n';
const ENDED = 'id: 1-0\nevent: status\ndata: {"status": "succeeded"}\n\n';
const SHOWN = [
  { id: "0-0", type: "status", status: "queued" },
  { id: "0-2", type: "node", node: "讀", status: "ok" },
  { id: "1-0", type: "status", status: "succeeded" },
];

type Stream = (response: ServerResponse) => void;

/** Starts an engine whose streams do one thing after the other, the last one again and again. */
function streaming(...streams: Stream[]): Promise<Served> {
  let next = 0;
  return serve(({ path }, response) => {
    if (path === "/health") return HEALTH;
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    streams[Math.min(next++, streams.length - 1)]?.(response);
    return undefined;
  });
}

const parts =
  (...texts: string[]): Stream =>
  (response) => {
    for (const text of texts) response.write(text);
    response.end();
  };

async function everything(events: AsyncIterable<sdk.RunEvent>): Promise<sdk.RunEvent[]> {
  const found = [];
  for await (const event of events) found.push(event);
  return found;
}

const asked = ({ requests }: Served): (string | undefined)[] =>
  requests
    .filter(({ path }) => path === `/runs/${RUN}/events`)
    .map(({ headers }) => headers["last-event-id"] as string | undefined);

it("events are yielded up to the end of the run", async () => {
  const engine = await streaming(parts(": hello\n\n", QUEUED + NODE, ENDED + NODE));
  expect(await everything(clientOf(engine).runs.events(RUN))).toEqual(SHOWN);
  expect(engine.requests.at(-1)?.headers.accept).toBe("text/event-stream");
  expect(asked(engine)).toEqual([undefined]);
});

it.each<[string, Stream]>([
  ["is closed", parts(QUEUED, NODE, NODE.slice(0, 20))],
  [
    "is lost",
    (response) => {
      response.write(QUEUED + NODE);
      setTimeout(() => response.destroy(), 50);
    },
  ],
])("a stream that %s goes on after the last event", async (_, cut) => {
  withoutDelays();
  const engine = await streaming(cut, parts(ENDED));
  expect(await everything(clientOf(engine).runs.events(RUN))).toEqual(SHOWN);
  expect(asked(engine)).toEqual([undefined, "0-2"]);
});

it("it begins after the event that is known", async () => {
  const engine = await streaming(parts(ENDED));
  expect(await everything(clientOf(engine).runs.events(RUN, { after: "0-2" }))).toEqual(SHOWN.slice(2));
  expect(asked(engine)).toEqual(["0-2"]);
});

it("an engine that never brings anything is not asked for ever", async () => {
  withoutDelays();
  const engine = await streaming(parts(": hello\n\n"));
  const error = await rejection(everything(clientOf(engine).runs.events(RUN)));
  expect(error).toBeInstanceOf(sdk.APIConnectionError);
  expect(error.message).toContain("ended the stream before the run had ended");
  expect(asked(engine)).toHaveLength(3);
});

it("without retries a lost connection is an error", async () => {
  const engine = await streaming(parts(QUEUED), parts(ENDED));
  const error = await rejection(everything(clientOf(engine).runs.events(RUN, { maxRetries: 0 })));
  expect(error).toBeInstanceOf(sdk.APIConnectionError);
  expect(asked(engine)).toHaveLength(1);
});

it("a run that is not there is an error", async () => {
  const engine = await serve(({ path }) =>
    path === "/health" ? HEALTH : { status: 404, json: { error: "no run", code: "run_not_found" } },
  );
  expect(await rejection(everything(clientOf(engine).runs.events(RUN)))).toBeInstanceOf(sdk.NotFoundError);
});

it("what is no stream is refused", async () => {
  const engine = await serve(({ path }) => (path === "/health" ? HEALTH : { json: {} }));
  const error = await rejection(everything(clientOf(engine).runs.events(RUN)));
  expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
  expect(error.message).toContain("no stream of events");
});

it.each(["data: {}\n\n", "id: 1\ndata: []\n\n", "id: 1\ndata: x\n\n"])(
  "%j is no event of a run",
  async (event) => {
    const engine = await streaming(parts(event));
    const error = await rejection(everything(clientOf(engine).runs.events(RUN)));
    expect(error.message).toContain("an event without an id");
  },
);

it("an event has a limit", async () => {
  const engine = await streaming(parts(`data: ${"x".repeat(2000)}`));
  const client = clientOf(engine, { maxResponseBytes: 1000 });
  const error = await rejection(everything(client.runs.events(RUN)));
  expect(error.message).toContain("longer than 1000 characters");
});

it("who leaves the loop closes the connection", async () => {
  let closed: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const engine = await streaming((response) => {
    response.write(QUEUED);
    response.on("close", closed);
  });
  for await (const event of clientOf(engine).runs.events(RUN)) {
    expect(event).toEqual(SHOWN[0]);
    break;
  }
  await left;
});

it("a signal ends it at once, with its reason", async () => {
  const engine = await streaming((response) => void response.write(QUEUED));
  const controller = new AbortController();
  const events = clientOf(engine).runs.events(RUN, { signal: controller.signal });
  expect((await events.next()).value).toEqual(SHOWN[0]);
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 20);
  expect(await rejection(events.next())).toBe(reason);
});

it("a stream on which nothing comes is a time-out", async () => {
  const engine = await streaming((response) => response.flushHeaders());
  const events = clientOf(engine).runs.events(RUN, { timeout: 0.2, maxRetries: 0 });
  expect(await rejection(everything(events))).toBeInstanceOf(sdk.APITimeoutError);
});

it.each(["", "a b", "讀", "a\nb", "x".repeat(129), 5 as unknown as string])(
  "%j is refused at once as what is known",
  async (after) => {
    const engine = await streaming(parts(ENDED));
    expect(() => clientOf(engine).runs.events(RUN, { after })).toThrow("after must be the id");
    expect(engine.requests).toEqual([]);
  },
);

it("an engine without runs is not asked", async () => {
  const engine = await serve(() => ({ json: { ok: true, capabilities: [] } }));
  const error = await rejection(everything(clientOf(engine).runs.events(RUN)));
  expect(error.message).toContain("durable_runs");
  expect(asked(engine)).toEqual([]);
});

const LINES = [
  "\ufeffid: 1",
  "event: status",
  "data: {",
  'data:  "讀": 1}',
  "",
  ": a comment",
  "",
  "data",
  "retry: 5",
  "unknown: x",
  "",
  "event: only a type",
  "",
  "id: a\0b",
  "id: 2",
  "data:no space",
  "",
];
const PARSED = [
  { id: "1", type: "status", data: '{\n "讀": 1}' },
  { id: "1", type: "message", data: "" },
  { id: "2", type: "message", data: "no space" },
];

it.each(["\n", "\r", "\r\n"])("events between %j are the same in whatever pieces they come", (end) => {
  const content = new TextEncoder().encode(LINES.join(end) + end);
  for (let split = 0; split <= content.length; split++) {
    const read = eventParser(1000);
    expect([...read(content.slice(0, split)), ...read(content.slice(split))]).toEqual(PARSED);
  }
  const byByte = eventParser(1000);
  expect([...content].flatMap((byte) => byByte(Uint8Array.of(byte)))).toEqual(PARSED);
});

it("the limit is that of one event", () => {
  const read = eventParser(20);
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (let n = 0; n < 10; n++) expect(read(bytes("data: 0123456\n\n"))).toHaveLength(1);
  expect(() => read(bytes("data: 01234567\ndata: 012345"))).toThrow("longer than 20 characters");
});
