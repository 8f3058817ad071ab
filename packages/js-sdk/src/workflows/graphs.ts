/** Compiles workflow documents (`flow` and `config`) to graphs (docs/contract.md#pushing-a-workflow). */

import { InvalidArgumentError } from "../core/errors.js";
import { nearest } from "../core/nearest.js";
import { type JsonObject, listOf, objectOf, objectsOf } from "../core/shapes.js";
import type { CallOptions } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import type { ApiRequest } from "../http/request.js";
import { fieldOf } from "../http/response.js";

// What a node says about failures stands in a config among the parameters of its component, and in a graph beside
// them (docs/contract.md#policies). A component with a parameter of such a name keeps it.
const DEFAULTS = ["retry", "timeout_seconds", "on_failure", "repeatable"];
const NODE_FIELDS = new Set([...DEFAULTS, "concurrency"]);
const WORKFLOW_FIELDS = new Set([
  ...DEFAULTS,
  "on_failure_workflow",
  "max_running",
  "when_full",
  "cron",
  "webhook",
]);
const OWN_PARAMETERS: Record<string, string[]> = { http_request: ["timeout_seconds"] };

/** The settings of each node. */
export type Config = Record<string, JsonObject>;

/**
 * Returns the graph that is pushed, and the config that is pushed with it.
 *
 * @param config - Settings per node, over those of a document.
 */
export async function graphToPush(
  { send }: Connection,
  name: string,
  graph: JsonObject,
  config: Config,
  options: CallOptions,
): Promise<[JsonObject, Config]> {
  checkConfig(config, "the option config");
  if (!isDocument(graph)) return [{ ...graph, id: name, name }, config];
  const settings = { ...configOf(graph), ...config };
  const compiled = await send(compileFlow(flowOf(graph)), options);
  return [compileGraph(name, compiled, settings, graph), settings];
}

/** Returns whether a workflow is strict, as the option or else the document says; undefined if neither does. */
export function strictness(graph: object, option: unknown): boolean | undefined {
  // The engine reads what a compiled graph says itself.
  const document = objectOf(graph);
  return checkStrict(option ?? (document && "flow" in document ? document["strict"] : undefined));
}

/** Returns the value of `strict`; throws if it is neither true nor false. */
export function checkStrict(strict: unknown): boolean | undefined {
  const value = strict ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw new InvalidArgumentError(`strict must be true or false, not ${strict}`);
}

/** Compiles flow lines to a graph without config: `POST /cypher/search`. */
const compileFlow = (triplets: string[]): ApiRequest<JsonObject> => ({
  call: "workflows.push",
  method: "POST",
  path: "/cypher/search",
  key: "none",
  body: { triplets, mode: "compile" },
  read: (content) => {
    const cypher = fieldOf(content, "cypher", "object");
    fieldOf(cypher, "nodes", "list");
    fieldOf(cypher, "edges", "list");
    return content;
  },
});

/** Tells a workflow document from a compiled graph; throws if it is neither. */
function isDocument(graph: JsonObject): boolean {
  const fields = objectOf(graph);
  if (fields && "flow" in fields) return true;
  if (Array.isArray(fields?.["nodes"]) && Array.isArray(fields["edges"])) return false;
  throw new InvalidArgumentError(
    'a workflow is a document { flow: ["input >> 完成後 >> a", …], config: {…} } or a compiled graph { nodes: […], edges: […] }; parse YAML text first',
  );
}

/** Returns the document's flow lines. */
function flowOf({ flow }: JsonObject): string[] {
  const lines = listOf(flow);
  if (!lines.length) throw new InvalidArgumentError("the document's flow must be a non-empty list of lines");
  lines.forEach((line, i) => {
    if (typeof line !== "string")
      throw new InvalidArgumentError(`flow line ${i + 1} is not text: write "FROM >> EDGE >> TO", quoted`);
  });
  return lines as string[];
}

/** Returns the document's config: the component and parameters of each node. */
function configOf({ config }: JsonObject): Config {
  return checkConfig(config ?? {}, "the document's config");
}

/** Returns settings of nodes; throws if they do not have that shape. */
function checkConfig(config: unknown, what: string): Config {
  const nodes = objectOf(config);
  if (!nodes) throw new InvalidArgumentError(`${what} must map each node to its settings`);
  for (const [node, settings] of Object.entries(nodes))
    if (!objectOf(settings))
      throw new InvalidArgumentError(
        `the config of node '${node}' must be an object, such as { component: "set", … }`,
      );
  return nodes as Config;
}

/**
 * Adds the config to the compiled nodes, and names the graph.
 *
 * @param document - What it says about failures and runs becomes part of the graph.
 */
function compileGraph(name: string, compiled: JsonObject, config: Config, document: JsonObject): JsonObject {
  const missing = listOf(compiled["missing"]);
  if (missing.length)
    throw new InvalidArgumentError(`workflow '${name}': the engine does not know ${missing.join(", ")}`);
  const cypher = compiled["cypher"] as JsonObject;
  const nodes = objectsOf(cypher["nodes"]).map((node) => ({ ...node }) as JsonObject);
  const byId = new Map(nodes.map((node) => [String(node["id"]), node]));
  for (const [key, { component, ...settings }] of Object.entries(config)) {
    const node = byId.get(key) ?? byId.get(nodeId(key));
    if (!node)
      throw new InvalidArgumentError(
        `workflow '${name}': config names a node '${key}' that is not in the flow${nearest(key, [...byId.keys()])}`,
      );
    if (component) Object.assign(node, { componentId: component, type: "Component" });
    const isOfNode = (field: string) =>
      NODE_FIELDS.has(field) && !OWN_PARAMETERS[String(node["componentId"])]?.includes(field);
    const data = pick(settings, (field) => !isOfNode(field));
    if (Object.keys(data).length) node["data"] = { ...objectOf(node["data"]), ...data };
    Object.assign(node, pick(settings, isOfNode));
  }
  const said = pick(document, (field) => WORKFLOW_FIELDS.has(field));
  return { id: name, name, ...said, nodes, edges: cypher["edges"] };
}

/** Returns the fields of an object whose names are chosen. */
const pick = (fields: JsonObject, isChosen: (name: string) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => isChosen(name)));

/** Returns the id that the engine gives a node (docs/contract.md#workflow-graphs). */
const nodeId = (name: string): string => name.trim().toLowerCase().replace(/\s+/g, "-");
