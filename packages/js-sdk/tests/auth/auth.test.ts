import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, inTurn, looks, recipeOf, rejection, type Served, serve } from "../support.js";

const SECRET = "canary-0123-secret";
const BEARER = {
  header: { Authorization: "Bearer {{secret.notion_token}}", "Notion-Version": "2022-06-28" },
};
const notion = recipeOf("notion", "https://api.notion.com/v1", BEARER);

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
  await client.auth.setup("demo", { demo_token: options.secret ?? "canary-0123" });
  return { client, service, engine, demo: await client.auth.bind("demo", { trustOrigin: service.url }) };
}

describe("setup", () => {
  it("stores each secret sealed, under its key and for its service", async () => {
    const engine = await engineOf(notion);
    const client = clientOf(engine);
    const result = await client.auth.setup("notion", { notion_token: SECRET });
    expect(result).toEqual({ service: "notion", account: null, stored: ["notion_token"] });
    expect(engine.requests[1]?.json).toEqual({
      name: "notion_token",
      encrypted: expect.any(String),
      iv: expect.any(String),
      service: "notion",
    });
    expect(JSON.stringify(engine.requests)).not.toContain(SECRET);
    expect(looks(client)).not.toContain(SECRET);
  });

  it("keeps accounts apart", async () => {
    const engine = await engineOf(notion);
    const { auth } = clientOf(engine);
    const result = await auth.setup("notion", { notion_token: SECRET }, { account: "work" });
    expect(result).toEqual({ service: "notion", account: "work", stored: ["notion_token__work"] });
    expect(await auth.getToken("notion", { account: "work" })).toBe(SECRET);
    await expect(auth.getToken("notion")).rejects.toThrow(sdk.MissingSecretError);
  });

  it.each([
    [{}, /also needs notion_token \(https:\/\/example.com\/help\)/],
    [
      { notion_token: SECRET, notion_tokn: "x" },
      /takes no secret 'notion_tokn'; did you mean 'notion_token'\?/,
    ],
    [{ notion_token: "" }, /notion_token must be non-empty text/],
    [{ notion_token: 5 }, /notion_token must be non-empty text/],
    [{ notion_token: `${SECRET}\n` }, /the header Authorization has a line break/],
    [{ notion_token: "\ud800" }, /must be non-empty text/],
  ])("refuses %j before anything is stored", async (secrets, message) => {
    const engine = await engineOf(notion);
    const error = await rejection(clientOf(engine).auth.setup("notion", secrets as never));
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(error.message).toMatch(message);
    expect(looks(error)).not.toContain(SECRET);
    expect(engine.requests.filter(({ method }) => method === "POST")).toHaveLength(0);
  });

  it("that fails half-way reports what was stored", async () => {
    const recipe = recipeOf(
      "twilio",
      "https://api.twilio.com",
      {},
      {
        required_secrets: [{ key: "twilio_account_sid" }, { key: "twilio_auth_token" }],
      },
    );
    const engine = await serve(({ path, json }) => {
      if (path !== "/credentials") return { json: { success: true, recipe } };
      if (json.name === "twilio_account_sid") return { json: { success: true, name: json.name } };
      return { status: 403, json: { error: "no more" } };
    });
    const setup = clientOf(engine).auth.setup("twilio", { twilio_account_sid: "a", twilio_auth_token: "b" });
    const error = await rejection(setup);
    expect(error).toBeInstanceOf(sdk.PermissionDeniedError);
    expect(error["stored"]).toEqual(["twilio_account_sid"]);
    expect(error.message).toContain(
      "stored before: twilio_account_sid. Calling auth.setup('twilio') again completes it",
    );
  });

  it("of an unknown service suggests the nearest one", async () => {
    const engine = await serve(inTurn({ status: 404, json: { error: "none", code: "service_not_found" } }));
    const error = await rejection(clientOf(engine).auth.setup("notoin", { a: "b" }));
    expect(error).toBeInstanceOf(sdk.UnknownServiceError);
    expect(error.message).toMatch(
      /^there is no auth recipe for 'notoin'; did you mean 'notion'\? \(HTTP 404/,
    );
  });

  it.each(["Notion", "no tion", "", "../x"])("of the service %j is refused", async (service) => {
    await expect(new sdk.Arcrun().auth.setup(service, {})).rejects.toThrow(sdk.InvalidArgumentError);
  });
});

describe("a credential", () => {
  it("is not pushed to an engine that takes plain values only; the error names the opt-in", async () => {
    const engine = await serve(inTurn({ status: 400, json: { error: "value 必填" } }));
    const error = await rejection(clientOf(engine).creds.push("tok", SECRET));
    expect(error).toBeInstanceOf(sdk.SealedCredentialsUnsupportedError);
    expect(error.message).toContain(
      'new Arcrun({ credentialFormat: "plain" }) or ARCRUN_CREDENTIAL_FORMAT=plain',
    );
    expect(engine.requests).toHaveLength(1);
  });

  it("is sent plain if the client is configured so", async () => {
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    const client = clientOf(engine, { credentialFormat: "plain" });
    await client.creds.push("tok", SECRET, { service: "notion", sensitivity: "high" });
    expect(engine.requests[0]?.json).toEqual({
      name: "tok",
      value: SECRET,
      service: "notion",
      sensitivity: "high",
    });
  });

  it.each(["", "a-b", "a b", "密鑰", "a\n", "catalog", "CATALOG", 5])(
    "of the name %j is refused",
    async (name) => {
      const { creds } = new sdk.Arcrun();
      await expect(creds.push(name as string, "x")).rejects.toThrow(sdk.InvalidArgumentError);
      await expect(creds.delete(name as string)).rejects.toThrow(sdk.InvalidArgumentError);
    },
  );

  it("whose name differs in case only causes a warning", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const engine = await serve(inTurn({ json: { success: true, name: "Tok" } }));
    const { creds } = clientOf(engine);
    await creds.push("Tok", SECRET);
    expect(warn).not.toHaveBeenCalled();
    await creds.push("tok", SECRET);
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining("'tok' and 'Tok' differ in case only"),
    );
  });

  it.each([
    ["ak_0123456789abcdef0123456789abcdef", 0],
    ["ak_0123456789abcdef", 1],
    ["sk_0123456789abcdef0123456789abcdef", 1],
    ["ak_0123456789abcdef0123456789abcdeg", 1],
  ])("under the key %s warns %s times", async (apiKey, times) => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    await clientOf(engine, { apiKey }).creds.push("tok", SECRET);
    expect(warn).toHaveBeenCalledTimes(times);
  });

  it("under a weak key causes one warning, without the key", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const engine = await serve(inTurn({ json: { success: true, name: "tok" } }));
    const { creds } = clientOf(engine, { apiKey: "ak_weak-canary" });
    await creds.push("tok", SECRET);
    await creds.push("tok", SECRET);
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0]?.[0]).toMatch(/too weak to seal/);
    expect(warn.mock.calls[0]?.[0]).not.toContain("canary");
  });
});

