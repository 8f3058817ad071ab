/** The JavaScript of the repository's README runs as it is printed, on Node.js, against a real engine. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { startEngine } from "./engine.js";

const SDK = new URL("../", import.meta.url);
const README = readFileSync(new URL("../../README.md", SDK), "utf8");

it("the quick start does what it says", async () => {
  const engine = await startEngine();
  onTestFinished(engine.stop);
  const programs = Array.from(README.matchAll(/^```js\n(.*?)^```/gms), ([, code = ""]) => code);
  expect(programs).toHaveLength(1);
  // The variables that the README has its readers export.
  for (const name of ["ARCRUN_BASE_URL", "ARCRUN_API_KEY"]) expect(README).toContain(`\nexport ${name}=`);
  const printed = execFileSync(process.execPath, ["--input-type=module", "-"], {
    cwd: SDK,
    input: programs[0],
    encoding: "utf8",
    env: { ...process.env, ARCRUN_BASE_URL: engine.url, ARCRUN_API_KEY: engine.key, FORCE_COLOR: "0" },
  });
  expect(printed.split("\n")).toEqual(["true", "[ 'weather_token' ]", "HELLO, 世界", ""]);
});
