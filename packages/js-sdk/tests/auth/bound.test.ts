import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, NOTION, recipeOf, rejection, type Served, serve } from "../support.js";

const SECRET = "canary-0123-secret";

/** A service that responds with the path of the request. */
const echo = (): Promise<Served> => serve(({ path }) => ({ json: { path } }));

/** Binds to a local service whose recipe has this `inject`. */
async function bound(
  inject: object,
  options: { secret?: string; path?: string; more?: object; service?: Served } = {},
) {
  const service = options.service ?? (await echo());
  const engine = await engineOf(
    recipeOf("demo", service.url + (options.path ?? "/v1"), inject, options.more),
  );
  const client = clientOf(engine);
  await client.auth.setup<string>("demo", { demo_token: options.secret ?? "canary-0123" });
  return {
    client,
    service,
    engine,
    demo: await client.auth.bind<string>("demo", { trustOrigin: service.url }),
  };
}

describe("a bound client", () => {
  it("signs requests in, with the recipe's constant headers as defaults", async () => {
    const inject = { header: { Authorization: "Bearer {{secret.demo_token}}", "X-Version": "1" } };
    const { demo, service } = await bound(inject);
    const response = await demo.get("/pages", { query: { 頁: "一" } });
    expect(response).toBeInstanceOf(Response);
    expect(await response.json()).toEqual({ path: "/v1/pages?%E9%A0%81=%E4%B8%80" });
    expect(response.url).toBe(`${service.url}/v1/pages?%E9%A0%81=%E4%B8%80`);
    await demo.post("pages", { json: { 題: "好" }, headers: { "x-version": "2" } });
    await demo.post("pages", { json: {}, headers: { "Content-Type": "application/merge-patch+json" } });
    const [first, second, third] = service.requests;
    expect(first?.headers).toMatchObject({
      authorization: "Bearer canary-0123",
      accept: "*/*",
      "x-version": "1",
      "user-agent": `arcrun-js/${sdk.version}`,
    });
    expect(first?.headers).not.toHaveProperty("x-arcrun-api-key");
    expect(second).toMatchObject({ method: "POST", path: "/v1/pages", json: { 題: "好" } });
    expect(second?.headers).toMatchObject({ "content-type": "application/json", "x-version": "2" });
    expect(third?.headers).toMatchObject({ "content-type": "application/merge-patch+json" });
  });

  it("has a method for each verb, and a fetch that can be handed on", async () => {
    const { demo, service } = await bound({});
    await demo.get("/a");
    await demo.post("/a", { body: "文" });
    await demo.put("/a");
    await demo.patch("/a");
    await demo.delete("/a");
    await demo.request("OPTIONS", "/a");
    const { fetch } = demo;
    await fetch(new Request(`${service.url}/v1/b`, { method: "POST", body: "文", headers: { "x-a": "1" } }));
    await fetch(new URL(`${service.url}/v1/c`));
    expect(service.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /v1/a",
      "POST /v1/a",
      "PUT /v1/a",
      "PATCH /v1/a",
      "DELETE /v1/a",
      "OPTIONS /v1/a",
      "POST /v1/b",
      "GET /v1/c",
    ]);
    expect(service.requests[6]).toMatchObject({ text: "文", headers: { "x-a": "1" } });
  });

  it.each([
    ["Basic {{secret.demo_token}}:x", "a密b", `Basic ${Buffer.from("a密b:x").toString("base64")}`],
    ["Basic {{ secret.demo_token }}", "dXNlcjp4", "Basic dXNlcjp4"],
    ["{{secret.demo_token}}", "lin_key", "lin_key"],
  ])("writes %j", async (template, secret, expected) => {
    const { demo, service } = await bound({ header: { Authorization: template } }, { secret });
    await demo.get("/");
    expect(service.requests[0]?.headers.authorization).toBe(expected);
  });

  it("puts secrets into the query, in place of the user's own", async () => {
    const { demo, service } = await bound({ query: { key: "{{secret.demo_token}}" } }, { secret: "a/密&b" });
    await demo.get("/boards?key=mine&name=%E5%AD%97");
    expect(service.requests[0]?.path).toBe("/v1/boards?name=%E5%AD%97&key=a%2F%E5%AF%86%26b");
  });

  it("puts secrets into the path", async () => {
    const { demo, service } = await bound(
      { path: { bot_token: "{{secret.demo_token}}" } },
      { secret: "12:A/../b", path: "" },
    );
    const response = await demo.post("/bot{bot_token}/sendMessage", { json: { text: "字" } });
    expect(service.requests[0]?.path).toBe("/bot12%3AA%2F..%2Fb/sendMessage");
    expect(response.url).toBe(`${service.url}/bot%7Bbot_token%7D/sendMessage`);
  });

  it("fills in the placeholders of a path in one pass", async () => {
    const inject = { path: { a: "{{secret.demo_token}}", b: "{{secret.demo_other}}" } };
    const service = await echo();
    const more = { required_secrets: [{ key: "demo_token" }, { key: "demo_other" }] };
    const { auth } = clientOf(await engineOf(recipeOf("demo", service.url, inject, more)));
    await auth.setup<string>("demo", { demo_token: "{b}", demo_other: "{a}" });
    const demo = await auth.bind<string>("demo", { trustOrigin: service.url });
    await demo.get("/{a}/%7bb%7D/{c}");
    expect(service.requests[0]?.path).toBe("/%7Bb%7D/%7Ba%7D/%7Bc%7D");
  });

  it("puts secrets into JSON and forms, but into no other body", async () => {
    const { demo, service } = await bound({ body: { token: "{{secret.demo_token}}", n: 1 } });
    await demo.post("/a", { json: { text: "字", token: "mine" } });
    await demo.post("/a", { body: new URLSearchParams({ text: "字" }) });
    await demo.post("/a");
    await demo.get("/a");
    expect(service.requests[0]?.json).toEqual({ text: "字", token: "canary-0123", n: 1 });
    expect(service.requests[1]?.text).toBe("text=%E5%AD%97&token=canary-0123&n=1");
    expect(service.requests[2]?.json).toEqual({ token: "canary-0123", n: 1 });
    expect(service.requests[3]?.text).toBe("");
    for (const init of [{ body: "text" }, { json: [1] }, { body: new FormData() }])
      await expect(demo.post("/a", init)).rejects.toThrow(/the body must be a JSON object or a form/);
  });

  it("leaves out what an optional secret would fill", async () => {
    const inject = { header: { "X-A": "{{secret.demo_token}}", "X-B": "{{secret.demo_extra}}" } };
    const more = { required_secrets: [{ key: "demo_token" }, { key: "demo_extra", optional: true }] };
    const { demo, service } = await bound(inject, { more });
    await demo.get("/");
    expect(service.requests[0]?.headers).toMatchObject({ "x-a": "canary-0123" });
    expect(service.requests[0]?.headers).not.toHaveProperty("x-b");
  });

  it("gives up when no headers come in time, not when a body takes longer", async () => {
    const service = await serve(({ path }, response) => {
      if (path !== "/v1/slow") response.writeHead(200).write("一");
      setTimeout(() => response.end("二"), 150);
      return undefined;
    });
    const { demo } = await bound({}, { service });
    const late = await rejection(demo.get("/slow", { timeout: 0.05 }));
    expect(late).toMatchObject({ name: "TimeoutError", message: "no response within 0.05 s" });
    expect(await (await demo.get("/stream", { timeout: 0.05 })).text()).toBe("一二");
  });

  it("is ended by the caller's signal, also while the body is read", async () => {
    const service = await serve((_, response) => {
      response.writeHead(200).write("一");
      return undefined;
    });
    const { demo } = await bound({}, { service });
    const controller = new AbortController();
    const response = await demo.get("/", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(response.text()).rejects.toThrow("enough");
    await expect(demo.get("/", { signal: controller.signal })).rejects.toThrow("enough");
  });

  it("is carried by the fetch that bind is given", async () => {
    const engine = await engineOf(NOTION);
    const client = clientOf(engine);
    await client.auth.setup("notion", { notion_token: SECRET });
    const fetch = vi.fn(async (..._: Parameters<typeof globalThis.fetch>) => new Response("好"));
    const bound = await client.auth.bind("notion", { fetch });
    expect(await (await bound.get("/users")).text()).toBe("好");
    expect(fetch.mock.calls[0]?.[0]).toBe("https://api.notion.com/v1/users");
  });

  it.each([307, 308])("hands a %i to the user where the body can be read once", async (status) => {
    const service = await serve(() => ({ status, headers: { location: "/v1/next" } }));
    const { demo } = await bound({}, { service });
    const body = new Blob(["文"]).stream();
    const init = { method: "POST", body, duplex: "half", redirect: "follow" } as RequestInit;
    const response = await demo.fetch("/first", init);
    expect([response.status, response.headers.get("location")]).toEqual([status, "/v1/next"]);
    expect(service.requests.map(({ path, text }) => [path, text])).toEqual([["/v1/first", "文"]]);
  });

  it("hands on a redirect to what is not a URL, and does not follow it", async () => {
    const service = await serve(() => ({ status: 302, headers: { location: "http://[" } }));
    const { demo } = await bound({}, { service });
    expect((await demo.get("/")).headers.get("location")).toBe("http://[");
    await expect(demo.get("/", { redirect: "follow" })).rejects.toThrow(sdk.UnexpectedResponseError);
  });

  it.each([600, 999])("hands on a response with the status %i", async (status) => {
    const service = await serve(() => ({ status, text: "denied" }));
    const { demo } = await bound({}, { service });
    const response = await demo.get("/");
    const clone = response.clone();
    expect([response.status, response.ok, await response.text()]).toEqual([status, false, "denied"]);
    expect([clone.status, clone.ok, await clone.text()]).toEqual([status, false, "denied"]);
  });

  it("returns responses whose clones have the URL too", async () => {
    const { demo, service } = await bound({});
    const clone = (await demo.get("/a")).clone().clone();
    expect([clone.url, await clone.json()]).toEqual([`${service.url}/v1/a`, { path: "/v1/a" }]);
  });

  it("reads responses of a fetch that has no streams", async () => {
    const service = await echo();
    const engine = await engineOf(recipeOf("demo", service.url, {}));
    const { auth } = clientOf(engine);
    await auth.setup<string>("demo", { demo_token: "x" });
    const fetch = async () => {
      const response = new Response("文");
      return Object.defineProperty(response, "body", { value: undefined });
    };
    const demo = await auth.bind<string>("demo", { trustOrigin: service.url, fetch });
    expect(await (await demo.get("/")).text()).toBe("文");
  });

  it("sends nothing where the secret has no place in the path", async () => {
    const { demo, service } = await bound({ path: { bot_token: "{{secret.demo_token}}" } }, { path: "" });
    const error = await rejection(demo.get("/getMe"));
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(error.message).toBe(
      `this service takes its secret in the path, and '${service.url}/getMe' has no place for it: write {bot_token} where it goes`,
    );
    expect(service.requests).toHaveLength(0);
    expect((await demo.get("/bot{bot_token}/getMe")).status).toBe(200);
    const elsewhere = await echo();
    expect((await demo.get(`${elsewhere.url}/getMe`)).status).toBe(200);
  });

  it.each<[string, (demo: sdk.AuthenticatedClient) => Promise<unknown>]>([
    ["a URL", (demo) => demo.get("http://[")],
    ["JSON", (demo) => demo.post("/", { json: { a: Number.NaN } })],
  ])("says what is wrong with %s, and sends nothing", async (_, send) => {
    const { demo, service } = await bound({});
    await expect(send(demo)).rejects.toThrow(sdk.InvalidArgumentError);
    expect(service.requests).toHaveLength(0);
  });

  it("throws a typed error for a redirect that a browser hides", async () => {
    const engine = await engineOf(NOTION);
    const client = clientOf(engine);
    await client.auth.setup("notion", { notion_token: "canary" });
    const opaque = Object.defineProperty(Response.error(), "type", { value: "opaqueredirect" });
    const bound = await client.auth.bind("notion", { fetch: async () => opaque });
    const error = await rejection(bound.get("/users"));
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
    expect(error.message).toMatch(/api.notion.com\/v1\/users returned a redirect, which browsers hide/);
  });
});
