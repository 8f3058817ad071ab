/** No secret reaches another origin, a log, an error, `response.url` or an inspected object. */

import { format } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, inspections, recipeOf, rejection, type Served, serve } from "../support.js";

const SECRET = "canary/密 key!";
const ENCODED = encodeURIComponent(SECRET);
const SECTIONS = {
  header: { header: { "X-Token": "{{secret.demo_token}}" } },
  query: { query: { key: "{{secret.demo_token}}" } },
  path: { path: { bot_token: "{{secret.demo_token}}" } },
  body: { body: { token: "{{secret.demo_token}}" } },
};
type Section = keyof typeof SECTIONS;
const sections = Object.keys(SECTIONS) as Section[];

// A header can't carry Chinese.
const secretFor = (section: Section): string => (section === "header" ? "canary/ key!" : SECRET);

const logged: unknown[][] = [];
beforeEach(() => {
  logged.length = 0;
  for (const method of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, method).mockImplementation((...values) => void logged.push(values));
});
afterEach(() => expect(format(logged)).not.toMatch(/canary|密/));

const clean = (text: string): void => {
  expect(text).not.toMatch(/canary|密/);
  expect(text.toLowerCase()).not.toContain("%e5%af%86");
};

async function bind(section: Section, service: Served) {
  const recipe = recipeOf("demo", `${service.url}/v1`, SECTIONS[section]);
  const client = clientOf(await engineOf(recipe));
  await client.auth.setup<string>("demo", { demo_token: secretFor(section) });
  const demo = await client.auth.bind<string>("demo", { trustOrigin: service.url });
  return { client, demo };
}

/** Whether a request carries the secret, plain or encoded. */
const carries = (request: object | undefined): boolean => /canary/.test(JSON.stringify(request));

