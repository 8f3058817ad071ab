/** Where the settings come from: option, then environment, then the default. */

import { variable } from "./environment.js";
import { ConfigurationError, InvalidArgumentError } from "./errors.js";
import { originOf, readOrigin } from "./origins.js";
import type { Secret } from "./secret.js";
import type { CredentialFormat } from "./types.js";

export const HOSTED = "https://cypher.arcrun.dev";
export const TIMEOUT = 60; // seconds, for each attempt of a call
export const MAX_RETRIES = 2;

/** What a client works with. */
export interface Settings {
  apiKey: Secret | undefined;
  baseUrl: string;
  credentialFormat: CredentialFormat;
}

/** The options that the environment may give as well. */
export interface SettingsOptions {
  /** `ak_…`; else the variable `ARCRUN_API_KEY`. */
  apiKey?: string | undefined;
  /** The engine; else `ARCRUN_BASE_URL`, else the hosted one. */
  baseUrl?: string | undefined;
  /** `sealed` or `plain`; else `ARCRUN_CREDENTIAL_FORMAT`, else `sealed`. */
  credentialFormat?: CredentialFormat | undefined;
}

/** Chooses each setting, and says of a malformed one where it came from. */
export function resolve(options: SettingsOptions): Settings {
  const choose = (name: keyof SettingsOptions, inEnvironment: string): [unknown, string] =>
    options[name] === undefined
      ? [variable(inEnvironment), `the variable ${inEnvironment}`]
      : [options[name], `the option ${name}`];
  return {
    apiKey: checkKey(...choose("apiKey", "ARCRUN_API_KEY")),
    baseUrl: checkBaseUrl(...choose("baseUrl", "ARCRUN_BASE_URL")),
    credentialFormat: checkFormat(...choose("credentialFormat", "ARCRUN_CREDENTIAL_FORMAT")),
  };
}

function checkKey(key: unknown, origin: string): Secret | undefined {
  if (key === undefined) return undefined;
  if (typeof key === "string" && /^[!-~]+$/.test(key)) return () => key;
  throw new ConfigurationError(
    `the API key from ${origin} is empty or has characters that no key has (white space, a line break, a quote from elsewhere): copy it again; keys look like ak_ and 48 hex digits`,
  );
}

function checkBaseUrl(url: unknown, origin: string): string {
  if (url === undefined) return HOSTED;
  if (typeof url === "string" && !/[\s?#{]|:0+(\/|$)/.test(url)) {
    const own = originOf(url);
    if (own && own === readOrigin(url)) return url.replace(/\/+$/, "");
  }
  throw new ConfigurationError(
    `${origin} is no base URL: write scheme, host and port, such as ${HOSTED} or http://127.0.0.1:8787, without user name, query or fragment`,
  );
}

function checkFormat(format: unknown, origin: string): CredentialFormat {
  if (format === undefined || format === "sealed") return "sealed";
  if (format === "plain") return format;
  throw new ConfigurationError(`${origin} is '${format}': it must be 'sealed' or 'plain'`);
}

/** Returns a time-out in seconds, or says what is wrong with it. */
export function checkTimeout(seconds: number): number {
  if (typeof seconds === "number" && seconds > 0 && seconds < 2e6) return seconds;
  throw new InvalidArgumentError(
    `timeout ${seconds}: it is a number of seconds above 0 (seconds, not milliseconds)`,
  );
}

/** Returns a number of retries, or says what is wrong with it. */
export function checkRetries(maxRetries: number): number {
  if (Number.isInteger(maxRetries) && maxRetries >= 0) return maxRetries;
  throw new ConfigurationError(`maxRetries ${maxRetries}: it is a number from 0 on`);
}
