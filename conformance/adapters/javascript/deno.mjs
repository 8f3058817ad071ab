/** The adapter for Deno. Argument: the folder that environment.py created. */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { adapter } from "./adapter.mjs";
import { serve } from "./stdio.mjs";

const sdk = await import(pathToFileURL(`${Deno.args[0]}/sdk.mjs`).href);
const inspect = (value) => Deno.inspect(value, { showHidden: true, depth: 8 });
await serve(adapter(sdk, { name: `Deno ${Deno.version.deno}`, environment: process.env, inspect }));