describe.each(sections)("a secret in the %s", (section) => {
  const path = "/bot{bot_token}/me";

  it("reaches the service, and is shown nowhere", async () => {
    const service = await serve(() => ({ json: { ok: true } }));
    const { client, demo } = await bind(section, service);
    const response = await demo.post(path, { json: { 文: 1 } });
    expect(carries(service.requests[0])).toBe(true);
    for (const shown of [client, client.auth, demo, demo.fetch, response, response.headers, response.clone()])
      clean(inspections(shown));
    clean(response.url);
    expect(response.url).toBe(`${service.url}/v1/bot%7Bbot_token%7D/me`);
    clean(JSON.stringify(Object.entries(demo)));
  });

  it("does not go to another origin by an absolute URL", async () => {
    const service = await serve(() => ({ json: {} }));
    const foreign = await serve(() => ({ json: {} }));
    const { demo } = await bind(section, service);
    await demo.post(`${foreign.url}${path}`, { json: { 文: 1 } });
    await demo.fetch(new Request(`${foreign.url}${path}`, { method: "POST", body: "{}" }));
    await demo
      .post(foreign.url.replace("127.0.0.1", "localhost") + path, { json: {} })
      .catch(() => undefined);
    expect(foreign.requests.length).toBeGreaterThanOrEqual(2);
    for (const request of foreign.requests) expect(carries(request)).toBe(false);
    expect(service.requests).toHaveLength(0);
  });

  it.each([
    "//evil.example/x",
    "\\\\evil.example/x",
    "/../../x",
    "@evil.example/x",
    ":1@evil.example/x",
    "https:evil.example",
  ])("does not go to another origin by the odd URL %j", async (url) => {
    const service = await serve(() => ({ json: {} }));
    const carried = vi.fn(async (..._: Parameters<typeof fetch>) => Response.json({}));
    const recipe = recipeOf("demo", `${service.url}/v1`, SECTIONS[section]);
    const client = clientOf(await engineOf(recipe));
    await client.auth.setup<string>("demo", { demo_token: secretFor(section) });
    const demo = await client.auth.bind<string>("demo", { trustOrigin: service.url, fetch: carried });
    await demo.post(url, { json: {} }).catch(() => undefined);
    for (const [target, init] of carried.mock.calls) {
      const own = new URL(String(target)).origin === service.url;
      const sent = [String(target), JSON.stringify([...new Headers(init?.headers)]), String(init?.body)];
      if (!own) expect(sent.join()).not.toContain("canary");
    }
  });

  it("is not sent along a redirect to another origin", async () => {
    const foreign = await serve(() => ({ json: { there: true } }));
    const service = await serve(() => ({ status: 307, headers: { location: `${foreign.url}/there` } }));
    const { demo } = await bind(section, service);
    const init = { json: { 文: 1 }, headers: { authorization: "mine", "x-mine": "1" } };
    expect((await demo.post(path, init)).status).toBe(307);
    expect(foreign.requests).toHaveLength(0);
    const followed = await demo.post(path, { ...init, redirect: "follow" });
    expect(await followed.json()).toEqual({ there: true });
    expect(followed.url).toBe(`${foreign.url}/there`);
    expect(followed.redirected).toBe(true);
    const [arrived] = foreign.requests;
    expect(carries(arrived)).toBe(false);
    expect(arrived).toMatchObject({ method: "POST", json: { 文: 1 }, headers: { "x-mine": "1" } });
    expect(arrived?.headers).not.toHaveProperty("authorization");
  });

  it("is sent along a redirect within the service", async () => {
    const service = await serve(({ path }) =>
      path.startsWith("/v1/")
        ? { status: 302, headers: { location: "/next/bot{bot_token}" } }
        : { json: { ok: 1 } },
    );
    const { demo } = await bind(section, service);
    const response = await demo.post(path, { json: { 文: 1 }, redirect: "follow" });
    expect(await response.json()).toEqual({ ok: 1 });
    const [, second] = service.requests;
    expect(second?.method).toBe("GET");
    expect(second?.headers).not.toHaveProperty("content-type");
    expect(carries(second)).toBe(section !== "body"); // a GET has none
    clean(response.url);
  });

  it("that the service repeats in its headers is taken out", async () => {
    const secret = secretFor(section);
    const service = await serve(() => ({
      status: 302,
      headers: {
        location: `/login?next=${encodeURIComponent(secret)}`,
        "content-location": `/x/${encodeURIComponent(secret).toLowerCase()}`,
        link: `</a?key=${encodeURIComponent(secret)}>; rel=next`,
        refresh: `0;url=/${encodeURIComponent(secret)}`,
      },
    }));
    const { demo } = await bind(section, service);
    const response = await demo.get(path);
    clean(inspections(response));
    for (const [, value] of response.headers) clean(value);
    expect(response.headers.get("location")).toMatch(/^\/login\?next=(\*\*\*|%7B\w+%7D)$/);
  });

  it("is in no error when the connection breaks", async () => {
    const service = await serve((_, response) => {
      response.destroy();
      return undefined;
    });
    const { demo } = await bind(section, service);
    const error = await rejection(demo.post(path, { json: {} }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe("fetch failed");
    expect((error.cause as { code: string }).code).toBe("UND_ERR_SOCKET");
    clean(inspections(error));
  });

  it("is in no error of a runtime that puts the URL into its messages", async () => {
    const service = await serve(() => ({ json: {} }));
    const recipe = recipeOf("demo", `${service.url}/v1`, SECTIONS[section]);
    const client = clientOf(await engineOf(recipe));
    await client.auth.setup<string>("demo", { demo_token: secretFor(section) });
    const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
      const message = `${url} ${[...new Headers(init?.headers).values()]} ${String(init?.body)}`;
      const cause = Object.assign(new Error(message), { path: message, code: "ECONNREFUSED" });
      throw Object.assign(new TypeError(`error sending request for url (${message})`, { cause }), {
        path: message,
      });
    };
    const demo = await client.auth.bind<string>("demo", { trustOrigin: service.url, fetch: fetch as never });
    const error = await rejection(demo.post(path, { json: {} }));
    clean(inspections(error));
    expect((error.cause as { code: string }).code).toBe("ECONNREFUSED");
  });

  it("is in no error of a redirect that is refused", async () => {
    const service = await serve(({ path }) => ({ status: 302, headers: { location: path } }));
    const { demo } = await bind(section, service);
    const refused = await rejection(demo.get(path, { redirect: "error" }));
    expect(refused).toBeInstanceOf(sdk.UnexpectedResponseError);
    clean(inspections(refused));
    const round = await rejection(demo.get(path, { redirect: "follow" }));
    expect(round).toBeInstanceOf(sdk.UnexpectedResponseError);
    clean(inspections(round));
    expect(service.requests).toHaveLength(22);
  });

  it("is in no error of an address that is not valid", async () => {
    const { demo } = await bind(section, await serve(() => ({ json: {} })));
    for (const url of ["http://[", "http://user:pass@127.0.0.1:1/x"]) {
      const error = await rejection(demo.get(url));
      clean(inspections(error));
    }
  });
});

it("a redirect to an address that is not http is not followed", async () => {
  const service = await serve(() => ({ status: 302, headers: { location: "data:text/plain,x" } }));
  const { demo } = await bind("header", service);
  await expect(demo.get("/", { redirect: "follow" })).rejects.toThrow(
    /too many redirects, or it is not http/,
  );
});

it("the encoded form is what these tests expect", () => expect(ENCODED).toBe("canary%2F%E5%AF%86%20key!"));
