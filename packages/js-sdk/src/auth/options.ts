/** The options of `client.auth` and `client.creds`. */

import type { CallOptions, Sensitivity } from "../core/types.js";
import type { Fetch } from "../http/fetch.js";

/** The options of `auth.setup`. */
export interface SetupOptions extends CallOptions {
  /** Stores the secrets as `KEY__account`, for one of several accounts. */
  account?: string | undefined;
}

/** The options of `auth.getToken`. */
export interface TokenOptions extends CallOptions {
  /** One of several accounts, as named in `setup`. */
  account?: string | undefined;
  /** The origin that the recipe may send secrets to, if the SDK does not know it; plain http for loopback only. */
  trustOrigin?: string | undefined;
  /**
   * Accepts the engine's recipe, though it is not the one that the SDK knows, or asks for secrets that were stored
   * without a service.
   */
  trustRecipe?: boolean | undefined;
}

/** The options of `auth.bind`. */
export interface BindOptions extends TokenOptions {
  /** Sends the requests, with the secrets in them; left out, the runtime's `fetch`. */
  fetch?: Fetch | undefined;
}

/** The options of `creds.push`. */
export interface PushCredentialOptions extends CallOptions {
  /** The service that it belongs to; left out, the deployed engine clears it. */
  service?: string | undefined;
  /** `standard` or `high`. */
  sensitivity?: Sensitivity | undefined;
}
