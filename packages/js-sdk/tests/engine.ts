/** Starts the reference server: one for the tests that need a real engine, others for a test that needs its own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    engine: { url: string; key: string };
  }
}

/** A running engine, with a key. */
export interface Engine {
  url: string;
  key: string;
  stop: () => Promise<void>;
}

export default async function start({ provide }: TestProject): Promise<() => Promise<void>> {
  const { url, key, stop } = await startEngine();
  provide("engine", { url, key });
  return stop;
}

/** Starts an engine with nothing in it. */
export async function startEngine(): Promise<Engine> {
  // Its standard input ends with this process, and the engine with that.
  const engine = spawn("arcrun-server", ["serve", "--dev", "--port", "0", "--json", "--until-stdin-closes"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, ARCRUN_API_KEY: "" },
  });
  const failed = once(engine, "error").then(([error]) => {
    throw new Error("arcrun-server does not start: `nox -s js_test` installs it", { cause: error });
  });
  const [line] = await Promise.race([once(createInterface({ input: engine.stdout }), "line"), failed]);
  const { url, key } = JSON.parse(line);
  const stop = async (): Promise<void> => {
    const exit = once(engine, "exit");
    engine.kill();
    await exit;
  };
  return { url, key, stop };
}
