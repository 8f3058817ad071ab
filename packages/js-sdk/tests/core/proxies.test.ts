import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, KEY, recipeOf, rejection, serve } from "../support.js";

const RUNTIMES: Record<string, () => void> = {
  Bun: () => vi.stubGlobal("Bun", {}),
  Deno: () => vi.stubGlobal("Deno", { createHttpClient: () => undefined }),
  "Node.js with NODE_USE_ENV_PROXY": () => vi.stubEnv("NODE_USE_ENV_PROXY", "1"),
};

describe.each(Object.keys(RUNTIMES))("%s, which takes proxies from the environment,", (runtime) => {
  const proxied = (noProxy = "") => {
    RUNTIMES[runtime]?.();
    vi.stubEnv("HTTP_PROXY", "http://proxy.example:3128");
    vi.stubEnv("NO_PROXY", noProxy);
    vi.stubEnv("no_proxy", undefined);
  };

  it("gets no key for an engine on this machine", async () => {
    const engine = await serve(() => ({ json: { credentials: [] } }));
    proxied();
    const error = await rejection(clientOf(engine).creds.list());
    expect(error).toBeInstanceOf(sdk.InsecureTransportError);
    expect(error.message).toBe(
      `what is sent to ${engine.url} would go to the proxy in the variable HTTP_PROXY, where it can be read: put localhost,127.0.0.1 into the variable NO_PROXY`,
    );
    expect(engine.requests).toHaveLength(0);
  });

  it.runIf(/Bun|Deno/.test(runtime))(
    "gets no key either where the proxy is that of all addresses",
    async () => {
      const engine = await serve(() => ({ json: { credentials: [] } }));
      proxied();
      vi.stubEnv("HTTP_PROXY", undefined);
      vi.stubEnv("ALL_PROXY", "http://proxy.example:3128");
      await expect(clientOf(engine).creds.list()).rejects.toThrow(/the proxy in the variable ALL_PROXY/);
    },
  );

  it("gets no secret for a service on this machine", async () => {
    const engine = await engineOf(recipeOf("demo", "http://127.0.0.1:9", {}));
    const client = clientOf(engine);
    await client.auth.setup<string>("demo", { demo_token: "x" });
    proxied();
    const bind = client.auth.bind<string>("demo", { trustOrigin: "http://127.0.0.1:9" });
    await expect(bind).rejects.toThrow(sdk.InsecureTransportError);
  });

  // What Node.js, Bun and Deno do with each was tried: where one of them goes to the proxy, the SDK refuses.
  it.each([
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "localhost,127.0.0.1", true],
    ["127.0.0.1", "a.example, 127.0.0.1", true],
    ["127.0.0.1", "*", runtime !== "Deno"],
    ["127.0.0.1", "a.example,*", false],
    ["127.0.0.1", ".0.0.1", false],
    ["127.0.0.1", "0.0.1", false],
    ["127.0.0.1", "127.0.0.0/8", false],
    ["127.0.0.1", "127.0.0.1:PORT", false],
    ["127.0.0.1", "a.example 127.0.0.1", false],
    ["127.0.0.1", "localhost", false],
    ["localhost", "localhost", true],
    ["localhost", ".localhost", false],
    ["localhost", "*.localhost", false],
    ["localhost", "LOCALHOST", false],
    ["localhost", "localhost:PORT", false],
    ["localhost", "127.0.0.1", false],
  ])("may send to %s if NO_PROXY is %s: %s", async (host, noProxy, may) => {
    const engine = await serve(() => ({ json: { credentials: [] } }));
    const url = engine.url.replace("127.0.0.1", host);
    proxied(noProxy.replace("PORT", new URL(url).port));
    const list = clientOf({ ...engine, url }).creds.list();
    if (may) expect(await list).toEqual([]);
    else await expect(list).rejects.toThrow(sdk.InsecureTransportError);
    expect(engine.requests).toHaveLength(may ? 1 : 0);
  });

  it("says how to name an IPv6 address for each runtime", async () => {
    const engine = await serve(() => ({}));
    const client = clientOf({ ...engine, url: "http://[::1]:9" });
    proxied("[::1]");
    await expect(client.creds.list()).rejects.toThrow(
      "put localhost,127.0.0.1,[::1],::1 into the variable NO_PROXY",
    );
    proxied("localhost,127.0.0.1,[::1],::1");
    const call = client.creds.list({ maxRetries: 0 });
    await expect(call).rejects.not.toThrow(sdk.InsecureTransportError);
  });

  it("gets nothing where one of the variables that runtimes read leaves the host out", async () => {
    const engine = await serve(() => ({ json: { credentials: [] } }));
    proxied("127.0.0.1");
    vi.stubEnv("no_proxy", "");
    await expect(clientOf(engine).creds.list()).rejects.toThrow(sdk.InsecureTransportError);
  });

  it("may if the user passes a fetch", async () => {
    const engine = await serve(() => ({ json: { credentials: [] } }));
    proxied();
    const fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init);
    expect(await clientOf(engine, { fetch }).creds.list()).toEqual([]);
  });
});

it("Node.js, which has no proxies, may send to this machine whatever the environment says", async () => {
  const engine = await serve(() => ({ json: { credentials: [] } }));
  vi.stubEnv("HTTP_PROXY", "http://proxy.example:3128");
  expect(await clientOf(engine).creds.list()).toEqual([]);
});

it.each([
  ["Node.js", [], {}],
  ["Node.js with NODE_USE_ENV_PROXY", [], { NODE_USE_ENV_PROXY: "1" }],
  ["Node.js with --use-env-proxy", ["--use-env-proxy"], {}],
  ["Node.js with --use-env-proxy in NODE_OPTIONS", [], { NODE_OPTIONS: "--use-env-proxy" }],
] as const)(
  "%s sends nothing for this machine to a proxy, and reaches it if NO_PROXY has what the error says",
  async (runtime, flags, variables) => {
    const proxy = await serve(() => ({ json: { credentials: [] } }));
    const engine = await serve(() => ({ json: { credentials: [] } }));
    const code = `
      import { Arcrun } from "@arcrun/sdk";
      console.log(await new Arcrun().creds.list().then((found) => found.length, (error) => error.message));`;
    const run = async (noProxy: string): Promise<string> => {
      const env = {
        ...process.env,
        HTTP_PROXY: proxy.url,
        NO_PROXY: noProxy,
        no_proxy: noProxy,
        NODE_USE_ENV_PROXY: "",
        ...variables,
        ARCRUN_API_KEY: KEY,
        ARCRUN_BASE_URL: engine.url,
      };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...flags, "--input-type=module", "-e", code],
        {
          cwd: new URL("../../", import.meta.url),
          env,
        },
      );
      return stdout.trim();
    };
    const first = await run("");
    if (runtime === "Node.js") expect(first).toBe("0");
    else expect(first).toContain("put localhost,127.0.0.1 into the variable NO_PROXY");
    expect(await run("localhost,127.0.0.1")).toBe("0");
    expect(proxy.requests).toHaveLength(0);
    expect(engine.requests).toHaveLength(runtime === "Node.js" ? 2 : 1);
  },
);
