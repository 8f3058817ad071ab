import { describe, expect, it, vi } from "vitest";
import * as sdk from "../src/index.js";
import { clientOf, engineOf, inTurn, KEY, NOTION, rejection, serve, withoutDelays } from "./support.js";

const LISTED = { json: { credentials: [] } };

describe("headers", () => {
  it("of the client and of a call are sent, over the SDK's own", async () => {
    const engine = await serve(inTurn(LISTED));
    const client = clientOf(engine, { defaultHeaders: { "X-Team": "a", "user-agent": "mine" } });
    await client.creds.list({ extraHeaders: { "x-team": "b" } });
    expect(engine.requests[0]?.headers).toMatchObject({
      "x-team": "b",
      "user-agent": "mine",
      "x-arcrun-api-key": KEY,
    });
  });

  it.each([
    { "X-Arcrun-Api-Key": "other" },
    { HOST: "x" },
    { "a b": "x" },
    { a: "x\ny" },
    { a: "文" },
    { a: 1 },
  ])("that cannot be sent are refused: %j", async (given) => {
    const headers = given as never;
    const engine = await serve(inTurn(LISTED));
    expect(() => clientOf(engine, { defaultHeaders: headers })).toThrow(sdk.ConfigurationError);
    await expect(clientOf(engine).creds.list({ extraHeaders: headers })).rejects.toThrow(
      sdk.ConfigurationError,
    );
    expect(engine.requests).toHaveLength(0);
  });
});

it("a call may be retried more or less often than the client says", async () => {
  withoutDelays();
  const engine = await serve(inTurn({ status: 503 }));
  await rejection(clientOf(engine).creds.list({ maxRetries: 0 }));
  expect(engine.requests).toHaveLength(1);
  await rejection(clientOf(engine, { maxRetries: 0 }).creds.list({ maxRetries: 1 }));
  expect(engine.requests).toHaveLength(3);
  await expect(clientOf(engine).creds.list({ maxRetries: -1 })).rejects.toThrow(sdk.ConfigurationError);
});

describe("request", () => {
  it("sends what no method sends yet", async () => {
    const engine = await serve(inTurn({ json: { runs: [1] } }));
    const client = clientOf(engine);
    expect(await client.request("GET", "/runs?status=%E5%A4%B1%E6%95%97%26")).toEqual({ runs: [1] });
    await client.request("POST", "/runs/r-1/retry", { body: { from: "a" } });
    expect(engine.requests).toMatchObject([
      { method: "GET", path: "/runs?status=%E5%A4%B1%E6%95%97%26", headers: { "x-arcrun-api-key": KEY } },
      { method: "POST", path: "/runs/r-1/retry", json: { from: "a" } },
    ]);
  });

  it("repeats what is safe to repeat", async () => {
    withoutDelays();
    const engine = await serve(inTurn({ status: 503 }));
    await rejection(clientOf(engine).request("PUT", "/x"));
    expect(engine.requests).toHaveLength(3);
    await rejection(clientOf(engine).request("POST", "/x"));
    expect(engine.requests).toHaveLength(4);
  });

  it.each(["//evil.example/x", "runs", "/a#b", "/a b", "/文", "/\\evil.example", "https://evil.example"])(
    "refuses the path %s",
    async (path) => {
      const engine = await serve(inTurn(LISTED));
      await expect(clientOf(engine).request("GET", path)).rejects.toThrow(sdk.InvalidArgumentError);
      expect(engine.requests).toHaveLength(0);
    },
  );
});

it.each(["false", "true", 1, 0])("allowInsecureHttp is true or false, and not %j", async (value) => {
  const engine = await serve(inTurn(LISTED));
  expect(() => clientOf(engine, { allowInsecureHttp: value as never })).toThrow(/allowInsecureHttp/);
});

it.each([1.5, "2"])("a run that may not be repeated %j times asks the engine nothing", async (given) => {
  const engine = await serve(inTurn(LISTED));
  const maxRetries = given as number;
  await expect(clientOf(engine).workflows.run("a", {}, { maxRetries })).rejects.toThrow(/maxRetries/);
  expect(engine.requests).toHaveLength(0);
});

