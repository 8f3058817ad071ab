import { describe, expect, it, vi } from "vitest";
import { apiKeyFor, requireApiKey } from "../../src/http/trust.js";
import * as sdk from "../../src/index.js";
import { Arcrun } from "../../src/index.js";
import { KEY } from "../support.js";

describe("the API key", () => {
  const policy = (origin: string, { key = true, allowInsecureHttp = false } = {}) => ({
    settings: {
      apiKey: key ? () => KEY : undefined,
      baseUrl: origin,
      credentialFormat: "sealed" as const,
    },
    origin,
    allowInsecureHttp,
  });
  const https = "https://engine.example";
  const loopback = "http://127.0.0.1:8787";
  const plain = "http://192.0.2.1";

  it.each([https, loopback])("is sent to %s where it is required or optional", (origin) => {
    expect(apiKeyFor("required", policy(origin))?.()).toBe(KEY);
    expect(apiKeyFor("optional", policy(origin))?.()).toBe(KEY);
    expect(apiKeyFor("none", policy(origin))).toBeUndefined();
  });

  it("is sent over plain http only if the user allows it", () => {
    expect(() => apiKeyFor("required", policy(plain))).toThrow(sdk.InsecureTransportError);
    expect(apiKeyFor("optional", policy(plain))).toBeUndefined();
    expect(apiKeyFor("required", policy(plain, { allowInsecureHttp: true }))?.()).toBe(KEY);
    expect(apiKeyFor("optional", policy(plain, { allowInsecureHttp: true }))?.()).toBe(KEY);
  });

  it("is missed only where it is required", () => {
    expect(() => requireApiKey(policy(https, { key: false }))).toThrow(sdk.ConfigurationError);
    expect(apiKeyFor("optional", policy(https, { key: false }))).toBeUndefined();
    expect(apiKeyFor("none", policy(plain, { key: false }))).toBeUndefined();
  });
});

describe("plain http", () => {
  it.each(["http://192.0.2.1", "http://localhost.example.com", "http://127.0.0.1.example.com"])(
    "to %s takes no key",
    async (baseUrl) => {
      const fetch = vi.fn();
      const client = new Arcrun({ apiKey: KEY, baseUrl, fetch });
      await expect(client.creds.list()).rejects.toThrow(sdk.InsecureTransportError);
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  it.each(["http://localhost:1234", "http://[::1]:1234", "http://engine.localhost", "http://127.9.9.9"])(
    "to %s is fine",
    async (baseUrl) => {
      const fetch = vi.fn(async () => Response.json({ success: true, credentials: [] }));
      await new Arcrun({ apiKey: KEY, baseUrl, fetch }).creds.list();
      expect(fetch).toHaveBeenCalledOnce();
    },
  );

  it("takes the key if the client allows it", async () => {
    const fetch = vi.fn(async () => Response.json({ success: true, credentials: [] }));
    const options = { apiKey: KEY, baseUrl: "http://192.0.2.1", fetch, allowInsecureHttp: true };
    await new Arcrun(options).creds.list();
    expect(fetch).toHaveBeenCalledOnce();
  });

  it("leaves an optional key out, without an error", async () => {
    const fetch = vi.fn(async (_: unknown, init?: RequestInit) => {
      expect(new Headers(init?.headers).has("x-arcrun-api-key")).toBe(false);
      return Response.json({ success: true, recipes: [] });
    });
    const client = new Arcrun({ apiKey: KEY, baseUrl: "http://192.0.2.1", fetch });
    expect(await client.auth.listServices()).toEqual([]);
  });
});
