/** Workflow documents (`flow` + `config`) become graphs as the deployed clients do it (CONTRACT.md §2). */

import { InvalidArgumentError } from "./errors.js";
import { nearest } from "./names.js";
import { type JsonObject, listOf, objectOf, objectsOf } from "./shapes.js";

/** Tells a workflow document from a compiled graph; throws if it is neither. */
export function isDocument(graph: JsonObject): boolean {
  const fields = objectOf(graph);
  if (fields && "flow" in fields) return true;
  if (Array.isArray(fields?.["nodes"]) && Array.isArray(fields["edges"])) return false;
  throw new InvalidArgumentError(
    'a workflow is a document { flow: ["input >> 完成後 >> a", …], config: {…} } or a compiled graph { nodes: […], edges: […] }; parse YAML text first',
  );
}

/** Returns the document's flow lines. */
export function flowOf({ flow }: JsonObject): string[] {
  const lines = listOf(flow);
  if (!lines.length)
    throw new InvalidArgumentError("the document's flow must be a list of lines, and not empty");
  lines.forEach((line, i) => {
    if (typeof line !== "string")
      throw new InvalidArgumentError(`flow line ${i + 1} is no text: write "FROM >> EDGE >> TO", quoted`);
  });
  return lines as string[];
}

/** Returns the document's config: per node its component and parameters. */
export function configOf({ config }: JsonObject): Record<string, JsonObject> {
  const nodes = objectOf(config ?? {});
  if (!nodes) throw new InvalidArgumentError("the document's config must map each node to its settings");
  for (const [node, settings] of Object.entries(nodes))
    if (!objectOf(settings))
      throw new InvalidArgumentError(
        `the config of node '${node}' must be an object, such as { component: "set", … }`,
      );
  return nodes as Record<string, JsonObject>;
}

/** Puts the config into the compiled nodes, and names the graph. */
export function compileGraph(
  name: string,
  compiled: JsonObject,
  config: Record<string, JsonObject>,
): JsonObject {
  const missing = listOf(compiled["missing"]);
  if (missing.length)
    throw new InvalidArgumentError(`workflow '${name}': the engine does not know ${missing.join(", ")}`);
  const cypher = compiled["cypher"] as JsonObject;
  const nodes = objectsOf(cypher["nodes"]).map((node) => ({ ...node }) as JsonObject);
  const byId = new Map(nodes.map((node) => [String(node["id"]), node]));
  for (const [key, { component, ...data }] of Object.entries(config)) {
    const node = byId.get(key) ?? byId.get(nodeId(key));
    if (!node)
      throw new InvalidArgumentError(
        `workflow '${name}': config names '${key}', which no line of the flow does${nearest(key, [...byId.keys()])}`,
      );
    if (component) Object.assign(node, { componentId: component, type: "Component" });
    if (Object.keys(data).length) node["data"] = { ...objectOf(node["data"]), ...data };
  }
  return { id: name, name, nodes, edges: cypher["edges"] };
}

/** Returns the id that the engine gives a node's name (CONTRACT.md §5). */
const nodeId = (name: string): string => name.trim().toLowerCase().replace(/\s+/g, "-");
