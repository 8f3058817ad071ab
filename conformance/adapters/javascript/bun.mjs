/** The adapter for Bun. Argument: the folder that environment.py created. */

import { adapter } from "./adapter.mjs";
import { serve } from "./stdio.mjs";

const sdk = await import(`${process.argv[2]}/sdk.mjs`);
const inspect = (value) => Bun.inspect(value, { depth: 8 });
await serve(adapter(sdk, { name: `Bun ${Bun.version}`, environment: process.env, inspect }));
