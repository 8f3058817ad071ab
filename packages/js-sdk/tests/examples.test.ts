/** The examples of the documentation compile, run against a real engine, and print what their comments promise. */

import { readFileSync } from "node:fs";
import { format } from "node:util";
import ts from "typescript";
import { beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest";
import * as sdk from "../src/index.js";

const ROOT = new URL("../", import.meta.url);
const FILES = [
  "client",
  "auth/creds",
  "auth/auth",
  "workflows/workflows",
  "workflows/runs",
  "stored/recipes",
  "components/components",
  "core/errors",
  "auth/bound",
].map((name) => `src/${name}.ts`);

interface Example {
  location: string;
  code: string;
}

/** Returns the examples of a file, in order. */
function examplesIn(path: string): Example[] {
  const text = readFileSync(new URL(path, ROOT), "utf8");
  return Array.from(
    text.matchAll(/^( \* | {3}\* |)```ts\n(.*?)^\1```$/gms),
    ([, margin = "", code = ""], i) => ({
      location: `${path} ${i + 1}`,
      code: code.replace(new RegExp(`^${margin.trimEnd().replace("*", "\\*")} ?`, "gm"), ""),
    }),
  );
}

const examples = [...FILES, "README.md"].map((path) => [path, examplesIn(path)] as const);
const engine = inject("engine");

/** Adds what an example leaves out: the imports and the client. */
function complete(code: string): string {
  const client = /^const client =/m.test(code) ? "" : 'declare const client: import("@arcrun/sdk").Arcrun;\n';
  const imports = /^import /m.test(code) ? "" : 'import { Arcrun, ArcrunError } from "@arcrun/sdk";\n';
  return imports + client + code;
}

it("every public class has examples", () => {
  expect(examples.map(([, found]) => found.length)).toEqual([5, 3, 4, 7, 2, 11, 3, 1, 1, 4]);
});

it("the examples compile, strictly", () => {
  const files = new Map(
    examples.flatMap(([, found]) =>
      found.map(({ location, code }) => [
        new URL(`tests/${location.replace(/\W/g, "_")}.ts`, ROOT).pathname,
        `${complete(code)}\nexport {};\n`,
      ]),
    ),
  );
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
    strict: true,
    noEmit: true,
    types: [],
    paths: { "@arcrun/sdk": [new URL("src/index.ts", ROOT).pathname] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
  expect(faults).toEqual([]);
});

/** Runs an example; returns what it printed. */
async function run(code: string, client: sdk.Arcrun): Promise<string[]> {
  const printed: string[] = [];
  const body = ts
    .transpile(code, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext })
    .replace(/^import .*$/gm, "")
    .replace("ak_…", engine.key)
    .replace("http://127.0.0.1:8787", engine.url);
  const own = /const client =/.test(body) ? [] : ["client"];
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  const names = ["Arcrun", "ArcrunError", "WorkflowRunError", "console", ...own];
  const console = { log: (...values: unknown[]) => void printed.push(format(...values)) };
  await new AsyncFunction(...names, body)(
    sdk.Arcrun,
    sdk.ArcrunError,
    sdk.WorkflowRunError,
    console,
    ...own.map(() => client),
  );
  return printed;
}

/** Returns what the comments of an example promise that it prints. */
const promised = (code: string): string[] =>
  Array.from(code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm), ([, output = ""]) => output);

describe("the examples run, against a real engine:", () => {
  let client: sdk.Arcrun;

  beforeAll(() => {
    client = new sdk.Arcrun({ apiKey: engine.key, baseUrl: engine.url });
  });

  beforeEach(() => {
    vi.stubEnv("ARCRUN_API_KEY", engine.key);
    vi.stubEnv("ARCRUN_BASE_URL", engine.url);
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", async (input: string, init?: RequestInit) =>
      // The only address that is not on this machine.
      String(input).startsWith("https://api.notion.com/")
        ? Response.json({ results: [] })
        : fetch(input, init),
    );
  });

  for (const [path, found] of examples)
    for (const { location, code } of found)
      it(location, async () => {
        if (path === "src/workflows/workflows.ts" && !code.includes("workflows.push"))
          await client.workflows.push("shout", {
            flow: ["input >> 完成後 >> 大寫"],
            config: { 大寫: { component: "comp_uppercase" } },
          });
        if (code.includes(".executions(")) await client.workflows.run("shout", { text: "一" });
        const printed = await run(code, client);
        const expected = promised(code);
        expect(expected.length).toBeGreaterThan(0);
        expect(printed).toEqual(expected);
      });
});