describe("a secret is found", () => {
  const engineWith = (envelope?: object) =>
    serve(({ path }) => {
      if (path.startsWith("/auth-recipes/")) return { json: { success: true, recipe: notion } };
      return envelope ? { json: envelope } : { status: 404, json: { error: "none" } };
    });

  it("by a sealed read, once", async () => {
    const { seal } = await import("../../src/core/sealing.js");
    const { KEY } = await import("../support.js");
    const sealed = await seal(
      () => KEY,
      "notion_token",
      () => SECRET,
    );
    const engine = await engineWith({ name: "notion_token", ...sealed });
    const { auth } = clientOf(engine);
    expect(await auth.getToken("notion")).toBe(SECRET);
    expect(await auth.getToken("notion")).toBe(SECRET);
    expect(engine.requests.map(({ path }) => path)).toEqual([
      "/auth-recipes/notion",
      "/credentials/notion_token",
    ]);
  });

  it("in the environment, when the engine responds with something else", async () => {
    vi.stubEnv("ARCRUN_SECRET_NOTION_TOKEN", SECRET);
    const engine = await engineWith({ success: true, credentials: [], total: 0 });
    expect(await clientOf(engine).auth.getToken("notion")).toBe(SECRET);
  });

  it("nowhere: the error tells how to supply it", async () => {
    const error = await rejection(clientOf(await engineWith()).auth.bind("notion", { account: "work" }));
    expect(error).toBeInstanceOf(sdk.MissingSecretError);
    expect(error["missing"]).toEqual(["notion_token__work"]);
    expect(error.message).toBe(
      `'notion' needs notion_token__work: run client.auth.setup('notion', { notion_token: "…" }, { account: 'work' }), or set ARCRUN_SECRET_NOTION_TOKEN__WORK`,
    );
  });

  it("no more after a push of another value, or a deletion", async () => {
    const engine = await serve(({ method, path, json }) => {
      if (path.startsWith("/auth-recipes/")) return { json: { success: true, recipe: notion } };
      if (method === "GET") return { status: 404, json: {} };
      return { json: { success: true, name: json?.name ?? "notion_token" } };
    });
    const { auth, creds } = clientOf(engine);
    for (const change of [() => creds.push("notion_token", "new"), () => creds.delete("notion_token")]) {
      await auth.setup("notion", { notion_token: SECRET });
      await change();
      await expect(auth.getToken("notion")).rejects.toThrow(sdk.MissingSecretError);
    }
  });
});

