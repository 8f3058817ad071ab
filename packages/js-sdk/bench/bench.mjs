/**
 * What the SDK costs: a call against the bare `fetch` of the same request, an import against an empty module.
 *
 * `node bench/bench.mjs URL KEY` measures calls of that engine and prints one line of JSON. The sides take turns,
 * call by call, so that both see the same machine; medians. Needs `npm run build` first.
 */

import { execFileSync } from "node:child_process";

const CALLS = 1500; // for each side, after as many tenths to warm up
const IMPORTS = 21;

const [, , url, key] = process.argv;
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function calls() {
  const { Arcrun } = await import("../dist/index.js");
  const client = new Arcrun({ apiKey: key, baseUrl: url });
  const headers = { Accept: "application/json", "User-Agent": "bench", "X-Arcrun-API-Key": key };
  const sides = {
    fetch: async () => {
      const response = await fetch(`${url}/webhooks/named`, { headers });
      const { workflows } = await response.json();
      if (!response.ok || !workflows) throw new Error(`HTTP ${response.status}`);
    },
    sdk: () => client.workflows.list(),
  };
  const times = { fetch: [], sdk: [] };
  for (let i = -CALLS / 10; i < CALLS; i++)
    for (const side of i % 2 ? ["fetch", "sdk"] : ["sdk", "fetch"]) {
      const started = performance.now();
      await sides[side]();
      if (i >= 0) times[side].push(performance.now() - started);
    }
  const [bare, own] = [median(times.fetch), median(times.sdk)];
  return { fetch_ms: bare, sdk_ms: own, ratio: own / bare };
}

/** Milliseconds until a module is there, in a process of its own. */
function importOf(module) {
  const code = `const t = performance.now(); await import(${JSON.stringify(module)}); console.log(performance.now() - t)`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  return Number(printed);
}

function imports() {
  const times = { empty: [], sdk: [] };
  for (let i = 0; i < IMPORTS; i++) {
    times.empty.push(importOf(new URL("empty.mjs", import.meta.url).href));
    times.sdk.push(importOf(new URL("../dist/index.js", import.meta.url).href));
  }
  const [empty, own] = [median(times.empty), median(times.sdk)];
  return { empty_ms: empty, sdk_ms: own, over_ms: own - empty };
}

console.log(JSON.stringify({ node: process.version, call: await calls(), import: imports() }));
