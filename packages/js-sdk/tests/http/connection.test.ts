import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { Arcrun } from "../../src/index.js";
import { clientOf, inspections, inTurn, KEY, rejection, serve } from "../support.js";

const LISTED = { json: { success: true, credentials: [], total: 0 } };

it("sends its own User-Agent, and the key only where it is needed", async () => {
  const engine = await serve(({ path }) =>
    path === "/health" ? { json: { ok: true } } : { json: { success: true, credentials: [] } },
  );
  const client = clientOf(engine);
  await client.health();
  await client.creds.list();
  const [health, list] = engine.requests;
  expect(health?.headers["user-agent"]).toBe(`arcrun-js/${sdk.version}`);
  expect(health?.headers).not.toHaveProperty("x-arcrun-api-key");
  expect(list?.headers["x-arcrun-api-key"]).toBe(KEY);
  expect(list?.headers).not.toHaveProperty("content-type");
});

it("sends no User-Agent in browsers, which would first ask the engine whether they may", async () => {
  vi.stubGlobal("navigator", { userAgent: "Mozilla/5.0 (X11; Linux x86_64)" });
  vi.resetModules();
  const { Arcrun } = await import("../../src/index.js");
  const engine = await serve(inTurn({ json: { ok: true } }));
  await new Arcrun({ baseUrl: engine.url }).health();
  expect(engine.requests[0]?.headers["user-agent"]).not.toContain("arcrun");
});

describe("no response", () => {
  it.each([
    ["whose body never ends", () => Promise.resolve(new Response(new ReadableStream()))],
    ["that never responds", () => new Promise<Response>(() => undefined)],
  ])("by a fetch %s, though it is aborted, is an APITimeoutError", async (_, fetch) => {
    const client = new Arcrun({ baseUrl: "https://engine.test", fetch, timeout: 0.05, maxRetries: 0 });
    expect(await rejection(client.health())).toBeInstanceOf(sdk.APITimeoutError);
  });

  it("in time is an APITimeoutError", async () => {
    const engine = await serve(() => undefined);
    const error = await rejection(clientOf(engine, { timeout: 0.05, maxRetries: 0 }).health());
    expect(error).toBeInstanceOf(sdk.APITimeoutError);
    expect(error).toBeInstanceOf(sdk.APIConnectionError);
    expect(error.message).toBe(`client.health(): ${engine.url} did not respond within 0.05 s`);
  });

  it("whose body does not arrive in time is an APITimeoutError", async () => {
    const engine = await serve((_, response) => {
      response.writeHead(200).write('{"ok":');
      return undefined;
    });
    const call = clientOf(engine, { maxRetries: 0 }).health({ timeout: 0.05 });
    await expect(call).rejects.toThrow(sdk.APITimeoutError);
  });

  it("at all is an APIConnectionError whose cause holds no key", async () => {
    const engine = await serve((_, response) => {
      response.destroy();
      return undefined;
    });
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).creds.list());
    expect(error).toBeInstanceOf(sdk.APIConnectionError);
    expect(error).not.toBeInstanceOf(sdk.APITimeoutError);
    expect(error.message).toMatch(
      /could not be reached, or closed the connection \(fetch failed: other side closed\)/,
    );
    expect((error.cause as Error).message).toBe("fetch failed");
    expect(inspections(error)).not.toContain(KEY);
  });

  it("because the caller aborted rejects with the signal's reason", async () => {
    const controller = new AbortController();
    const engine = await serve(() => {
      controller.abort(new Error("no longer needed"));
      return undefined;
    });
    const call = clientOf(engine).creds.list({ signal: controller.signal });
    await expect(call).rejects.toThrow("no longer needed");
    expect(engine.requests).toHaveLength(1);
  });

  it("is not waited for if the caller aborted before", async () => {
    const engine = await serve(inTurn(LISTED));
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(clientOf(engine).creds.list({ signal })).rejects.toThrow("too late");
    expect(engine.requests).toHaveLength(0);
  });
});

it("uses the fetch that it is given", async () => {
  const fetch = vi.fn(async () => Response.json({ ok: true, bundle_version: "1" }));
  const client = new Arcrun({ baseUrl: "https://engine.example", fetch });
  expect(await client.health()).toEqual({ ok: true, bundle_version: "1" });
  expect(fetch.mock.calls[0]).toEqual([
    "https://engine.example/health",
    expect.objectContaining({ redirect: "manual" }),
  ]);
});

