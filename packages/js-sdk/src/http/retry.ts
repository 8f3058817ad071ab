/** When a call is repeated, and after how long (CONTRACT.md §2 "What may be repeated"). */

import { APIConnectionError } from "../core/errors.js";
import type { Answer, Call } from "./request.js";
import { isRunFailure } from "./response.js";

const FIRST_DELAY = 0.5; // seconds; doubles with each retry
const LONGEST_DELAY = 8; // seconds, of a delay that the SDK chooses
const LONGEST_RETRY_AFTER = 60; // seconds, of a delay that the engine asks for

/**
 * Returns how many seconds to wait before the call is repeated, or undefined if it is not.
 *
 * @param outcome - The answer, or why there is none.
 * @param attempt - 0 for the first request of the call, 1 for its first retry, …
 */
export function nextDelay(
  call: Call<unknown>,
  outcome: Answer | APIConnectionError,
  attempt: number,
  maxRetries: number,
): number | undefined {
  if (attempt >= maxRetries || call.once) return undefined;
  if (outcome instanceof APIConnectionError) return backoff(attempt);
  const repeatable = [408, 429, 500, 502, 503, 504].includes(outcome.status);
  if (!repeatable || (call.runs && isRunFailure(outcome))) return undefined;
  return Math.min(retryAfter(outcome.headers) ?? backoff(attempt), LONGEST_RETRY_AFTER);
}

/** Returns an exponential delay with full jitter, in seconds. */
export const backoff = (attempt: number): number =>
  Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);

/** Reads `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date. In seconds. */
export function retryAfter(headers: Headers): number | undefined {
  const asked = headers.get("retry-after");
  for (const [text, unit] of [
    [headers.get("retry-after-ms"), 1e-3],
    [asked, 1],
  ] as const) {
    const number = text?.trim() ? Number(text) * unit : Number.NaN;
    if (number >= 0 && number < Infinity) return number;
  }
  const date = asked && /[a-z]/i.test(asked) ? Date.parse(asked) : Number.NaN;
  return date ? Math.max(0, (date - Date.now()) / 1000) : undefined;
}
