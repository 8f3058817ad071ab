import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import {
  type Arrived,
  clientOf,
  engineOf,
  inspections,
  recipeOf,
  rejection,
  type Served,
  serve,
} from "../support.js";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ACCOUNT = JSON.stringify({
  type: "service_account",
  project_id: "示例",
  client_email: "bot@example.iam.gserviceaccount.com",
  private_key_id: "kid-1",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
});
const BEARER = { header: { Authorization: "Bearer {{runtime.access_token}}" } };
const SCOPES = ["https://example.com/auth/讀", "https://example.com/auth/b"];

/** A service with a token endpoint; tokens are token-1, token-2, … */
async function service(
  options: { tokens?: (n: number) => object; accepts?: (token: string) => boolean } = {},
) {
  let issued = 0;
  const { tokens = () => ({}), accepts = () => true } = options;
  return serve(({ path, headers }) => {
    if (path === "/token")
      return { json: { access_token: `token-${++issued}`, expires_in: 3600, ...tokens(issued) } };
    const token = String(headers.authorization).replace("Bearer ", "");
    return accepts(token) ? { json: { token } } : { status: 401, json: { error: "stale" } };
  });
}

const exchanges = (served: Served): Arrived[] => served.requests.filter(({ path }) => path === "/token");

/** Binds to a local service by a service account. */
async function byAccount(served: Served, key = ACCOUNT) {
  const recipe = recipeOf("demo", `${served.url}/v1`, BEARER, {
    primitive: "service_account",
    service_account_kind: "google_jwt",
    token_exchange: { endpoint: `${served.url}/token`, scopes: SCOPES },
  });
  const client = clientOf(await engineOf(recipe));
  await client.auth.setup<string>("demo", { demo_token: key });
  const bind = () => client.auth.bind<string>("demo", { trustOrigin: served.url });
  return { client, bind, bound: await bind() };
}

const SECRETS = {
  demo_client_id: "id",
  demo_client_secret: "canary-s&c",
  demo_refresh_token: "canary-r/1",
};

/** Binds to a local service by a refresh token. */
async function byRefresh(served: Served, isPublic = false) {
  const recipe = recipeOf("demo", `${served.url}/v1`, BEARER, {
    primitive: "oauth2",
    required_secrets: ["demo_client_id", "demo_client_secret", "demo_refresh_token"].map((key) => ({
      key,
      optional: key === "demo_client_secret",
    })),
    oauth2: {
      token_endpoint: `${served.url}/token`,
      client_id: "{{secret.demo_client_id}}",
      client_secret: "{{secret.demo_client_secret}}",
      scopes: ["a", "b"],
    },
  });
  const engine = await engineOf(recipe);
  const client = clientOf(engine);
  const { demo_client_secret, ...others } = SECRETS;
  await client.auth.setup<string>("demo", { ...others, ...(!isPublic && { demo_client_secret }) });
  return { client, engine, bound: await client.auth.bind<string>("demo", { trustOrigin: served.url }) };
}

describe("a service account", () => {
  it("proves its identity with a JWT that its key signed", async () => {
    const served = await service();
    const { bound } = await byAccount(served);
    const before = Math.floor(Date.now() / 1000);
    expect(await (await bound.get("/")).json()).toEqual({ token: "token-1" });
    const [exchange] = exchanges(served);
    expect(exchange?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    const form = new URLSearchParams(exchange?.text);
    expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [header, claims, signature] = String(form.get("assertion")).split(".") as [string, string, string];
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    expect(read(header)).toEqual({ alg: "RS256", typ: "JWT", kid: "kid-1" });
    const { iat, exp, ...others } = read(claims);
    expect(others).toEqual({
      iss: "bot@example.iam.gserviceaccount.com",
      scope: SCOPES.join(" "),
      aud: `${served.url}/token`,
    });
    expect(exp).toBe(iat + 3600);
    expect(iat).toBeGreaterThanOrEqual(before);
    const key = createPublicKey(publicKey.export({ type: "spki", format: "pem" }));
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify("sha256", signed, key, Buffer.from(signature, "base64url"))).toBe(true);
  });

  it("returns its token", async () => {
    const served = await service();
    const { client } = await byAccount(served);
    expect(await client.auth.getToken<string>("demo", { trustOrigin: served.url })).toBe("token-1");
    await expect(client.auth.getToken<string>("demo")).rejects.toThrow(sdk.RecipeOriginError);
  });

  it("sends no secret to a token endpoint on this machine through a proxy", async () => {
    const served = await service();
    const { client } = await byAccount(served);
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    vi.stubEnv("HTTP_PROXY", "http://proxy.example:3128");
    const token = client.auth.getToken<string>("demo", { trustOrigin: served.url });
    await expect(token).rejects.toThrow(sdk.InsecureTransportError);
    expect(exchanges(served)).toHaveLength(0);
  });

  it.each([
    ["not JSON", "canary"],
    ["no account", '{"private_key": "canary"}'],
    ["a list", '["canary"]'],
  ])("whose file is %s is refused at setup", async (_, key) => {
    const error = await rejection(byAccount(await service(), key));
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(error.message).toMatch(/the text of its JSON key file/);
    expect(inspections(error)).not.toContain("canary");
  });

  it("whose private key is not valid is refused when it is used", async () => {
    const key = JSON.stringify({ client_email: "a@b", private_key: "-----BEGIN PRIVATE KEY-----\ncanary\n" });
    const { bound } = await byAccount(await service(), key);
    const error = await rejection(bound.get("/"));
    expect(error).toBeInstanceOf(sdk.InvalidArgumentError);
    expect(inspections(error)).not.toContain("canary");
  });
});

