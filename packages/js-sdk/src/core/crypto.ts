/** The runtime's cryptography. */

import { ConfigurationError } from "./errors.js";

let fallback: Crypto | undefined;

/** Sets what is used where the runtime has no global Web Crypto. */
export const setFallback = (crypto: Crypto): void => {
  fallback = crypto;
};

/** Returns the runtime's Web Crypto. */
export function webCrypto(): Crypto {
  const found = globalThis.crypto?.subtle ? globalThis.crypto : fallback;
  if (found) return found;
  throw new ConfigurationError(
    "this runtime has no Web Crypto (crypto.subtle): in a browser, the page must be loaded over https or from localhost; in a test environment such as jsdom, set globalThis.crypto to the webcrypto of Node.js",
  );
}
