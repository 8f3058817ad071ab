/**
 * The entry for the export condition `node`: Node 18 has Web Crypto in a module only.
 *
 * Bundlers for other platforms take `index.ts`, and never see the module.
 *
 * @packageDocumentation
 */

import { webcrypto } from "node:crypto";
import { setFallback } from "./core/crypto.js";

setFallback(webcrypto as Crypto);

export * from "./index.js";
