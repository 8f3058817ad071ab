/** Every error that the SDK throws. All derive from `ArcrunError`; none holds a secret. */

import type { JsonObject } from "./shapes.js";

/** Sets an attribute that logs, `console.log` and JSON leave out. */
export const hide = (target: object, attributes: JsonObject): void => {
  for (const name in attributes)
    Object.defineProperty(target, name, { value: attributes[name], configurable: true, writable: true });
};

type Marked = Record<symbol, unknown>;

/** Returns the property that marks the errors of a class, whichever copy of the package made them. */
const markOf = (name: string): symbol => Symbol.for(`arcrun.${name}`);

/**
 * The base of every error of this SDK.
 *
 * @example
 * ```ts
 * try {
 *   await client.workflows.get("no_such_workflow");
 * } catch (error) {
 *   if (error instanceof ArcrunError) console.log(error.name); // NotFoundError
 * }
 * ```
 */
export class ArcrunError extends Error {
  /** Names of the credentials that `auth.setup` had stored when it failed. */
  stored?: readonly string[];
}

/** The key, base URL, credential format or another option is missing or malformed. */
export class ConfigurationError extends ArcrunError {}

/** An argument is not valid. No request was sent for it. */
export class InvalidArgumentError extends ArcrunError {}

/** The API key would be sent over plain http to a host other than loopback. */
export class InsecureTransportError extends ArcrunError {}

/** The engine could not be reached, or the connection was lost. `cause` is the runtime's reason. */
export class APIConnectionError extends ArcrunError {}

/** The engine did not respond in time. */
export class APITimeoutError extends APIConnectionError {}

/** The response is not what the contract promises: not JSON, another shape, a redirect. */
export class UnexpectedResponseError extends ArcrunError {}

/** A secret that `bind` or `getToken` needs was not found. */
export class MissingSecretError extends ArcrunError {
  /** The names of the credentials that were not found. */
  missing: readonly string[] = [];
}

/** An auth recipe would send secrets to an origin that is not known to be the service's own. */
export class RecipeOriginError extends ArcrunError {}

/** A shipped service's auth recipe is not the one that the SDK knows: no secret was used. */
export class RecipeChangedError extends ArcrunError {}

/** The service's token endpoint did not return an access token. */
export class TokenExchangeError extends ArcrunError {}

/** The run waits for a callback (docs/contract.md#execution); `POST /workflows/resume` resumes it. */
export class WorkflowPaused extends ArcrunError {
  /** The task to name when it is resumed. */
  taskId?: string;
  /** The run's id, if the engine reports it. */
  runId?: string;
  /** The node that waits, if the engine reports it. */
  node?: string;
}

/** An error in the input, with its location. */
export interface ErrorDetail {
  message: string;
  path?: string;
  line?: number;
  column?: number;
  suggestion?: string;
  [field: string]: unknown;
}

/** The engine responded with an error. */
export class APIStatusError extends ArcrunError {
  /** The HTTP status. */
  status = 0;
  /** The engine's own message; `message` has more. */
  engineMessage!: string;
  /** The engine's error code, such as `workflow_not_found`, if it sent one. */
  code?: string;
  /** The response's `X-Request-Id`, if it had one. */
  requestId?: string;
  /** The raw body; secrets of the request are blanked out. Not shown by `console.log`. */
  body!: string;
  /** What the engine requires, if it says so. */
  requires?: unknown;
  /** The errors in the input, each with at least a `message`. */
  details: readonly ErrorDetail[] = [];
  /** What the engine suggests doing. */
  nextActions: readonly string[] = [];
}

/** 400: the engine refused the request. */
export class BadRequestError extends APIStatusError {}

/** The engine accepts plain credentials only; `credentialFormat: "plain"` is the opt-in. */
export class SealedCredentialsUnsupportedError extends BadRequestError {}

/** 401: the API key is missing, unknown or revoked. */
export class AuthenticationError extends APIStatusError {}

/** 403: the API key may not do this. */
export class PermissionDeniedError extends APIStatusError {}

/** 404: the resource does not exist. */
export class NotFoundError extends APIStatusError {}

/** 404: there is no auth recipe for this service. */
export class UnknownServiceError extends NotFoundError {}

/** 409: the request conflicts with something that exists. */
export class ConflictError extends APIStatusError {
  /** The newest version of a recipe, where another one was expected; 0 if there is no such recipe. */
  newestVersion?: number;
}

/** 429: too many requests, even after the retries. */
export class RateLimitError extends APIStatusError {}

/** 5xx: the engine failed, even after the retries. */
export class ServerError extends APIStatusError {}

/**
 * The workflow itself failed. It is never retried.
 *
 * `failedInput` and `trace` may hold run data: `console.log` does not show them.
 */
export class WorkflowRunError extends APIStatusError {
  /** The node that failed, if known. */
  failedNode?: string;
  /** The input of that node. */
  failedInput?: unknown;
  /** What ran before it, node by node. */
  trace!: readonly JsonObject[];
  /** How long the run took, in milliseconds. */
  durationMs?: number;
}

// Names that survive minification. On the prototypes, so that nothing is added to each error.
const NAMED = {
  ArcrunError,
  ConfigurationError,
  InvalidArgumentError,
  InsecureTransportError,
  APIConnectionError,
  APITimeoutError,
  UnexpectedResponseError,
  MissingSecretError,
  RecipeOriginError,
  RecipeChangedError,
  TokenExchangeError,
  WorkflowPaused,
  APIStatusError,
  BadRequestError,
  SealedCredentialsUnsupportedError,
  AuthenticationError,
  PermissionDeniedError,
  NotFoundError,
  UnknownServiceError,
  ConflictError,
  RateLimitError,
  ServerError,
  WorkflowRunError,
};
for (const [name, { prototype }] of Object.entries(NAMED)) {
  hide(prototype, { name });
  Object.defineProperty(prototype, markOf(name), { value: true });
}

// So that `instanceof` holds for errors of any copy of the package: ES module and CommonJS, or another realm, as in Jest.
Object.defineProperty(ArcrunError, Symbol.hasInstance, {
  value(this: { prototype: Error }, value: unknown): boolean {
    const { prototype } = this;
    // Not for classes that a user derives: they have no mark of their own.
    const isOurs = Object.getOwnPropertyNames(prototype).includes("name");
    const isMarked = isOurs && (Object(value) as Marked)[markOf(prototype.name)];
    return !!isMarked || Function.prototype[Symbol.hasInstance].call(this, value);
  },
});

/** Returns the class of the error for an HTTP status. */
export const statusClass = (status: number): typeof APIStatusError =>
  ({
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
  })[status] ?? (status >= 500 ? ServerError : APIStatusError);
