/** The adapter for Node.js, SDK imported as an ES module. Argument: the folder that environment.py created. */

import { webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";
import { adapter } from "./adapter.mjs";
import { serve, show } from "./stdio.mjs";

const sdk = await import(pathToFileURL(`${process.argv[2]}/sdk.mjs`).href);
const name = `Node.js ${process.version} (ESM)`;
await serve(adapter(sdk, { name, environment: process.env, inspect: show, crypto: webcrypto }));
