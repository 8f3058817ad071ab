/**
 * Whether a request may carry the API key. Every decision about sending the key is made here.
 *
 * It goes to the engine only: `readResponse` refuses redirects. Where the secrets of services may go is decided in
 * `recipes/trust.ts`.
 */

import type { Settings } from "../core/config.js";
import { ConfigurationError, InsecureTransportError } from "../core/errors.js";
import { isSecure } from "../core/origins.js";
import type { Secret } from "../core/secret.js";

/** What decides about the key, besides the request. */
export interface KeyPolicy {
  settings: Settings;
  /** The engine's origin. */
  origin: string;
  /** Whether the user accepts that others on the network can read the key. */
  allowInsecureHttp: boolean;
}

/**
 * Whether a request needs the API key.
 *
 * `optional`: it is sent where there is one and no one else can read it; `none`: it is never sent.
 */
export type KeyUse = "required" | "optional" | "none";

/** Returns the API key if a request may carry it; throws if it needs the key and there is none that may be sent. */
export function apiKeyFor(use: KeyUse, policy: KeyPolicy): Secret | undefined {
  if (use === "required") return requireApiKey(policy);
  return use === "optional" && isPrivate(policy) ? policy.settings.apiKey : undefined;
}

/** Returns the API key; throws if there is none, or if it would go over plain http to another machine. */
export function requireApiKey(policy: KeyPolicy): Secret {
  const { apiKey, baseUrl } = policy.settings;
  if (!apiKey)
    throw new ConfigurationError(
      "this call needs an API key: pass new Arcrun({ apiKey }) or set ARCRUN_API_KEY; keys come from https://arcrun.dev",
    );
  if (!isPrivate(policy))
    throw new InsecureTransportError(
      `${baseUrl} is plain http: anyone on the network could read your API key, which opens every credential. Use https, or pass allowInsecureHttp: true`,
    );
  return apiKey;
}

const isPrivate = ({ origin, allowInsecureHttp }: KeyPolicy): boolean =>
  allowInsecureHttp || isSecure(origin);
