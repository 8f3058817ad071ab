/** Answers become results, or typed errors: all shapes of CONTRACT.md §1 end in one. */

import {
  type APIStatusError,
  type ErrorDetail,
  hide,
  statusClass,
  UnexpectedResponseError,
  WorkflowPaused,
  WorkflowRunError,
} from "../core/errors.js";
import { originOf } from "../core/origins.js";
import { type JsonObject, objectOf, objectsOf, textOf, textsOf } from "../core/shapes.js";
import type { Answer, Call } from "./request.js";

/**
 * Returns a call's result, or throws the typed error.
 *
 * @param attempt - 0 for the first request of the call, 1 for its first retry, …
 */
export function readAnswer<T>(call: Call<T>, answer: Answer, attempt: number): T {
  const { status, json } = answer;
  const asked = `${call.method} ${call.path} was answered`;
  if (status >= 200 && status < 300) {
    if (!json)
      throw new UnexpectedResponseError(
        `${asked} ${status} without a JSON object${reference(undefined, answer)}; is the base URL an arcrun engine?`,
      );
    if (call.runs) checkRun(answer, json);
    return call.read(json);
  }
  // A browser hides the status of a redirect: 0.
  if (status < 400) {
    const to = originOf(answer.headers.get("location") ?? "") ?? "somewhere on the same host";
    throw new UnexpectedResponseError(
      `${asked} with a redirect (${status}) to ${to}, which the SDK does not follow with your key; set baseUrl to the engine's own address`,
    );
  }
  if (status === 404 && attempt && call.gone) return call.gone;
  if (call.runs) checkRun(answer, json ?? {});
  throw statusError(call, answer);
}

/** Tells a workflow's own failure, or pause, from a failure of the engine. */
export const isRunFailure = ({ status, json = {} }: Answer): boolean =>
  status === 500 && (json["success"] === false || isPaused(json));

const PAUSED = /workflow paused at node (.+?) waiting for task (\S+)/;

const isPaused = (json: JsonObject): boolean => json["paused"] === true || PAUSED.test(wordsOf(json));

/** Throws if a run's answer says that it is paused or failed. */
function checkRun(answer: Answer, json: JsonObject): void {
  const { status } = answer;
  if (isPaused(json)) throw pausedError(json, PAUSED.exec(wordsOf(json)));
  if (json["success"] === false && (status < 300 || status === 500)) throw runError(answer, json);
}

/** Makes the typed error of an error answer. */
function statusError(call: Call<unknown>, answer: Answer): APIStatusError {
  const { status, json = {} } = answer;
  const said = wordsOf(json);
  const closer = call.closer?.(status, said);
  const words = closer?.words ?? (said || plainWords(answer));
  const kind = closer?.kind ?? statusClass(status);
  return filled(kind, words + (closer?.hint ?? ""), words, answer, steps(json));
}

function runError(answer: Answer, json: JsonObject): WorkflowRunError {
  const trace = objectsOf(json["trace"]);
  const failed = trace.filter(({ error, status }) => error || status === "failed" || status === "error");
  const node = textOf(json["failed_node"]) ?? textOf(failed.pop()?.["node"]);
  const message = wordsOf(json) || "the run failed without a reason";
  const where = node && !message.includes(node) ? ` at node '${node}'` : "";
  const error = filled(WorkflowRunError, `the workflow failed${where}: ${message}`, message, answer);
  if (node) error.failedNode = node;
  hide(error, { failedInput: json["failed_input"], trace });
  if (typeof json["duration_ms"] === "number") error.durationMs = json["duration_ms"];
  return error;
}

function pausedError(json: JsonObject, found: RegExpExecArray | null): WorkflowPaused {
  const node = textOf(json["paused_node_id"]) ?? found?.[1];
  const task = textOf(json["task_id"]) ?? found?.[2];
  const error = new WorkflowPaused(
    `the workflow is paused${node ? ` at node '${node}'` : ""} and waits for task ${task}: POST /workflows/resume with this task_id carries it on`,
  );
  const run = textOf(json["run_id"]);
  return Object.assign(error, node && { node }, task && { taskId: task }, run && { runId: run });
}

/** Makes an error of an answer, with all attributes. */
function filled<E extends APIStatusError>(
  kind: new (text: string) => E,
  text: string,
  message: string,
  answer: Answer,
  more = "",
): E {
  const { status, headers, json = {} } = answer;
  const code = textOf(json["code"]) ?? textOf(json["error_code"]);
  const requestId = headers.get("x-request-id");
  const error = new kind(`${text}${reference(code, answer)}${more}`);
  error.status = status;
  if (code) error.code = code;
  if (requestId) error.requestId = requestId;
  if (json["requires"] !== undefined) error.requires = json["requires"];
  error.details = objectsOf(json["details"]) as ErrorDetail[];
  error.nextActions = textsOf(json["next_actions"]);
  hide(error, { body: answer.text, engineMessage: message });
  return error;
}

/** Finds the words in the shapes that engines and gateways use. */
function wordsOf(json: JsonObject): string {
  for (const key of ["error", "human_message", "message", "detail"]) {
    const value = json[key];
    const found = textOf(objectOf(value)?.["message"] ?? value);
    if (found) return found;
  }
  return textsOf(json["errors"]).join("; ");
}

function plainWords({ text }: Answer): string {
  const words = text.trim().replace(/\s+/g, " ");
  if (!words || /^[<{[]/.test(words)) return "the engine answered an error without words";
  return words.length > 300 ? `${words.slice(0, 300)}…` : words;
}

function reference(code: string | undefined, { status, headers }: Answer): string {
  const id = headers.get("x-request-id");
  return ` (${[`HTTP ${status}`, code, id && `request ${id}`].filter(Boolean).join(", ")})`;
}

function steps(json: JsonObject): string {
  const lines = objectsOf(json["details"]).map(({ path, line, message, suggestion }) => {
    const place = path || (line === undefined ? "" : `line ${line}`);
    return `\n  ${place}: ${message ?? ""}${suggestion ? ` (${suggestion})` : ""}`;
  });
  return [...lines, ...textsOf(json["next_actions"]).map((action) => `\n  → ${action}`)]
    .slice(0, 10)
    .join("");
}
