/** When a request is retried, and after how long (docs/contract.md#retries-and-idempotency). */

import { APIConnectionError } from "../core/errors.js";
import type { ApiRequest } from "./request.js";
import { type ApiResponse, isRunFailure } from "./response.js";

const FIRST_DELAY = 0.5; // seconds; doubles with each retry
const LONGEST_DELAY = 8; // seconds, of a delay that the SDK chooses
const LONGEST_RETRY_AFTER = 60; // seconds, of a delay that the engine asks for

/**
 * Returns how many seconds to wait before the next attempt, or undefined if there is none.
 *
 * @param outcome - The response, or why there is none.
 * @param attempt - 0 for the first attempt, 1 for the first retry, …
 */
export function nextDelay(
  request: ApiRequest<unknown>,
  outcome: ApiResponse | APIConnectionError,
  attempt: number,
  maxRetries: number,
): number | undefined {
  if (attempt >= maxRetries || request.retryable === false) return undefined;
  if (outcome instanceof APIConnectionError) return backoff(attempt);
  const retryable = [408, 429, 500, 502, 503, 504].includes(outcome.status);
  if (!retryable || (request.runsWorkflow && isRunFailure(outcome))) return undefined;
  return Math.min(retryAfter(outcome.headers) ?? backoff(attempt), LONGEST_RETRY_AFTER);
}

/** Returns an exponential delay with full jitter, in seconds. */
export const backoff = (attempt: number): number =>
  Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);

/** Reads `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date. In seconds. */
export function retryAfter(headers: Headers): number | undefined {
  const header = headers.get("retry-after");
  for (const [text, unit] of [
    [headers.get("retry-after-ms"), 1e-3],
    [header, 1],
  ] as const) {
    const number = /^\d+(\.\d*)?$/.test(text ?? "") ? Number(text) * unit : Number.NaN;
    if (number < Infinity) return number;
  }
  // The form of asctime names no zone: JavaScript would read it as local time.
  const date = header && /[a-z]/i.test(header) ? Date.parse(header.replace(/ \d{4}$/, "$& GMT")) : Number.NaN;
  return date ? Math.max(0, (date - Date.now()) / 1000) : undefined;
}
