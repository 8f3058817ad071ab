import { beforeEach, describe, expect, it, vi } from "vitest";
import { backoff, retryAfter } from "../../src/http/retry.js";
import * as sdk from "../../src/index.js";
import { clientOf, inTurn, KEY, rejection, serve, withoutDelays } from "../support.js";

const HEALTHY = { json: { ok: true } };
const IDEMPOTENT = { json: { ok: true, capabilities: ["idempotency_key"] } };
const RAN = { json: { success: true, data: { text: "好" }, duration_ms: 1 } };

beforeEach(withoutDelays);

it.each([408, 429, 500, 502, 503, 504])("retries a GET after %s", async (status) => {
  const engine = await serve(inTurn({ status }, { status }, HEALTHY));
  expect(await clientOf(engine).health()).toEqual({ ok: true });
  expect(engine.requests).toHaveLength(3);
});

it.each([400, 401, 403, 404, 409, 501])("does not retry after %s", async (status) => {
  const engine = await serve(inTurn({ status }, HEALTHY));
  await expect(clientOf(engine).health()).rejects.toThrow(sdk.APIStatusError);
  expect(engine.requests).toHaveLength(1);
});

it("gives up after two retries, or as many as maxRetries allows", async () => {
  const engine = await serve(inTurn({ status: 503 }));
  await expect(clientOf(engine).health()).rejects.toThrow(sdk.ServerError);
  expect(engine.requests).toHaveLength(3);
  await expect(clientOf(engine, { maxRetries: 0 }).health()).rejects.toThrow(sdk.ServerError);
  expect(engine.requests).toHaveLength(4);
  const raw = await rejection(clientOf(engine).withOptions({ maxRetries: 1 }).health());
  expect(raw).toBeInstanceOf(sdk.ServerError);
  expect(engine.requests).toHaveLength(6);
});

it("retries after a broken connection", async () => {
  let times = 0;
  const engine = await serve((_, response) => {
    if (++times > 1) return HEALTHY;
    response.destroy();
    return undefined;
  });
  expect(await clientOf(engine).health()).toEqual({ ok: true });
});

it("retries pushes, which replace what is there", async () => {
  const engine = await serve(inTurn({ status: 502 }, { json: { success: true, name: "tok" } }));
  expect(await clientOf(engine).creds.push("tok", "秘密")).toMatchObject({ name: "tok" });
  expect(engine.requests[1]?.text).toBe(engine.requests[0]?.text);
});

describe("a DELETE of what is gone", () => {
  const gone = { status: 404, json: { error: "gone", code: "credential_not_found" } };

  it("is an error at first", async () => {
    const engine = await serve(inTurn(gone));
    await expect(clientOf(engine).creds.delete("tok")).rejects.toThrow(sdk.NotFoundError);
  });

  it("is success after a retry", async () => {
    const engine = await serve(inTurn({ status: 503 }, gone));
    expect(await clientOf(engine).creds.delete("tok")).toEqual({ name: "tok", success: true });
    const other = await serve(inTurn({ status: 503 }, gone));
    expect(await clientOf(other).workflows.delete("wf")).toEqual({ name: "wf", deleted: true });
  });
});

