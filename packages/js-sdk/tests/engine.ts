/** Starts the reference server for the tests that need a real engine. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    engine: { url: string; key: string };
  }
}

export default async function start({ provide }: TestProject): Promise<() => Promise<void>> {
  const engine = spawn("arcrun-server", ["serve", "--dev", "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ARCRUN_API_KEY: "" },
  });
  const failed = once(engine, "error").then(([error]) => {
    throw new Error("arcrun-server does not start: `nox -s js_test` installs it", { cause: error });
  });
  const [line] = await Promise.race([once(createInterface({ input: engine.stdout }), "line"), failed]);
  const { url, key } = JSON.parse(line);
  provide("engine", { url, key });
  return async () => {
    const exit = once(engine, "exit");
    engine.kill();
    await exit;
  };
}