describe("a refresh token", () => {
  it("is exchanged as OAuth 2.0 requires", async () => {
    const served = await service();
    const { bound } = await byRefresh(served);
    await bound.get("/");
    expect(Object.fromEntries(new URLSearchParams(exchanges(served)[0]?.text))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "canary-r/1",
      client_id: "id",
      client_secret: "canary-s&c",
      scope: "a b",
    });
  });

  it("is exchanged without a client secret, if that is optional and was not given", async () => {
    const served = await service();
    const { bound } = await byRefresh(served, true);
    await bound.get("/");
    const form = new URLSearchParams(exchanges(served)[0]?.text);
    expect([form.get("client_id"), form.has("client_secret")]).toEqual(["id", false]);
  });

  it("that the provider replaces is stored, and used from then on", async () => {
    const served = await service({
      tokens: (n) => ({ expires_in: 0, refresh_token: `canary-r/${n + 1}` }),
    });
    const { bound, engine, client } = await byRefresh(served);
    await bound.get("/");
    await bound.get("/");
    expect(exchanges(served).map(({ text }) => new URLSearchParams(text).get("refresh_token"))).toEqual([
      "canary-r/1",
      "canary-r/2",
    ]);
    const pushed = engine.requests.filter(({ method }) => method === "POST").slice(3);
    expect(pushed.map(({ json }) => json.name)).toEqual(["demo_refresh_token", "demo_refresh_token"]);
    expect(pushed[0]?.json.service).toBe("demo");
    const again = await client.auth.bind<string>("demo", { trustOrigin: served.url });
    await again.get("/");
    expect(new URLSearchParams(exchanges(served)[2]?.text).get("refresh_token")).toBe("canary-r/3");
  });

  it("that could not be stored causes a warning that does not show it", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const served = await service({ tokens: () => ({ refresh_token: "canary-r/2" }) });
    const { bound, engine } = await byRefresh(served);
    engine.refuses = true;
    expect((await bound.get("/")).status).toBe(200);
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/^arcrun: the new refresh token demo_refresh_token could not be stored: /),
    );
    expect(warn.mock.calls[0]?.[0]).not.toContain("canary");
  });
});