describe("a run", () => {
  const engineWith = (health: object, ...replies: object[]) => {
    const next = inTurn(...replies);
    return serve((request, response) =>
      request.path === "/health" ? { json: health } : next(request, response),
    );
  };
  const triggers = (engine: { requests: { path: string }[] }) =>
    engine.requests.filter(({ path }) => path.endsWith("/trigger")).length;

  it("is not retried if the engine would run it twice", async () => {
    const engine = await engineWith({ ok: true }, { status: 503 }, RAN);
    await expect(clientOf(engine).workflows.run("wf")).rejects.toThrow(sdk.ServerError);
    expect(triggers(engine)).toBe(1);
    expect(engine.requests.at(-1)?.headers).not.toHaveProperty("idempotency-key");
  });

  it("is retried under one key if the engine recognizes retries", async () => {
    const engine = await engineWith(IDEMPOTENT.json, { status: 503 }, RAN);
    const client = clientOf(engine);
    expect(await client.workflows.run("wf", { 字: "好" })).toEqual(RAN.json);
    const [, first, second] = engine.requests;
    expect(first?.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{32,36}$/);
    expect(second?.headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
    await client.workflows.run("wf");
    expect(engine.requests.filter(({ path }) => path === "/health")).toHaveLength(1);
    expect(engine.requests.at(-1)?.headers["idempotency-key"]).not.toBe(first?.headers["idempotency-key"]);
  });

  it("does not ask the engine when there are no retries anyway", async () => {
    const engine = await engineWith(IDEMPOTENT.json, RAN);
    await clientOf(engine, { maxRetries: 0 }).workflows.run("wf");
    expect(engine.requests).toHaveLength(1);
  });

  it("is sent without a key if the health request fails; the next run asks again", async () => {
    let health = 0;
    const engine = await serve(({ path }) => {
      if (path !== "/health") return RAN;
      return ++health === 1 ? { status: 500 } : IDEMPOTENT;
    });
    const client = clientOf(engine);
    await client.workflows.run("wf");
    expect(engine.requests.at(-1)?.headers).not.toHaveProperty("idempotency-key");
    await client.workflows.run("wf");
    expect(engine.requests.at(-1)?.headers).toHaveProperty("idempotency-key");
  });

  it.each([
    ["failure", { success: false, error: "Node 茶 failed", failed_node: "茶" }, "WorkflowRunError"],
    ["pause", { error: "workflow paused at node 等 waiting for task t-1" }, "WorkflowPaused"],
  ] as const)("that reports its own %s is not retried", async (_, json, name) => {
    const engine = await engineWith(IDEMPOTENT.json, { status: 500, json });
    const error = await rejection(clientOf(engine).workflows.run("wf"));
    expect(error.name).toBe(name);
    expect(triggers(engine)).toBe(1);
  });
});

describe("a runtime that retries by itself when a kept connection breaks", () => {
  const calls = async () => {
    const fetch = vi.fn(async (url: unknown, _init?: RequestInit) =>
      String(url).endsWith("/trigger")
        ? Response.json(RAN.json)
        : Response.json({ ok: true, deleted: true, name: "wf" }),
    );
    const { Arcrun } = await import("../../src/index.js");
    const client = new Arcrun({ apiKey: KEY, baseUrl: "https://engine.example", fetch: fetch as never });
    await client.health();
    await client.workflows.run("wf");
    await client.workflows.delete("wf");
    return fetch.mock.calls.map(([, init]) => init as RequestInit & { client?: object });
  };

  it("is kept from it where a retry could do harm", async () => {
    const [health, run, deletion] = await calls();
    expect(health).not.toHaveProperty("keepalive");
    expect([run?.keepalive, deletion?.keepalive]).toEqual([false, false]);
    expect(run).not.toHaveProperty("client");
  });

  it("gets a client that keeps no connection in Deno, always the same", async () => {
    const createHttpClient = vi.fn(() => ({}));
    vi.stubGlobal("Deno", { createHttpClient });
    vi.resetModules();
    const [health, run, deletion] = await calls();
    expect(createHttpClient).toHaveBeenCalledExactlyOnceWith({ poolMaxIdlePerHost: 0 });
    expect(health).not.toHaveProperty("client");
    expect(run?.client).toBeDefined();
    expect(deletion?.client).toBe(run?.client);
  });
});

it("can be aborted between two attempts", async () => {
  vi.mocked(Math.random).mockReturnValue(1);
  const controller = new AbortController();
  const engine = await serve(() => {
    setTimeout(() => controller.abort(new Error("enough")), 20);
    return { status: 503, headers: { "retry-after": "60" } };
  });
  await expect(clientOf(engine).health({ signal: controller.signal })).rejects.toThrow("enough");
  expect(engine.requests).toHaveLength(1);
});

describe("the delay", () => {
  it("doubles from half a second to eight, with full jitter", () => {
    vi.mocked(Math.random).mockReturnValue(1);
    expect([0, 1, 2, 3, 4, 5, 50].map(backoff)).toEqual([0.5, 1, 2, 4, 8, 8, 8]);
    vi.mocked(Math.random).mockReturnValue(0.25);
    expect(backoff(1)).toBe(0.25);
  });

  it.each([
    [{ "retry-after": "3" }, 3],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after-ms": "250" }, 0.25],
    [{ "retry-after-ms": "250", "retry-after": "9" }, 0.25],
    [{ "retry-after": "-1" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": "0x1E" }, undefined],
    [{ "retry-after": "1e3" }, undefined],
    [{ "retry-after": "9".repeat(400) }, undefined],
    [{}, undefined],
    [{ "retry-after": "Thu, 01 Jan 1970 00:00:01 GMT" }, 0],
  ])("is what the engine asks for: %j", (headers, seconds) => {
    expect(retryAfter(new Headers(headers))).toBe(seconds);
  });

  it.each(["America/New_York", "Asia/Taipei"])("reads a date without a zone as GMT in %s", (zone) => {
    vi.stubEnv("TZ", zone);
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1), toFake: ["Date"] });
    try {
      expect(retryAfter(new Headers({ "retry-after": "Thu Jan  1 00:00:30 2026" }))).toBe(30);
    } finally {
      vi.useRealTimers();
      vi.unstubAllEnvs();
    }
  });

  it("until a date is what is left", () => {
    const date = new Date(Date.now() + 30_000).toUTCString();
    const seconds = retryAfter(new Headers({ "retry-after": date }));
    expect(seconds).toBeGreaterThan(25);
    expect(seconds).toBeLessThanOrEqual(30);
  });

  it("that the engine asks for is a minute at most", async () => {
    const engine = await serve(inTurn({ status: 429, headers: { "retry-after": "86400" } }, HEALTHY));
    const set = vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms: number) => {
      if (ms === 60_000) queueMicrotask(run);
    }) as never);
    await clientOf(engine, { timeout: 7 }).health();
    expect(set.mock.calls.map(([, ms]) => ms)).toContain(60_000);
  });
});
