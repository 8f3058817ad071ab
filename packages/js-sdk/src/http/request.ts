/** A request to the engine's API as data: what is sent, and whether it may be sent again. */

import { type APIStatusError, InvalidArgumentError } from "../core/errors.js";
import { blankOut, type Secret } from "../core/secret.js";
import type { JsonObject } from "../core/shapes.js";
import type { KeyUse } from "./trust.js";

/** A more precise error than the status of a response tells. */
export interface PreciseError {
  kind: typeof APIStatusError;
  message: string;
  /** What the user can do, appended to the message. */
  hint: string;
}

/** One API request: what to send, how to read the response, whether it may be retried. */
export interface ApiRequest<T> {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** Makes the result from the response's JSON object. */
  read(content: JsonObject): T;
  /** Sent as JSON. */
  body?: object;
  headers?: Record<string, string>;
  /** Whether the API key is sent; left out, it is required. */
  key?: KeyUse;
  /** False if sending it twice could do harm. */
  retryable?: boolean;
  /** The result of a DELETE whose retry finds nothing left to delete. */
  resultIfGone?: T;
  /** Blanked out of error messages. */
  secrets?: readonly Secret[];
  /** Returns a more precise error for an error response, if there is one. */
  preciseError?(status: number, message: string): PreciseError | undefined;
  /** Whether the request runs a workflow. */
  runsWorkflow?: boolean;
}

/** Returns a request's body as JSON text; throws if it cannot be written as JSON. */
export function bodyOf({ method, path, body, secrets = [] }: ApiRequest<unknown>): string | undefined {
  if (!body) return undefined;
  try {
    return JSON.stringify(body);
  } catch (error) {
    const reason = blankOut(String(error), secrets);
    throw new InvalidArgumentError(`the body of ${method} ${path} cannot be written as JSON: ${reason}`);
  }
}
