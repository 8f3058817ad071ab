import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { type APIStatusError, Arcrun } from "../../src/index.js";
import { clientOf, inTurn, KEY, looks, rejection, serve } from "../support.js";

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

const CLASSES: Record<string, unknown> = { ...sdk };

describe("an error response", () => {
  it.each([
    [400, "BadRequestError"],
    [401, "AuthenticationError"],
    [403, "PermissionDeniedError"],
    [404, "NotFoundError"],
    [409, "ConflictError"],
    [418, "APIStatusError"],
    [429, "RateLimitError"],
    [500, "ServerError"],
    [503, "ServerError"],
  ] as const)("with status %s becomes a %s that has everything the engine reports", async (status, name) => {
    const engine = await serve(
      inTurn({
        status,
        headers: { "x-request-id": "req-1" },
        json: {
          error: "不行",
          code: "some_code",
          requires: ["x"],
          details: [{ path: "graph.nodes[0]", message: "no type", suggestion: "Input" }],
          next_actions: ["try again"],
        },
      }),
    );
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).creds.list());
    expect(error).toBeInstanceOf(CLASSES[name]);
    expect(error).toBeInstanceOf(sdk.APIStatusError);
    expect(error.name).toBe(name);
    expect(error).toMatchObject({
      status,
      code: "some_code",
      requestId: "req-1",
      engineMessage: "不行",
      requires: ["x"],
      nextActions: ["try again"],
    });
    expect(error.message).toBe(
      `不行 (HTTP ${status}, some_code, request req-1)\n  graph.nodes[0]: no type (Input)\n  → try again`,
    );
    expect(JSON.parse(error.body as string).code).toBe("some_code");
  });

  it.each([
    [{ error: "字" }, "字"],
    [{ success: false, error: "字" }, "字"],
    [{ ok: false, error_code: "c", human_message: "字" }, "字"],
    [{ error: { message: "字" } }, "字"],
    [{ detail: "字" }, "字"],
    [{ valid: false, errors: ["字", "畫"] }, "字; 畫"],
    [[1], "the engine returned an error without a message"],
    [{ error: 5 }, "the engine returned an error without a message"],
  ])("of the shape %j gives its message", async (json, message) => {
    const engine = await serve(inTurn({ status: 400, json }));
    const error = (await rejection(clientOf(engine).creds.list())) as unknown as APIStatusError;
    expect(error.engineMessage).toBe(message);
  });

  it.each([
    ["Internal  Server\nError", "Internal Server Error"],
    ["<html>gateway</html>", "the engine returned an error without a message"],
    ["", "the engine returned an error without a message"],
    ["長".repeat(400), `${"長".repeat(300)}…`],
  ])("in plain text: %j", async (text, message) => {
    const engine = await serve(inTurn({ status: 404, text, headers: { "content-type": "text/plain" } }));
    expect((await rejection(clientOf(engine).creds.list())).message).toBe(`${message} (HTTP 404)`);
  });

  it("that repeats the key or a plain value is blanked out", async () => {
    const engine = await serve(({ headers, json }) => ({
      status: 400,
      json: { error: `bad: ${headers["x-arcrun-api-key"]} ${json?.value}` },
    }));
    const client = clientOf(engine, { credentialFormat: "plain" });
    const error = await rejection(client.creds.push("tok", "sk-密鑰-canary"));
    expect(error.message).toBe("bad: *** *** (HTTP 400)");
    expect(looks(error) + error.body).not.toMatch(/canary|密鑰|0123456789abcdef/);
  });
});

describe("a response that no engine returns", () => {
  it.each([
    [
      "not JSON",
      { text: "<html>", headers: { "content-type": "text/html" } },
      /the response is not a JSON object \(HTTP 200\)/,
    ],
    ["a list", { json: [] }, /the response is not a JSON object \(HTTP 200\)/],
    ["another shape", { json: { success: true } }, /no field 'credentials' of type list/],
    [
      "a redirect",
      { status: 302, headers: { location: "https://elsewhere.example" } },
      /returned a redirect \(302\) to https:\/\/elsewhere.example, which the SDK does not follow/,
    ],
  ])("%s is an UnexpectedResponseError", async (_, reply, message) => {
    const engine = await serve(inTurn(reply));
    const error = await rejection(clientOf(engine).creds.list());
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
    expect(error.message).toMatch(message);
    expect(engine.requests).toHaveLength(1);
  });
});

describe("no response", () => {
  it("in time is an APITimeoutError", async () => {
    const engine = await serve(() => undefined);
    const error = await rejection(clientOf(engine, { timeout: 0.05, maxRetries: 0 }).health());
    expect(error).toBeInstanceOf(sdk.APITimeoutError);
    expect(error).toBeInstanceOf(sdk.APIConnectionError);
    expect(error.message).toBe(`GET ${engine.url}/health: the engine did not respond in time`);
  });

  it("whose body does not arrive in time is an APITimeoutError", async () => {
    const engine = await serve((_, response) => {
      response.writeHead(200).write('{"ok":');
      return undefined;
    });
    const call = clientOf(engine, { maxRetries: 0 }).health({ timeout: 0.05 });
    await expect(call).rejects.toThrow(sdk.APITimeoutError);
  });

  it("at all is an APIConnectionError with a cause that holds nothing", async () => {
    const engine = await serve((_, response) => {
      response.destroy();
      return undefined;
    });
    const error = await rejection(clientOf(engine, { maxRetries: 0 }).creds.list());
    expect(error).toBeInstanceOf(sdk.APIConnectionError);
    expect(error).not.toBeInstanceOf(sdk.APITimeoutError);
    expect(error.message).toMatch(
      /could not be reached, or the connection broke off \(fetch failed: other side closed\)/,
    );
    expect((error.cause as Error).message).toBe("fetch failed");
    expect(looks(error)).not.toContain(KEY);
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

it("shows no key, however one looks at a client", () => {
  const client = new Arcrun({ apiKey: KEY });
  expect(looks(client)).not.toContain(KEY);
  expect(looks(client.creds)).not.toContain(KEY);
});
