/** The package as it is published: its size, its imports, its exports. Needs `npm run build` first. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type Metafile, type OutputFile } from "esbuild";
import { expect, it } from "vitest";
import * as source from "../src/index.js";

const ROOT = new URL("../", import.meta.url).pathname;
const ENTRY = `import { Arcrun } from "./dist/index.js"; globalThis.Arcrun = Arcrun;`;

async function bundle(splitting: boolean): Promise<{ files: OutputFile[]; metafile: Metafile }> {
  const { outputFiles, metafile, warnings } = await build({
    stdin: { contents: ENTRY, resolveDir: ROOT },
    bundle: true,
    minify: true,
    splitting,
    platform: "neutral",
    format: "esm",
    outdir: "/out",
    write: false,
    metafile: true,
  });
  expect(warnings).toEqual([]);
  return { files: outputFiles, metafile };
}

const zipped = (file: OutputFile): number => gzipSync(file.contents, { level: 9 }).length;

it("loads at most 8 kB at once, minified and zipped", async () => {
  const { files, metafile } = await bundle(true);
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, output]) => [path.split("/").pop(), output]),
  );
  const needed = new Set<string>();
  const need = (name = ""): void => {
    needed.add(name);
    for (const { path, kind } of outputs.get(name)?.imports ?? [])
      if (kind === "import-statement") need(path.split("/").pop());
  };
  need([...outputs].find(([, output]) => output.entryPoint)?.[0]);
  const atOnce = files.filter(({ path }) => needed.has(path.split("/").pop() ?? ""));
  expect(atOnce.length).toBeGreaterThan(0);
  expect(atOnce.map(zipped).reduce((sum, size) => sum + size)).toBeLessThanOrEqual(8000);
});

it("is at most 16 kB with everything", async () => {
  const { files } = await bundle(false);
  expect(files).toHaveLength(1);
  expect(zipped(files[0] as OutputFile)).toBeLessThanOrEqual(16_000);
});

it("has no node: module but the guarded one, and no dependency", () => {
  const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  expect(Object.keys(manifest)).not.toContain("dependencies");
  expect(manifest.files).toEqual(["dist"]);
  for (const name of readdirSync(`${ROOT}dist`)) {
    const text = readFileSync(`${ROOT}dist/${name}`, "utf8");
    expect(text.match(/["'`]node:\w+["'`]/g) ?? []).toEqual(
      /"node:crypto"/.test(text) ? ['"node:crypto"'] : [],
    );
    expect(text).not.toMatch(/(from |import\(|require\()"(?!\.\/)/);
  }
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
  const { outputFiles } = await build({
    stdin: {
      contents:
        'import { NotFoundError } from "./dist/index.js"; const e = new NotFoundError("沒有"); console.log(String(e), e.name, e instanceof Error);',
      resolveDir: ROOT,
    },
    bundle: true,
    minify: true,
    platform: "neutral",
    format: "esm",
    write: false,
  });
  const code = outputFiles[0]?.text ?? "";
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  expect(printed).toBe("NotFoundError: 沒有 NotFoundError true\n");
});
