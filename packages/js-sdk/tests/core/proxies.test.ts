import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";
import { clientOf, engineOf, KEY, recipeOf, rejection, serve } from "../support.js";

const RUNTIMES: Record<string, () => void> = {
  Bun: () => vi.stubGlobal("Bun", {}),
  Deno: () => vi.stubGlobal("Deno", { createHttpClient: () => undefined }),
  "Node.js that is told to": () => vi.stubEnv("NODE_USE_ENV_PROXY", "1"),
};

describe.each(Object.keys(RUNTIMES))("%s, which takes proxies from the environment,", (runtime) => {
  const proxied = (noProxy = "") => {
    RUNTIMES[runtime]?.();
    vi.stubEnv("HTTP_PROXY", "http://proxy.example:3128");
    vi.stubEnv("NO_PROXY", noProxy);
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

  it("gets no secret for a service on this machine", async () => {
    const engine = await engineOf(recipeOf("demo", "http://127.0.0.1:9", {}));
    const client = clientOf(engine);
    await client.auth.setup<string>("demo", { demo_token: "x" });
    proxied();
    const bind = client.auth.bind<string>("demo", { trustOrigin: "http://127.0.0.1:9" });
    await expect(bind).rejects.toThrow(sdk.InsecureTransportError);
  });

  it.each(["127.0.0.1", "localhost,127.0.0.1", "a.example, 127.0.0.1", "*", ".0.0.1"])(
    "may if NO_PROXY is %s",
    async (noProxy) => {
      const engine = await serve(() => ({ json: { credentials: [] } }));
      proxied(noProxy);
      expect(await clientOf(engine).creds.list()).toEqual([]);
    },
  );

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

it.each(["Node.js", "Node.js with NODE_USE_ENV_PROXY"])(
  "%s sends nothing for this machine to a proxy, and reaches it if NO_PROXY has what the error says",
  async (runtime) => {
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
        NODE_USE_ENV_PROXY: runtime === "Node.js" ? "" : "1",
        ARCRUN_API_KEY: KEY,
        ARCRUN_BASE_URL: engine.url,
      };
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
        cwd: new URL("../../", import.meta.url),
        env,
      });
      return stdout.trim();
    };
    const [, advice = "127.0.0.1"] = /put (\S+) into the variable NO_PROXY/.exec(await run("")) ?? [];
    expect(await run(advice)).toBe("0");
    expect(proxy.requests).toHaveLength(0);
    expect(engine.requests).toHaveLength(runtime === "Node.js" ? 2 : 1);
  },
);
