/** Bundles the SDK and the adapter for runtimes that take one script. */

import { createRequire } from "node:module";
import { resolve } from "node:path";

/** Requires a package of the folder that environment.py made. */
export const from = (folder) => createRequire(resolve(folder, "npm", "package.json"));

/**
 * Returns a script in which `answer` carries out a line.
 *
 * @param {string} folder The folder that environment.py made.
 * @param {string} runtime What the runtime has, as an expression.
 * @param {string} rest What is done with `answer`.
 */
export async function bundled(folder, runtime, rest) {
  const { build } = from(folder)("esbuild");
  const contents = `
    import * as sdk from ${JSON.stringify(resolve(folder, "sdk.mjs"))};
    import { adapter } from ${JSON.stringify(resolve(import.meta.dirname, "adapter.mjs"))};
    const answer = adapter(sdk, ${runtime});
    ${rest}`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
  });
  return outputFiles[0].text;
}
