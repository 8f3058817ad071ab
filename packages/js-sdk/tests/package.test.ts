/** The package as it is published: its size, its imports, its exports. Needs `npm run build` first. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type OutputFile } from "esbuild";
import { expect, it } from "vitest";
import * as source from "../src/index.js";

const ROOT = new URL("../", import.meta.url).pathname;
const PROGRAM = `import { Arcrun } from "@arcrun/sdk"; globalThis.Arcrun = Arcrun;`;

/** Bundles a program as a browser's bundler does: minified, in one file. */
async function bundle(contents: string, platform: "browser" | "neutral"): Promise<OutputFile> {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    minify: true,
    platform,
    format: "esm",
    write: false,
  });
  expect(warnings).toEqual([]);
  expect(outputFiles).toHaveLength(1);
  return outputFiles[0] as OutputFile;
}

it.each(["browser", "neutral"] as const)(
  "is at most 25 kB with everything, minified and zipped, for the platform %s",
  async (platform) => {
    const { contents } = await bundle(PROGRAM, platform);
    expect(gzipSync(contents, { level: 9 }).length).toBeLessThanOrEqual(25_000);
  },
);

it("loads nothing on demand, and no module of Node.js where it is not Node.js", async () => {
  const { text } = await bundle(PROGRAM, "browser");
  expect(text).not.toMatch(/\b(import|require)\(|["'`]node:/);
});

it("has no dependency, and no module but the one of Node.js in the files for it", () => {
  const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  expect(Object.keys(manifest)).not.toContain("dependencies");
  expect(manifest.files).toEqual(["dist"]);
  for (const name of readdirSync(`${ROOT}dist`)) {
    const text = readFileSync(`${ROOT}dist/${name}`, "utf8");
    const modules = text.match(/(?<=(from |import\(|require\()")[^"]*/g) ?? [];
    expect([name, modules]).toEqual([name, name.startsWith("node.") ? ["node:crypto"] : []]);
  }
});

it("finds Web Crypto where it is in a module only, as in Node 18", () => {
  const code = `
    delete globalThis.crypto;
    const { Arcrun } = await import("@arcrun/sdk");
    const fetch = async (url, { body }) => Response.json({ name: "a", sealed: JSON.parse(body).iv.length });
    const client = new Arcrun({ apiKey: "ak_${"0".repeat(48)}", fetch });
    console.log((await client.creds.push("a", "值")).sealed);`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(printed).toBe("16\n");
});

it.each([
  ["ESM", ["--input-type=module", "-e", 'import * as sdk from "@arcrun/sdk"; show(sdk)']],
  ["CommonJS", ["--input-type=commonjs", "-e", 'show(require("@arcrun/sdk"))']],
])("exports the same from %s as from the sources", (_, options) => {
  const show =
    'function show(sdk) { console.log(JSON.stringify(Object.keys(sdk).filter((k) => k !== "default" && k !== "module.exports").sort())) }';
  const [mode = "", flag = "", code = ""] = options;
  const printed = execFileSync(process.execPath, [mode, flag, `${code}; ${show}`], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(JSON.parse(printed)).toEqual(Object.keys(source).sort());
});

it("keeps the names of errors when it is minified", async () => {
  const { text: code } = await bundle(
    'import { NotFoundError } from "@arcrun/sdk"; const e = new NotFoundError("沒有"); console.log(String(e), e.name, e instanceof Error);',
    "neutral",
  );
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  expect(printed).toBe("NotFoundError: 沒有 NotFoundError true\n");
});
