/** Bundles the SDK and the adapter for runtimes that load a single script. */

import { createRequire } from "node:module";
import { resolve } from "node:path";

/** Returns a `require` for the packages in the folder that environment.py created. */
export const from = (folder) => createRequire(resolve(folder, "npm", "package.json"));

/**
 * Returns a script that defines `replyTo`, which carries out the command in a line.
 *
 * @param {string} folder The folder that environment.py created.
 * @param {string} runtime The description of the runtime, as an expression.
 * @param {string} rest The rest of the script, which uses `replyTo`.
 */
export async function bundled(folder, runtime, rest) {
  const { build } = from(folder)("esbuild");
  const contents = `
    import * as sdk from ${JSON.stringify(resolve(folder, "sdk.mjs"))};
    import { adapter } from ${JSON.stringify(resolve(import.meta.dirname, "adapter.mjs"))};
    const replyTo = adapter(sdk, ${runtime});
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
