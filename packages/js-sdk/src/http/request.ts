/** A request to the engine's API as data: what is sent, and whether it may be sent again. */

import type { APIStatusError } from "../core/errors.js";
import { toJson } from "../core/json.js";
import type { Secret } from "../core/secret.js";
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
  /** The method of the client that sends it, as errors name it. */
  call: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
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
  /** Whether the response's body is read as it comes. */
  streams?: boolean;
  /** Whether the request runs a workflow. */
  runsWorkflow?: boolean;
}

/** Returns the name of the method that sends a request, as users write it. */
export const nameOf = ({ call }: { call: string }): string => `client.${call}()`;

/** Returns a request's body as JSON text; throws if it cannot be written as JSON. */
export const bodyOf = ({ call, body, secrets }: ApiRequest<unknown>): string | undefined =>
  body && toJson(body, `${nameOf({ call })}: the input`, secrets);