describe("withOptions", () => {
  it("does not read the environment", async () => {
    const engine = await serve(inTurn(LISTED));
    const client = clientOf(engine, { credentialFormat: "sealed" });
    vi.stubEnv("ARCRUN_BASE_URL", "no URL");
    vi.stubEnv("ARCRUN_CREDENTIAL_FORMAT", "none");
    await client.withOptions({ apiKey: KEY }).creds.list();
    expect(engine.requests).toHaveLength(1);
    vi.unstubAllEnvs();
  });

  it.each(["a", ["a"], { a: 1 }])("refuses the headers %j", async (headers) => {
    const client = clientOf(await serve(inTurn(LISTED)));
    expect(() => client.withOptions({ defaultHeaders: headers as never })).toThrow(sdk.ConfigurationError);
  });

  it("of another key or engine shares no secret with this client", async () => {
    const one = await engineOf(NOTION);
    const two = await engineOf(NOTION);
    const client = clientOf(one);
    await client.auth.setup("notion", { notion_token: "canary" });
    const other = `ak_${"9".repeat(48)}`;
    for (const options of [{ apiKey: other }, { baseUrl: two.url }])
      await expect(client.withOptions(options).auth.bind("notion")).rejects.toThrow(sdk.MissingSecretError);
    expect(one.requests.at(-1)?.headers["x-arcrun-api-key"]).toBe(other);
    expect(two.requests.length).toBeGreaterThan(0);
    expect(await client.withOptions({ timeout: 5 }).auth.getToken("notion")).toBe("canary");
    const same = client.withOptions({ apiKey: KEY, baseUrl: `${one.url}/` });
    expect(await same.auth.getToken("notion")).toBe("canary");
    expect(() => client.withOptions({ baseUrl: "ftp://x" })).toThrow(sdk.ConfigurationError);
  });

  it("adds headers", async () => {
    const engine = await serve(inTurn(LISTED));
    const client = clientOf(engine, { defaultHeaders: { a: "1", b: "1" } });
    await client.withOptions({ defaultHeaders: { b: "2" } }).creds.list();
    expect(engine.requests[0]?.headers).toMatchObject({ a: "1", b: "2" });
  });
});

it("ARCRUN_LOG=debug tells of each request, and of no secret", async () => {
  withoutDelays();
  vi.stubEnv("ARCRUN_LOG", "debug");
  const lines: unknown[][] = [];
  vi.spyOn(console, "warn").mockImplementation((...line) => void lines.push(line));
  const engine = await serve(inTurn({ status: 503 }, { json: { name: "a" } }));
  const client = clientOf(engine, { defaultHeaders: { "x-a": "canary-1" } });
  await client.creds.push("a", "canary-2");
  await client.request("GET", "/x?q=canary-3");
  expect(lines).toEqual([
    [`arcrun: POST ${engine.url}/credentials, attempt 1: HTTP 503`],
    [`arcrun: POST ${engine.url}/credentials, attempt 2: HTTP 200`],
    [`arcrun: GET ${engine.url}/x, attempt 1: HTTP 200`],
  ]);
});

describe("errors name methods", () => {
  it.each<[string, (client: sdk.Arcrun) => Promise<unknown>]>([
    ["client.creds.list()", ({ creds }) => creds.list()],
    ["client.workflows.list()", ({ workflows }) => workflows.list()],
    ["client.auth.getToken()", ({ auth }) => auth.getToken("notion")],
    ["client.request()", (client) => client.request("GET", "/runs")],
  ])("%s could not be sent", async (name, call) => {
    const client = new sdk.Arcrun({ apiKey: KEY, baseUrl: "http://127.0.0.1:9", maxRetries: 0 });
    const error = await rejection(call(client));
    expect(error).toBeInstanceOf(sdk.APIConnectionError);
    expect(error.message.startsWith(`${name}: http://127.0.0.1:9 could not be reached`)).toBe(true);
  });

  it("and a wrong base URL is named", async () => {
    const engine = await serve(() => ({
      status: 404,
      json: { error: "there is no such route", code: "not_found" },
    }));
    const error = await rejection(clientOf(engine, { baseUrl: `${engine.url}/api` }).workflows.list());
    expect(error.message).toMatch(
      `there is no such route; nothing is at ${engine.url}/api/webhooks/named: is the base URL right?`,
    );
  });
});
