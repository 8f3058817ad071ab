/** The requests of the engine's API, one function for each operation (docs/contract.md#routes). */

import { InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { isUnicode, type JsonObject, objectOf, textOf } from "../core/shapes.js";
import type {
  AuthRecipe,
  Component,
  ComponentResult,
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
import { type ApiRequest, nameOf } from "./request.js";
import { fieldOf } from "./response.js";

/** Returns a reader that checks one field and returns the whole object. */
export const withField =
  <T>(key: string, kind: "text" | "boolean" | "object" | "list") =>
  (content: JsonObject): T => {
    fieldOf(content, key, kind);
    return content as T;
  };

/** A part of a list, and what leads to the next one. */
export interface Page<T> {
  items: T[];
  cursor: string | undefined;
}

/**
 * Returns a reader that returns the page of a list in one field.
 *
 * What is no entry, or can lead nowhere, is an error: a list that was cut would look like a whole one.
 */
export const pageIn =
  <T>(key: string) =>
  (content: JsonObject): Page<T> => {
    const items = fieldOf(content, key, "list");
    const cursor = content["next_cursor"] ?? "";
    if (!items.every(objectOf) || (cursor !== "" && !isUnicode(cursor)))
      throw new UnexpectedResponseError(`'${key}' or 'next_cursor' in the response is malformed`);
    return { items: items as T[], cursor: textOf(cursor) };
  };

/**
 * Gets a list, page by page (docs/contract.md#lists).
 *
 * @param send - Sends the request of a page.
 * @param request - The request of the first page.
 */
export async function wholeList<T>(
  send: (request: ApiRequest<Page<T>>) => Promise<Page<T>>,
  request: ApiRequest<Page<T>>,
): Promise<T[]> {
  const pages: T[][] = [];
  const seen = new Set<string>();
  for (let path = request.path; ; ) {
    const { items, cursor } = await send({ ...request, path });
    pages.push(items);
    if (!cursor) return pages.flat();
    if (seen.has(cursor))
      throw new UnexpectedResponseError(`${nameOf(request)}: the engine repeats a page of the list`);
    seen.add(cursor);
    path = `${request.path}${request.path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`;
  }
}

/** Returns the path of a credential. */
export const credentialPath = (name: string): string => `/credentials/${encodeURIComponent(name)}`;
const LONGEST_QUERY = 200;
const WORKFLOWS = "/webhooks/named";
const workflowPath = (name: string): string => `${WORKFLOWS}/${encodeURIComponent(name)}`;

/** Gets the engine's health: `GET /health`. */
export const health = (): ApiRequest<Health> => ({
  call: "health",
  method: "GET",
  path: "/health",
  key: "none",
  read: withField("ok", "boolean"),
});

/** Lists the auth recipes: `GET /auth-recipes`. */
export const listServices = (): ApiRequest<Page<AuthRecipe>> => ({
  call: "auth.listServices",
  method: "GET",
  path: "/auth-recipes",
  key: "optional",
  read: pageIn("recipes"),
});

/** Lists the credentials: `GET /credentials`. */
export const listCredentials = (): ApiRequest<Page<Credential>> => ({
  call: "creds.list",
  method: "GET",
  path: "/credentials",
  read: pageIn("credentials"),
});

/** Deletes a credential: `DELETE /credentials/{name}`. */
export const deleteCredential = (name: string): ApiRequest<DeletedCredential> => ({
  call: "creds.delete",
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
  strict: boolean | undefined,
): ApiRequest<PushedWorkflow> => ({
  call: "workflows.push",
  method: "POST",
  path: WORKFLOWS,
  body: { name, graph, description, ...(Object.keys(config).length && { config }), strict },
  read: withField("name", "text"),
});

/** Lists the workflows: `GET /webhooks/named`. */
export const listWorkflows = (): ApiRequest<Page<WorkflowSummary>> => ({
  call: "workflows.list",
  method: "GET",
  path: WORKFLOWS,
  read: pageIn("workflows"),
});

/** Gets a workflow: `GET /webhooks/named/{name}/definition`. */
export const getWorkflow = (name: string): ApiRequest<Workflow> => ({
  call: "workflows.get",
  method: "GET",
  path: `${workflowPath(name)}/definition`,
  read: withField("graph", "object"),
});

/** Deletes a workflow: `DELETE /webhooks/named/{name}`. */
export const deleteWorkflow = (name: string): ApiRequest<DeletedWorkflow> => ({
  call: "workflows.delete",
  method: "DELETE",
  path: workflowPath(name),
  resultIfGone: { deleted: true, name },
  read: withField("name", "text"),
});

/**
 * Runs a workflow: `POST /webhooks/named/{name}/trigger`.
 *
 * It may be retried only with an idempotency key, which the caller adds (docs/contract.md#retries-and-idempotency).
 */
export function runWorkflow(
  name: string,
  input: object | undefined,
  { runAsync, strict }: { runAsync?: boolean | undefined; strict?: boolean | undefined },
): ApiRequest<RunResult> {
  if (input !== undefined && !objectOf(input))
    throw new InvalidArgumentError(`input must be an object such as { text: "你好" }`);
  const query = [runAsync && "async=1", strict && "strict=true"].filter(Boolean).join("&");
  return {
    call: "workflows.run",
    method: "POST",
    path: `${workflowPath(name)}/trigger${query && `?${query}`}`,
    body: input ?? {},
    retryable: false,
    runsWorkflow: true,
    read: (content) => content,
  };
}

/** Lists a workflow's runs: `GET /workflows/{name}/executions`. */
export function listExecutions(name: string, limit: number | undefined): ApiRequest<Page<Execution>> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new InvalidArgumentError(`limit must be a whole number of at least 1, not ${limit}`);
  return {
    call: "workflows.executions",
    method: "GET",
    path: `/workflows/${encodeURIComponent(name)}/executions${limit ? `?limit=${limit}` : ""}`,
    read: (content) => pageIn<Execution>("executions")(fieldOf(content, "data", "object")),
  };
}

/** Lists the components of the catalog: `GET /components`. */
export const listComponents = (): ApiRequest<Page<Component>> => ({
  call: "components.list",
  method: "GET",
  path: "/components",
  key: "none",
  read: pageIn("components"),
});

/** Gets a component of the catalog: `GET /components/{id}`. */
export const getComponent = (id: string): ApiRequest<Component> => ({
  call: "components.get",
  method: "GET",
  path: `/components/${encodeURIComponent(id)}`,
  key: "none",
  read: (content) => fieldOf(content, "component", "object") as Component,
});

/** Finds components and recipes: `GET /components/search`. */
export function searchComponents(query: string): ApiRequest<Page<ComponentResult>> {
  if (!isUnicode(query) || [...query].length > LONGEST_QUERY)
    throw new InvalidArgumentError(
      `query must be text of 1 to ${LONGEST_QUERY} characters, without half a surrogate pair`,
    );
  return {
    call: "components.search",
    method: "GET",
    path: `/components/search?q=${encodeURIComponent(query)}`,
    key: "optional",
    read: pageIn("results"),
  };
}