it("returns the response next to the result", async () => {
  const engine = await serve(inTurn({ ...LISTED, headers: { "x-request-id": "req-7" } }));
  const raw = await clientOf(engine).withRawResponse((client) => client.creds.list());
  expect(raw).toMatchObject({ result: [], status: 200, attempts: 1, requestId: "req-7" });
  expect(JSON.parse(raw.content)).toEqual(LISTED.json);
});

it("shares its memory with clients of other options", async () => {
  const engine = await serve(() => undefined);
  const hasty = clientOf(engine, { timeout: 60 }).withOptions({ timeout: 0.05, maxRetries: 0 });
  await expect(hasty.health()).rejects.toThrow(sdk.APITimeoutError);
});

it("shows no key when a client is inspected", () => {
  const client = new Arcrun({ apiKey: KEY });
  expect(inspections(client)).not.toContain(KEY);
  expect(inspections(client.creds)).not.toContain(KEY);
});

describe("a runtime that lacks something", () => {
  it("fails at once without a fetch, and says so", async () => {
    const retried = vi.spyOn(globalThis, "setTimeout");
    vi.stubGlobal("fetch", undefined);
    const error = await rejection(new Arcrun({ apiKey: KEY, baseUrl: "http://127.0.0.1:9" }).creds.list());
    expect(error).toBeInstanceOf(sdk.ConfigurationError);
    expect(error.message).toMatch(/^this runtime has no fetch: pass one, as new Arcrun\(\{ fetch \}\)/);
    expect(retried).toHaveBeenCalledTimes(1); // the deadline of one attempt
  });

  it("fails without Web Crypto before anything is sent, and says so", async () => {
    const engine = await serve(inTurn(LISTED));
    vi.stubGlobal("crypto", { getRandomValues: () => undefined }); // as jsdom
    const error = await rejection(clientOf(engine).creds.push("a", "值"));
    expect(error).toBeInstanceOf(sdk.ConfigurationError);
    expect(error.message).toMatch(/^this runtime has no Web Crypto \(crypto\.subtle\)/);
    expect(engine.requests).toHaveLength(0);
  });
});

it("many calls may share one signal", async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", warned);
  const { signal } = new AbortController();
  const client = clientOf(await serve(inTurn(LISTED)));
  await Promise.all(Array.from({ length: 20 }, () => client.creds.list({ signal })));
  await new Promise(setImmediate); // when warnings are emitted
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});

it("a response that grows beyond the limit when it is decoded is refused, once", async () => {
  const zipped = gzipSync(`{"ok": true, "filler": "${"a".repeat(5_000_000)}"}`);
  const engine = await serve((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(zipped);
    return undefined;
  });
  const error = await rejection(clientOf(engine, { maxResponseBytes: 1_000_000 }).health());
  expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
  expect(error.message).toBe("the response is longer than 1000000 bytes: raise the option maxResponseBytes");
  expect(engine.requests).toHaveLength(1);
  expect((await clientOf(engine).health()).ok).toBe(true);
  expect(() => clientOf(engine, { maxResponseBytes: 0 })).toThrow(sdk.ConfigurationError);
});

it("a success that is not UTF-8 is no result, and an error keeps what can be read", async () => {
  const big5 = Buffer.from([...Buffer.from('{"ok": true, "a": "'), 0xa4, 0xa4, ...Buffer.from('"}')]);
  const engine = await serve((request, response) => {
    response.writeHead(request.path === "/health" ? 200 : 409).end(big5);
    return undefined;
  });
  const error = await rejection(clientOf(engine).health());
  expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
  expect(error.message).toBe("the response is not UTF-8");
  expect(await rejection(clientOf(engine).creds.list())).toBeInstanceOf(sdk.ConflictError);
});

describe("no framework or browser keeps a response", () => {
  it("where the runtime has the option", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    await clientOf(await serve(inTurn(LISTED))).creds.list();
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ cache: "no-store" });
  });

  it("and where it has not, the option is left out", async () => {
    vi.stubGlobal("Request", class {});
    vi.resetModules();
    const { Arcrun } = await import("../../src/index.js");
    const fetched = vi.spyOn(globalThis, "fetch");
    const engine = await serve(inTurn(LISTED));
    await new Arcrun({ apiKey: KEY, baseUrl: engine.url }).creds.list();
    expect(fetched.mock.calls[0]?.[1]).not.toHaveProperty("cache");
  });
});

it("a fetch whose responses have no stream can be used", async () => {
  const fetch = async () =>
    ({ status: 200, headers: new Headers(), text: async () => '{"ok": true}' }) as Response;
  expect((await new Arcrun({ fetch }).health()).ok).toBe(true);
});
