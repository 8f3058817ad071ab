/** The requests of the engine's API, one function for each operation (docs/contract.md#routes). */

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
import type { ApiRequest } from "./request.js";
import { fieldOf } from "./response.js";

/** Returns a reader that checks one field and returns the whole object. */
export const withField =
  <T>(key: string, kind: "text" | "boolean" | "object") =>
  (content: JsonObject): T => {
    fieldOf(content, key, kind);
    return content as T;
  };

/** Returns a reader that returns the list in one field. */
const listIn =
  <T>(key: string) =>
  (content: JsonObject): T[] =>
    fieldOf(content, key, "list") as T[];

/** Returns the path of a credential. */
export const credentialPath = (name: string): string => `/credentials/${encodeURIComponent(name)}`;
const WORKFLOWS = "/webhooks/named";
const workflowPath = (name: string): string => `${WORKFLOWS}/${encodeURIComponent(name)}`;

/** Gets the engine's health: `GET /health`. */
export const health = (): ApiRequest<Health> => ({
  method: "GET",
  path: "/health",
  key: "none",
  read: withField("ok", "boolean"),
});

/** Lists the auth recipes: `GET /auth-recipes`. */
export const listServices = (): ApiRequest<AuthRecipe[]> => ({
  method: "GET",
  path: "/auth-recipes",
  key: "optional",
  read: listIn("recipes"),
});

/** Lists the credentials: `GET /credentials`. */
export const listCredentials = (): ApiRequest<Credential[]> => ({
  method: "GET",
  path: "/credentials",
  read: listIn("credentials"),
});

/** Deletes a credential: `DELETE /credentials/{name}`. */
export const deleteCredential = (name: string): ApiRequest<DeletedCredential> => ({
  method: "DELETE",
  path: credentialPath(name),
  resultIfGone: { name, success: true },
  read: withField("name", "text"),
});

/** Stores a workflow: `POST /webhooks/named`. */
export const pushWorkflow = (
  name: string,
  graph: object,
  description: string,
  config: object,
): ApiRequest<PushedWorkflow> => ({
  method: "POST",
  path: WORKFLOWS,
  body: { name, graph, description, ...(Object.keys(config).length && { config }) },
  read: withField("name", "text"),
});

/** Lists the workflows: `GET /webhooks/named`. */
export const listWorkflows = (): ApiRequest<WorkflowSummary[]> => ({
  method: "GET",
  path: WORKFLOWS,
  read: listIn("workflows"),
});

/** Gets a workflow: `GET /webhooks/named/{name}/definition`. */
export const getWorkflow = (name: string): ApiRequest<Workflow> => ({
  method: "GET",
  path: `${workflowPath(name)}/definition`,
  read: withField("graph", "object"),
});

/** Deletes a workflow: `DELETE /webhooks/named/{name}`. */
export const deleteWorkflow = (name: string): ApiRequest<DeletedWorkflow> => ({
  method: "DELETE",
  path: workflowPath(name),
  resultIfGone: { deleted: true, name },
  read: withField("name", "text"),
});

/**
 * Runs a workflow: `POST /webhooks/named/{name}/trigger`.
 *
 * It may be retried only with an idempotency key (docs/contract.md#retries-and-idempotency).
 */
export function runWorkflow(
  name: string,
  input: object | undefined,
  runAsync: boolean | undefined,
  idempotencyKey: string | undefined,
): ApiRequest<RunResult> {
  if (input !== undefined && !objectOf(input))
    throw new InvalidArgumentError(`input must be an object such as { text: "你好" }`);
  return {
    method: "POST",
    path: `${workflowPath(name)}/trigger${runAsync ? "?async=1" : ""}`,
    body: input ?? {},
    ...(idempotencyKey ? { headers: { "Idempotency-Key": idempotencyKey } } : { retryable: false }),
    runsWorkflow: true,
    read: (content) => content,
  };
}

/** Lists a workflow's runs: `GET /workflows/{name}/executions`. */
export function listExecutions(name: string, limit: number | undefined): ApiRequest<Execution[]> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new InvalidArgumentError(`limit must be a whole number of at least 1, not ${limit}`);
  return {
    method: "GET",
    path: `/workflows/${encodeURIComponent(name)}/executions${limit ? `?limit=${limit}` : ""}`,
    read: (content) => listIn<Execution>("executions")(fieldOf(content, "data", "object")),
  };
}