describe("an access token", () => {
  it("is fetched once for all that need it at the same time, and kept", async () => {
    const served = await service();
    const { bound, bind } = await byAccount(served);
    await Promise.all([bound.get("/"), bound.get("/"), (await bind()).get("/")]);
    await bound.get("/");
    expect(exchanges(served)).toHaveLength(1);
  });

  it("asks for a token without a retry by the runtime, since a refresh token may be good for one request", async () => {
    const served = await service();
    const { client } = await byRefresh(served);
    const kept: [string, RequestInit | undefined][] = [];
    const own: typeof fetch = (input, init) => {
      kept.push([new URL(String(input)).pathname, init]);
      return fetch(input, init);
    };
    const bound = await client.auth.bind<string>("demo", { trustOrigin: served.url, fetch: own });
    await bound.get("/pages");
    expect(kept.map(([path]) => path)).toEqual(["/token", "/v1/pages"]);
    expect(kept[0]?.[1]?.keepalive).toBe(false);
    expect(kept[1]?.[1]).not.toHaveProperty("keepalive");
  });

  it.each(["demo_client_id", "demo_client_secret", "demo_refresh_token"])(
    "is not used once there is another %s",
    async (key) => {
      const served = await service();
      const { client } = await byRefresh(served);
      const options = { trustOrigin: served.url };
      expect(await client.auth.getToken<string>("demo", options)).toBe("token-1");
      expect(await client.auth.getToken<string>("demo", options)).toBe("token-1");
      await client.auth.setup<string>("demo", { ...SECRETS, [key]: "another" });
      expect(await client.auth.getToken<string>("demo", options)).toBe("token-2");
      expect(exchanges(served)).toHaveLength(2);
    },
  );

  it("is renewed a minute before it expires", async () => {
    const served = await service({ tokens: (n) => ({ expires_in: n === 1 ? 60 : 61 }) });
    const { bound } = await byAccount(served);
    await bound.get("/");
    const now = performance.now();
    const clock = vi.spyOn(performance, "now").mockReturnValue(now);
    await bound.get("/");
    clock.mockReturnValue(now + 900);
    await bound.get("/");
    expect(exchanges(served)).toHaveLength(2);
    clock.mockReturnValue(now + 1100);
    await bound.get("/");
    expect(exchanges(served)).toHaveLength(3);
  });

  it("that is refused is renewed once", async () => {
    const served = await service({ accepts: (token) => token !== "token-1" });
    const { bound } = await byAccount(served);
    const responses = await Promise.all([bound.post("/", { json: { 一: 1 } }), bound.get("/")]);
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(exchanges(served)).toHaveLength(2);
    expect(
      served.requests.filter(({ method, path }) => method === "POST" && path === "/v1/").at(-1)?.json,
    ).toEqual({ 一: 1 });
  });

  it("that stays refused is not renewed again and again", async () => {
    const served = await service({ accepts: () => false });
    const { bound } = await byAccount(served);
    expect((await bound.get("/")).status).toBe(401);
    expect(exchanges(served)).toHaveLength(2);
  });

  it("that does not arrive is not waited for any longer than the caller wants", async () => {
    const served = await serve(() => undefined);
    const { bound, client } = await byAccount(served);
    await expect(bound.get("/", { timeout: 0.05 })).rejects.toThrow("no response within 0.05 s");
    const controller = new AbortController();
    const waiting = [
      bound.get("/", { signal: controller.signal }),
      client.auth.getToken<string>("demo", { trustOrigin: served.url, signal: controller.signal }),
    ];
    setTimeout(() => controller.abort(new Error("enough")), 10);
    for (const outcome of await Promise.allSettled(waiting))
      expect(outcome).toMatchObject({ status: "rejected", reason: { message: "enough" } });
  });

  it("is fetched again when the call that began to fetch it gives up", async () => {
    let asked = 0;
    const served = await serve(({ path }) =>
      path !== "/token" || ++asked > 1 ? { json: { access_token: "token-2" } } : undefined,
    );
    const { bound } = await byAccount(served);
    const controller = new AbortController();
    const first = rejection(bound.get("/", { signal: controller.signal }));
    await vi.waitUntil(() => asked === 1);
    controller.abort(new Error("gone"));
    expect((await first).message).toBe("gone");
    expect((await bound.get("/")).status).toBe(200);
  });

  it("that another call fetches is waited for only a while", async () => {
    const wait = globalThis.setTimeout;
    vi.stubGlobal("setTimeout", ((call: () => void, ms: number) =>
      wait(call, ms === 5000 ? 1 : ms)) as typeof setTimeout);
    let asked = 0;
    const served = await serve(({ path }) =>
      path !== "/token" || ++asked > 1 ? { json: { access_token: "token-2" } } : undefined,
    );
    const { bound } = await byAccount(served);
    const controller = new AbortController();
    const first = rejection(bound.get("/", { signal: controller.signal })); // as one whose request has ended
    await vi.waitUntil(() => asked === 1);
    expect((await bound.get("/")).status).toBe(200);
    controller.abort();
    await first;
  });

  it.each<[string, () => BodyInit]>([
    ["stream", () => new Blob(["文"]).stream()],
    [
      "generator",
      () =>
        (async function* () {
          yield new TextEncoder().encode("文");
        })() as unknown as BodyInit,
    ],
  ])("is not renewed for a body that can be read once: %s", async (_, body) => {
    const served = await service({ accepts: () => false });
    const { bound } = await byAccount(served);
    const init = { method: "POST", body: body(), duplex: "half" } as RequestInit;
    expect((await bound.fetch("/", init)).status).toBe(401);
    expect(served.requests.map(({ path, text }) => [path, path === "/token" || text])).toEqual([
      ["/token", true],
      ["/v1/", "文"],
    ]);
  });

  it.each<[string, () => BodyInit, string]>([
    ["text", () => "文", "文"],
    ["bytes", () => new TextEncoder().encode("文"), "文"],
    ["ArrayBuffer", () => new TextEncoder().encode("文").buffer, "文"],
    ["form", () => new URLSearchParams({ a: "1" }), "a=1"],
    ["blob", () => new Blob(["文"]), "文"],
  ])("is renewed for a body that can be read again: %s", async (_, body, text) => {
    const served = await service({ accepts: (token) => token !== "token-1" });
    const { bound } = await byAccount(served);
    expect((await bound.post("/", { body: body() })).status).toBe(200);
    expect(
      (await bound.fetch(new Request(`${served.url}/v1/`, { method: "POST", body: body() }))).status,
    ).toBe(200);
    const sent = served.requests.filter(({ path }) => path === "/v1/");
    expect(sent.map((request) => request.text)).toEqual([text, text, text]);
  });

  it("is renewed for a request and for a form with files", async () => {
    const served = await service({ accepts: (token) => token !== "token-1" });
    const { bound } = await byAccount(served);
    const form = new FormData();
    form.set("file", new Blob(["文"]), "a.txt");
    const response = await bound.fetch(new Request(`${served.url}/v1/`, { method: "POST", body: form }));
    expect(response.status).toBe(200);
    const sent = served.requests.filter(({ path }) => path === "/v1/");
    expect(sent.map(({ text }) => /filename="a.txt".*文/s.test(text))).toEqual([true, true]);
    expect(sent[1]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
  });
});

describe("a token endpoint", () => {
  it.each([
    [
      "refuses",
      { status: 400, json: { error: "invalid_grant", error_description: "canary-r/1 expired" } },
      /HTTP 400: invalid_grant: \*\*\* expired; check the secrets that auth.setup\('demo'\) stored/,
    ],
    ["returns no token", { json: { ok: true } }, /HTTP 200: no access_token in the response/],
    ["returns a token of two lines", { json: { access_token: "a\nb" } }, /HTTP 200: no access_token/],
    ["returns a token in another script", { json: { access_token: "權杖" } }, /HTTP 200: no access_token/],
    ["is not an endpoint", { status: 404, text: "<html>" }, /HTTP 404: no access_token/],
    ["redirects", { status: 307, headers: { location: "http://127.0.0.1:9/" } }, /HTTP 307/],
  ])("that %s is a TokenExchangeError", async (_, reply, message) => {
    const served = await serve(() => reply);
    const { bound } = await byRefresh(served);
    const error = await rejection(bound.get("/"));
    expect(error).toBeInstanceOf(sdk.TokenExchangeError);
    expect(error.message).toMatch(message);
    expect(inspections(error)).not.toContain("canary");
    expect(served.requests.map(({ path }) => path)).toEqual(["/token"]);
  });

  it("that cannot be reached is a TokenExchangeError", async () => {
    const served = await serve((_, response) => {
      response.destroy();
      return undefined;
    });
    const { bound } = await byRefresh(served);
    const error = await rejection(bound.get("/"));
    expect(error).toBeInstanceOf(sdk.TokenExchangeError);
    expect(error.message).toMatch(/the token endpoint .*\/token could not be reached \(fetch failed/);
    expect(inspections(error)).not.toContain("canary");
  });

  it("at another origin than the service's own is refused", async () => {
    const served = await service();
    const recipe = recipeOf("demo", `${served.url}/v1`, BEARER, {
      primitive: "oauth2",
      required_secrets: [{ key: "demo_refresh_token" }],
      oauth2: { token_endpoint: "https://evil.example/token", client_id: "id" },
    });
    const client = clientOf(await engineOf(recipe));
    vi.stubEnv("ARCRUN_SECRET_DEMO_REFRESH_TOKEN", "canary");
    await expect(
      client.auth.bind<string>("demo", { trustOrigin: served.url, trustRecipe: true }),
    ).rejects.toThrow(/would send its secrets to https:\/\/evil.example/);
  });

  it("of a recipe whose fields have other types is an UnexpectedResponseError", async () => {
    const recipe = recipeOf("demo", "https://x.example", BEARER, {
      primitive: "oauth2",
      required_secrets: [{ key: "demo_refresh_token" }],
      oauth2: { token_endpoint: "https://x.example/token", client_id: 5, scopes: "a b" },
      token_exchange: null,
    });
    const engine = await engineOf(recipe);
    const error = await rejection(clientOf(engine).auth.setup<string>("demo", { demo_refresh_token: "x" }));
    expect(error).toBeInstanceOf(sdk.UnexpectedResponseError);
    expect(error.message).toMatch(/lacks oauth2\.client_id/);
    expect(engine.requests.map(({ method }) => method)).toEqual(["GET"]); // nothing was stored
  });

  it.each([
    ["service_account", { token_exchange: {} }],
    ["oauth2", {}],
  ])("must be named by a recipe of %s", async (primitive, more) => {
    const recipe = recipeOf("demo", "https://x.example", BEARER, { primitive, ...more });
    const { auth } = clientOf(await engineOf(recipe));
    await expect(auth.setup<string>("demo", { demo_token: ACCOUNT })).rejects.toThrow(
      "the auth recipe of 'demo' has no token endpoint",
    );
  });
});
