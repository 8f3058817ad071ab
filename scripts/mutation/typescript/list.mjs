// Prints the mutants that Stryker makes of files, as JSON, without running anything: `node list.mjs FILE…`.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The instrumenter is a package of Stryker's, so it is found from there.
const core = createRequire(import.meta.url).resolve("@stryker-mutator/core");
const { Instrumenter } = await import(pathToFileURL(createRequire(core).resolve("@stryker-mutator/instrumenter")).href);
const silent = new Proxy({}, { get: (_, name) => () => (String(name).startsWith("is") ? false : undefined) });
const options = { plugins: null, excludedMutations: [], ignorers: [] };
const files = process.argv.slice(2).map((name) => ({ name, mutate: true, content: readFileSync(name, "utf8") }));
const { mutants } = await new Instrumenter(silent).instrument(files, options);
process.stdout.write(JSON.stringify(mutants));
