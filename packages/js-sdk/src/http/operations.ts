/** The calls of the engine's API, one function each (CONTRACT.md §2). */

import { InvalidArgumentError } from "../core/errors.js";
import { type JsonObject, objectOf } from "../core/shapes.js";
import type {
  AuthRecipe,
  Credential,
  DeletedCredential,
  DeletedWorkflow,
  Execution,
  Health,
  PushedWorkflow,
  RunResult,
  Workflow,
  WorkflowSummary,
} from "../core/types.js";
import { type Call, fieldOf } from "./request.js";

/** Reads an answer whose fields the contract promises. */
export const having =
  <T>(key: string, kind: "text" | "boolean" | "object") =>
  (answer: JsonObject): T => {
    fieldOf(answer, key, kind);
    return answer as T;
  };

/** Reads a list out of an answer. */
const listIn =
  <T>(key: string) =>
  (answer: JsonObject): T[] =>
    fieldOf(answer, key, "list") as T[];

export const credentialPath = (name: string): string => `/credentials/${encodeURIComponent(name)}`;
const WORKFLOWS = "/webhooks/named";
const workflowPath = (name: string): string => `${WORKFLOWS}/${encodeURIComponent(name)}`;

export const health = (): Call<Health> => ({
  method: "GET",
  path: "/health",
  key: "none",
  read: having("ok", "boolean"),
});

export const listServices = (): Call<AuthRecipe[]> => ({
  method: "GET",
  path: "/auth-recipes",
  key: "optional",
  read: listIn("recipes"),
});

export const listCredentials = (): Call<Credential[]> => ({
  method: "GET",
  path: "/credentials",
  read: listIn("credentials"),
});

export const deleteCredential = (name: string): Call<DeletedCredential> => ({
  method: "DELETE",
  path: credentialPath(name),
  gone: { name, success: true },
  read: having("name", "text"),
});

export const pushWorkflow = (
  name: string,
  graph: object,
  description: string,
  config: object,
): Call<PushedWorkflow> => ({
  method: "POST",
  path: WORKFLOWS,
  body: { name, graph, description, ...(Object.keys(config).length && { config }) },
  read: having("name", "text"),
});

export const listWorkflows = (): Call<WorkflowSummary[]> => ({
  method: "GET",
  path: WORKFLOWS,
  read: listIn("workflows"),
});

export const getWorkflow = (name: string): Call<Workflow> => ({
  method: "GET",
  path: `${workflowPath(name)}/definition`,
  read: having("graph", "object"),
});

export const deleteWorkflow = (name: string): Call<DeletedWorkflow> => ({
  method: "DELETE",
  path: workflowPath(name),
  gone: { deleted: true, name },
  read: having("name", "text"),
});

/** `POST /webhooks/named/{name}/trigger`; may be repeated only with an idempotency key. */
export function runWorkflow(
  name: string,
  input: object | undefined,
  runAsync: boolean | undefined,
  idempotencyKey: string | undefined,
): Call<RunResult> {
  if (input !== undefined && !objectOf(input))
    throw new InvalidArgumentError(`input must be an object such as { text: "你好" }`);
  return {
    method: "POST",
    path: `${workflowPath(name)}/trigger${runAsync ? "?async=1" : ""}`,
    body: input ?? {},
    ...(idempotencyKey ? { headers: { "Idempotency-Key": idempotencyKey } } : { once: true }),
    runs: true,
    read: (answer) => answer,
  };
}

export function listExecutions(name: string, limit: number | undefined): Call<Execution[]> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new InvalidArgumentError(`limit ${limit}: it is a number from 1 on`);
  return {
    method: "GET",
    path: `/workflows/${encodeURIComponent(name)}/executions${limit ? `?limit=${limit}` : ""}`,
    read: (answer) => listIn<Execution>("executions")(fieldOf(answer, "data", "object")),
  };
}
