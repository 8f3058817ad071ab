/** The engine's responses: each becomes a result or a typed error (docs/contract.md#errors). */

import {
  type APIStatusError,
  ConflictError,
  type ErrorDetail,
  hide,
  statusClass,
  UnexpectedResponseError,
  WorkflowPaused,
  WorkflowRunError,
} from "../core/errors.js";
import { originOf } from "../core/origins.js";
import { isText, type JsonObject, objectOf, objectsOf, textOf, textsOf } from "../core/shapes.js";
import { type ApiRequest, nameOf } from "./request.js";

/** An HTTP response of the engine. */
export interface ApiResponse {
  status: number;
  headers: Headers;
  text: string;
  /** Where it came from. */
  url: string;
  /** The body, if it is a JSON object. */
  json: JsonObject | undefined;
  /** What the body is read from as it comes, if the request asked for a stream. */
  stream?: BodyReader;
}

/** Reads a body as it comes. */
export type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

/** The methods that stand for the routes that an engine's advice names. */
const METHODS: Record<string, string> = {
  "/webhooks/named": "client.workflows.list()",
  "/credentials": "client.creds.list()",
  "/auth-recipes": "client.auth.listServices()",
  "/health": "client.health()",
  "/prompt-recipes": "client.recipes.list()",
};

interface Kinds {
  text: string;
  boolean: boolean;
  list: unknown[];
  object: JsonObject;
}

const IS: Record<keyof Kinds, (value: unknown) => unknown> = {
  text: isText,
  boolean: (value) => typeof value === "boolean",
  list: Array.isArray,
  object: objectOf,
};

/** Returns a field that the contract promises; throws if it is missing, or of another type. */
export function fieldOf<K extends keyof Kinds>(content: JsonObject, key: string, kind: K): Kinds[K] {
  const value = content[key];
  if (IS[kind](value)) return value as Kinds[K];
  throw new UnexpectedResponseError(
    `the response has no field '${key}' of type ${kind}; is the base URL an arcrun engine?`,
  );
}

/**
 * Returns a request's result; throws the typed error if there is none.
 *
 * @param attempt - 0 for the first attempt, 1 for the first retry, …
 */
export function readResponse<T>(request: ApiRequest<T>, response: ApiResponse, attempt: number): T {
  const { status, json } = response;
  const subject = nameOf(request);
  if (status >= 200 && status < 300) {
    if (!json)
      throw new UnexpectedResponseError(
        `${subject}: the response is not a JSON object${reference(undefined, response)}; is the base URL an arcrun engine?`,
      );
    if (request.runsWorkflow) checkRun(response, json);
    return request.read(json);
  }
  // A browser hides the status of a redirect: 0.
  if (status < 400) {
    const target = originOf(response.headers.get("location") ?? "") ?? "another path of the same host";
    throw new UnexpectedResponseError(
      `${subject}: the engine returned a redirect (${status}) to ${target}, which the SDK does not follow with your API key; set baseUrl to the engine's own address`,
    );
  }
  if (status === 404 && attempt && request.resultIfGone) return request.resultIfGone;
  if (request.runsWorkflow) checkRun(response, json ?? {});
  throw statusError(request, response);
}

/** Tells a failure, or pause, of the workflow itself from a failure of the engine. */
export const isRunFailure = ({ status, json = {} }: ApiResponse): boolean =>
  status === 500 && (json["success"] === false || isPaused(json));

/**
 * Finds node and task in the error message with which the deployed engine reports a pause.
 *
 * Only the first start in each line is tried: where a later one would match, the first one does. To try them all takes
 * quadratic time, and the message may repeat what a service returned.
 */
function findPause(message: string): RegExpExecArray | null {
  for (const line of message.split(/[\n\r\u2028\u2029]/)) {
    const start = line.indexOf("workflow paused at node ");
    const found =
      start < 0 ? null : /^workflow paused at node (.+?) waiting for task (\S+)/.exec(line.slice(start));
    if (found) return found;
  }
  return null;
}

const isPaused = (json: JsonObject): boolean => json["paused"] === true || !!findPause(messageOf(json));

/** Throws if the response to a run reports that it is paused or failed. */
function checkRun(response: ApiResponse, json: JsonObject): void {
  const { status } = response;
  if (isPaused(json)) throw pausedError(json, findPause(messageOf(json)));
  if (json["success"] === false && (status < 300 || status === 500)) throw runError(response, json);
}

