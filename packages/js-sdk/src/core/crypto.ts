/** The runtime's cryptography. */

import { ConfigurationError } from "./errors.js";

/** Returns the runtime's Web Crypto. Node 18 has it only in a module. */
export async function webCrypto(): Promise<Crypto> {
  if (globalThis.crypto?.subtle) return globalThis.crypto;
  try {
    const module = "node:crypto"; // a variable, so that no bundler looks for it
    const { webcrypto } = await import(/* webpackIgnore: true */ /* @vite-ignore */ module);
    return webcrypto;
  } catch {
    throw new ConfigurationError(
      "this runtime has no Web Crypto; in a browser, the page must be loaded over https",
    );
  }
}
