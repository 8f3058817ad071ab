/** The adapter for Node.js, SDK required as CommonJS. Argument: the folder that environment.py created. */

const { webcrypto } = require("node:crypto");
const { resolve } = require("node:path");
const sdk = require(resolve(process.argv[2], "sdk.cjs"));

Promise.all([import("./adapter.mjs"), import("./stdio.mjs")]).then(([{ adapter }, { serve, show }]) => {
  const name = `Node.js ${process.version} (CommonJS)`;
  return serve(adapter(sdk, { name, environment: process.env, inspect: show, crypto: webcrypto }));
});