/** Returns the typed error for an error response. */
function statusError(request: ApiRequest<unknown>, response: ApiResponse): APIStatusError {
  const { status, json = {} } = response;
  const found = messageOf(json);
  const precise = request.preciseError?.(status, found);
  const message = precise?.message ?? (found || plainMessage(response));
  const kind = precise?.kind ?? statusClass(status);
  // A path that no route has: what an engine says of a resource has a code of its own, or is JSON.
  const isNoRoute = status === 404 && !precise && (!response.json || json["code"] === "not_found");
  const hint = isNoRoute ? `; nothing is at ${response.url}: is the base URL right?` : (precise?.hint ?? "");
  const error = fill(kind, message + hint, message, response, steps(json));
  const newest = json["newest_version"];
  if (error instanceof ConflictError && Number.isInteger(newest)) error.newestVersion = newest as number;
  return error;
}

function runError(response: ApiResponse, json: JsonObject): WorkflowRunError {
  const trace = objectsOf(json["trace"]);
  const failed = trace.filter(({ error, status }) => error || status === "failed" || status === "error");
  const node = textOf(json["failed_node"]) ?? textOf(failed.pop()?.["node"]);
  const message = messageOf(json) || "the engine gave no reason";
  const where = node && !message.includes(node) ? ` at node '${node}'` : "";
  const error = fill(WorkflowRunError, `the workflow failed${where}: ${message}`, message, response);
  if (node) error.failedNode = node;
  hide(error, { failedInput: json["failed_input"], trace });
  if (typeof json["duration_ms"] === "number") error.durationMs = json["duration_ms"];
  return error;
}

function pausedError(json: JsonObject, found: RegExpExecArray | null): WorkflowPaused {
  const node = textOf(json["paused_node_id"]) ?? found?.[1];
  const task = textOf(json["task_id"]) ?? found?.[2];
  const error = new WorkflowPaused(
    `the workflow is paused${node ? ` at node '${node}'` : ""} and waits for task ${task}: client.request("POST", "/workflows/resume", { body: { task_id: "${task}" } }) resumes it`,
  );
  const run = textOf(json["run_id"]);
  return Object.assign(error, node && { node }, task && { taskId: task }, run && { runId: run });
}

/** Makes the error of a response, with all attributes. */
function fill<E extends APIStatusError>(
  kind: new (text: string) => E,
  text: string,
  message: string,
  response: ApiResponse,
  more = "",
): E {
  const { status, headers, json = {} } = response;
  const code = textOf(json["code"]) ?? textOf(json["error_code"]);
  const requestId = headers.get("x-request-id");
  const error = new kind(`${text}${reference(code, response)}${more}`);
  error.status = status;
  if (code) error.code = code;
  if (requestId) error.requestId = requestId;
  if (json["requires"] !== undefined) error.requires = json["requires"];
  error.details = objectsOf(json["details"]) as ErrorDetail[];
  error.nextActions = textsOf(json["next_actions"]);
  hide(error, { body: response.text, engineMessage: message });
  return error;
}

/** Returns the error message, wherever engines and gateways put it. */
function messageOf(json: JsonObject): string {
  for (const key of ["error", "human_message", "message", "detail"]) {
    const value = json[key];
    const found = textOf(objectOf(value)?.["message"] ?? value);
    if (found) return found;
  }
  return textsOf(json["errors"]).join("; ");
}

/** Returns a plain-text body as the message; HTML and JSON make none. */
function plainMessage({ text }: ApiResponse): string {
  const message = text.trim().replace(/\s+/g, " ");
  if (!message || /^[<{[]/.test(message)) return "the engine returned an error without a message";
  return message.length > 300 ? `${message.slice(0, 300)}…` : message;
}

function reference(code: string | undefined, { status, headers }: ApiResponse): string {
  const id = headers.get("x-request-id");
  return ` (${[`HTTP ${status}`, code, id && `request ${id}`].filter(Boolean).join(", ")})`;
}

/** Returns the details and suggestions of an error response, one a line, ten at most. */
function steps(json: JsonObject): string {
  const lines = objectsOf(json["details"]).map(({ path, line, message, suggestion }) => {
    const location = path || (line === undefined ? "" : `line ${line}`);
    return `\n  ${location}: ${message ?? ""}${suggestion ? ` (${suggestion})` : ""}`;
  });
  return [...lines, ...textsOf(json["next_actions"]).map((action) => `\n  → ${action}`)]
    .slice(0, 10)
    .join("")
    .replace(/GET (\/[a-z/-]+[a-z])(?![\w/])/g, (route, path) => METHODS[path] ?? route);
}
