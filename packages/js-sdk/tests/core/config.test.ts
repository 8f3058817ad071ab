import { describe, expect, it, vi } from "vitest";
import { MAX_RESPONSE_BYTES } from "../../src/core/config.js";
import { Arcrun, ConfigurationError, InvalidArgumentError, version } from "../../src/index.js";
import { clientOf, inspections, inTurn, KEY, serve } from "../support.js";

const HEALTHY = { json: { ok: true } };
const LISTED = { json: { success: true, credentials: [], total: 0 } };

it("takes key and address from the environment", async () => {
  const engine = await serve(inTurn(LISTED));
  vi.stubEnv("ARCRUN_API_KEY", KEY);
  vi.stubEnv("ARCRUN_BASE_URL", `${engine.url}/`);
  await new Arcrun().creds.list();
  expect(engine.requests[0]?.headers["x-arcrun-api-key"]).toBe(KEY);
});

it("prefers options to the environment, and ignores an empty variable", async () => {
  const engine = await serve(inTurn(LISTED));
  vi.stubEnv("ARCRUN_API_KEY", "ak_other");
  vi.stubEnv("ARCRUN_BASE_URL", "http://127.0.0.1:9");
  vi.stubEnv("ARCRUN_CREDENTIAL_FORMAT", "");
  await clientOf(engine).creds.list();
  expect(engine.requests[0]?.headers["x-arcrun-api-key"]).toBe(KEY);
});

it("works where there is no process", async () => {
  const engine = await serve(inTurn(HEALTHY));
  vi.stubGlobal("process", undefined);
  const client = new Arcrun({ baseUrl: engine.url });
  expect(await client.health()).toEqual({ ok: true });
});

it("works where the environment may not be read", async () => {
  const engine = await serve(inTurn(HEALTHY));
  const env = new Proxy(
    {},
    {
      get: () => {
        throw new Error("Requires env access");
      },
    },
  );
  vi.stubGlobal("process", { env });
  expect(await new Arcrun({ baseUrl: engine.url }).health()).toEqual({ ok: true });
});

describe("refuses, naming the option or variable,", () => {
  it.each(["", "ak_1 2", "ak_1\n", "鑰匙"])("the key %j without showing it", (apiKey) => {
    const make = () => new Arcrun({ apiKey });
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(/from the option apiKey is empty or has characters/);
    try {
      make();
    } catch (error) {
      if (apiKey) expect(inspections(error)).not.toContain(apiKey);
    }
  });

  it.each([
    "cypher.arcrun.dev",
    "ftp://x",
    "https://u:p@host",
    "https://host?a=1",
    "https://host#a",
    "http://host:0",
    "http://host:99999",
    "https://{{secret.x}}.dev",
    "http://127.1:8787", // which fetch reads as another origin
    "http://host%2eexample",
    "https:// host",
    "",
  ])("the address %j", (baseUrl) => {
    expect(() => new Arcrun({ baseUrl })).toThrow(ConfigurationError);
    expect(() => new Arcrun({ baseUrl })).toThrow(/^the option baseUrl is not a base URL: write scheme/);
  });

  it("the format in a variable", () => {
    vi.stubEnv("ARCRUN_CREDENTIAL_FORMAT", "open");
    expect(() => new Arcrun()).toThrow(
      "the variable ARCRUN_CREDENTIAL_FORMAT must be 'sealed' or 'plain', not 'open'",
    );
  });

  it.each([0, -1, Number.NaN, "5" as unknown as number, 30_000_000])("the time-out %s", (timeout) => {
    expect(() => new Arcrun({ timeout })).toThrow(InvalidArgumentError);
    expect(() => new Arcrun({ timeout })).toThrow(/seconds, not milliseconds/);
  });

  it.each([-1, 1.5, "2" as unknown as number])("%s retries", (maxRetries) => {
    expect(() => new Arcrun({ maxRetries })).toThrow(ConfigurationError);
  });
});

it("tells how to pass a key when there is none", async () => {
  vi.stubEnv("ARCRUN_API_KEY", "");
  const engine = await serve(inTurn(LISTED));
  await expect(new Arcrun({ baseUrl: engine.url }).creds.list()).rejects.toThrow(
    /new Arcrun\(\{ apiKey \}\) or set ARCRUN_API_KEY/,
  );
  expect(engine.requests).toHaveLength(0);
});

it("names the version that package.json has", async () => {
  const { default: manifest } = await import("../../package.json", { with: { type: "json" } });
  expect(version).toBe(manifest.version);
});

it("takes 64 MiB of a response without the option", () => {
  expect(MAX_RESPONSE_BYTES).toBe(67_108_864);
});