describe("a bound client", () => {
  it("signs requests in, with the recipe's constant headers as defaults", async () => {
    const inject = { header: { Authorization: "Bearer {{secret.demo_token}}", "X-Version": "1" } };
    const { demo, service } = await bound(inject);
    const response = await demo.get("/pages", { query: { 頁: "一" } });
    expect(response).toBeInstanceOf(Response);
    expect(await response.json()).toEqual({ path: "/v1/pages?%E9%A0%81=%E4%B8%80" });
    expect(response.url).toBe(`${service.url}/v1/pages?%E9%A0%81=%E4%B8%80`);
    await demo.post("pages", { json: { 題: "好" }, headers: { "x-version": "2" } });
    const [first, second] = service.requests;
    expect(first?.headers).toMatchObject({
      authorization: "Bearer canary-0123",
      accept: "*/*",
      "x-version": "1",
      "user-agent": `arcrun-js/${sdk.version}`,
    });
    expect(first?.headers).not.toHaveProperty("x-arcrun-api-key");
    expect(second).toMatchObject({ method: "POST", path: "/v1/pages", json: { 題: "好" } });
    expect(second?.headers).toMatchObject({ "content-type": "application/json", "x-version": "2" });
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
    await auth.setup("demo", { demo_token: "{b}", demo_other: "{a}" });
    const demo = await auth.bind("demo", { trustOrigin: service.url });
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
    const engine = await engineOf(notion);
    const client = clientOf(engine);
    await client.auth.setup("notion", { notion_token: SECRET });
    const fetch = vi.fn(async (..._: Parameters<typeof globalThis.fetch>) => new Response("好"));
    const bound = await client.auth.bind("notion", { fetch });
    expect(await (await bound.get("/users")).text()).toBe("好");
    expect(fetch.mock.calls[0]?.[0]).toBe("https://api.notion.com/v1/users");
  });

  it("throws a typed error for a redirect that a browser hides", async () => {
    const engine = await engineOf(notion);
    const client = clientOf(engine);
    await client.auth.setup("notion", { notion_token: "canary" });
    const opaque = Object.defineProperty(Response.error(), "type", { value: "opaqueredirect" });
    const bound = await client.auth.bind("notion", { fetch: async () => opaque });
    const error = await rejection(bound.get("/users"));
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
    expect(error.message).toMatch(/api.notion.com\/v1\/users returned a redirect, which browsers hide/);
  });
});

describe("a recipe", () => {
  it.each([
    ["of another service", { ...recipeOf("other", "https://x.example", {}) }],
    ["without base_url", { service: "demo", required_secrets: [] }],
    ["whose secrets are not a list", recipeOf("demo", "https://x.example", {}, { required_secrets: {} })],
    ["whose inject is a list", recipeOf("demo", "https://x.example", [])],
    ["whose inject has texts", recipeOf("demo", "https://x.example", { header: "x" })],
  ])("%s is refused", async (_, recipe) => {
    const error = await rejection(clientOf(await engineOf(recipe)).auth.setup("demo", { demo_token: "x" }));
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
  });

  it.each(["Host", "content-length", "Transfer-Encoding", "x y"])(
    "may not inject the header %j",
    async (name) => {
      const engine = await engineOf(
        recipeOf("demo", "https://x.example", { header: { [name]: "{{secret.demo_token}}" } }),
      );
      await expect(clientOf(engine).auth.setup("demo", { demo_token: "x" })).rejects.toThrow(
        /sets a header that a recipe may not set/,
      );
    },
  );

  it.each(["{{secret.other}}", "{{env.PATH}}", "{{runtime.other}}", "{{secret.constructor}}"])(
    "may not hold %j",
    async (template) => {
      const engine = await engineOf(
        recipeOf("demo", "https://x.example", { header: { "X-A": `a ${template}` } }),
      );
      const { auth } = clientOf(engine);
      const error = await rejection(auth.setup("demo", { demo_token: "x" }).then(() => auth.bind("demo")));
      expect(error).toBeInstanceOf(sdk.ArcrunError);
      expect(["UnexpectedResponseError", "MissingSecretError"]).toContain(error.name);
    },
  );

  it("of an unsupported primitive is refused", async () => {
    const engine = await engineOf(recipeOf("demo", "https://x.example", {}, { primitive: "mtls" }));
    await expect(clientOf(engine).auth.bind("demo")).rejects.toThrow("'demo' signs in by 'mtls'");
  });

  it("with several secrets has no one token", async () => {
    const inject = { header: { Authorization: "Basic {{secret.demo_token}}:{{secret.demo_other}}" } };
    const more = { required_secrets: [{ key: "demo_token" }, { key: "demo_other" }] };
    const { client } = await bound(inject, { more, secret: "x" }).catch(() => ({ client: undefined }));
    expect(client).toBeUndefined(); // setup needs both
    const engine = await engineOf(recipeOf("demo", "https://x.example", inject, more));
    const { auth } = clientOf(engine);
    await auth.setup("demo", { demo_token: "a", demo_other: "b" });
    await expect(auth.getToken("demo")).rejects.toThrow(/with 2 secrets \(demo_token, demo_other\)/);
  });
});
