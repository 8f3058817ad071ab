/** The settings of a client: from its options, else from the environment, else the defaults. */

import { variable } from "./environment.js";
import { ConfigurationError, InvalidArgumentError } from "./errors.js";
import { originOf, readOrigin, withoutSlashes } from "./origins.js";
import type { Secret } from "./secret.js";
import { objectOf } from "./shapes.js";
import type { CredentialFormat } from "./types.js";

// Those that the SDK or the runtime sets itself.
const OWN_HEADERS =
  /^(x-arcrun-api-key|idempotency-key|content-type|content-length|host|accept-encoding|transfer-encoding|connection)$/i;

export const HOSTED = "https://cypher.arcrun.dev";
export const TIMEOUT = 60; // seconds, for each attempt of a request
export const MAX_RETRIES = 2;
export const MAX_RESPONSE_BYTES = 64 * 2 ** 20;

/** The settings of a client. */
export interface Settings {
  apiKey: Secret | undefined;
  baseUrl: string;
  credentialFormat: CredentialFormat;
}

/** The options that may also come from the environment. */
export interface SettingsOptions {
  /** `ak_…`; else the variable `ARCRUN_API_KEY`. */
  apiKey?: string | undefined;
  /** The address of the engine; else `ARCRUN_BASE_URL`, else the hosted one. */
  baseUrl?: string | undefined;
  /** `sealed` or `plain`; else `ARCRUN_CREDENTIAL_FORMAT`, else `sealed`. */
  credentialFormat?: CredentialFormat | undefined;
}

/** Resolves each setting; throws for a malformed one, naming the option or variable that it came from. */
export function resolve(options: SettingsOptions): Settings {
  const resolveOne = (name: keyof SettingsOptions, variableName: string): [unknown, string] =>
    options[name] === undefined
      ? [variable(variableName), `the variable ${variableName}`]
      : [options[name], `the option ${name}`];
  return {
    apiKey: checkKey(...resolveOne("apiKey", "ARCRUN_API_KEY")),
    baseUrl: checkBaseUrl(...resolveOne("baseUrl", "ARCRUN_BASE_URL")),
    credentialFormat: checkFormat(...resolveOne("credentialFormat", "ARCRUN_CREDENTIAL_FORMAT")),
  };
}

/** Returns the API key; throws if it is malformed. */
export function checkKey(key: unknown, source: string): Secret | undefined {
  if (key === undefined) return undefined;
  if (typeof key === "string" && /^[!-~]+$/.test(key)) return () => key;
  throw new ConfigurationError(
    `the API key from ${source} is empty or has characters that do not occur in keys (white space, a quotation mark): copy it again; a key is ak_ and 48 hex digits`,
  );
}

/** Returns the base URL without slashes at its end; throws if it is malformed. */
export function checkBaseUrl(url: unknown, source: string): string {
  if (url === undefined) return HOSTED;
  if (typeof url === "string" && !/[\s?#{]|:0+(\/|$)/.test(url)) {
    const own = originOf(url);
    if (own && own === readOrigin(url)) return withoutSlashes(url);
  }
  throw new ConfigurationError(
    `${source} is not a base URL: write scheme, host and port, such as ${HOSTED} or http://127.0.0.1:8787, without user name, query or fragment`,
  );
}

function checkFormat(format: unknown, source: string): CredentialFormat {
  if (format === undefined || format === "sealed") return "sealed";
  if (format === "plain") return format;
  throw new ConfigurationError(`${source} must be 'sealed' or 'plain', not '${format}'`);
}

/** Returns a time-out in seconds; throws if it is not valid. */
export function checkTimeout(seconds: number): number {
  if (typeof seconds === "number" && seconds > 0 && seconds < 2e6) return seconds;
  throw new InvalidArgumentError(`timeout must be in seconds, not milliseconds, and above 0, not ${seconds}`);
}

/** Returns a number of retries; throws if it is not valid. */
export const checkRetries = (maxRetries: number): number => checkWhole("maxRetries", maxRetries, 0);

/** Returns headers in lower case; throws if one can't be sent, naming it without its value. */
export function checkHeaders(headers: Record<string, string>, option: string): Record<string, string> {
  const checked: Record<string, string> = {};
  if (!objectOf(headers) || Symbol.iterator in headers)
    throw new ConfigurationError(`${option} must be an object with a text for each name`);
  for (const [name, value] of Object.entries(headers)) {
    if (OWN_HEADERS.test(name)) throw new ConfigurationError(`${option} can't set '${name}'`);
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || typeof value !== "string" || !/^[\t -~]*$/.test(value))
      throw new ConfigurationError(
        `${option}: the header '${name}' cannot be sent: a name has letters, digits and -, a value is ASCII text without line breaks`,
      );
    checked[name.toLowerCase()] = value;
  }
  return checked;
}

/** Returns an option that is on or off; throws for a text such as "no", which would count as on. */
export function checkFlag(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new ConfigurationError(`${name} must be true or false, not ${value}`);
}

/** Returns a `fetch` of the user's own; throws if it can't be called. */
export function checkFetch<F>(fetch: F): F {
  if (typeof fetch === "function") return fetch;
  throw new ConfigurationError(`fetch must be a function, not a value of type ${typeof fetch}`);
}

/** Returns a number of bytes; throws if it is not valid. */
export const checkLimit = (bytes: number): number => checkWhole("maxResponseBytes", bytes, 1);

function checkWhole(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new ConfigurationError(`${name} must be a whole number of at least ${least}, not ${value}`);
}
