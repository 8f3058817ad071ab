import type { Graph, GraphEdge, GraphNode } from "./types";

export const NODE = { width: 176, height: 56, across: 104, down: 28 } as const;

// What an edge takes of a column that it passes.
const PASSING = 12;

export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge extends GraphEdge {
  readonly path: string;
  /** Where its label stands. */
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** A node in a column, or an edge that passes it. */
interface Item {
  readonly height: number;
  readonly node?: GraphNode;
  readonly before: Item[];
  x: number;
  y: number;
}

/**
 * Place each node one column behind the last of those that lead to it. An edge that passes columns has a place of its own in
 * each, so that it runs behind no node; within a column all stand in the order of what leads to them.
 */
export function layoutOf(graph: Graph): Layout {
  const column = columnsOf(graph);
  const columns: Item[][] = [];
  const items = new Map<string, Item>();
  const add = (at: number, item: Item) => {
    (columns[at] ??= []).push(item);
    return item;
  };
  for (const node of graph.nodes)
    items.set(node.id, add(column.get(node.id) ?? 0, { height: NODE.height, node, before: [], x: 0, y: 0 }));
  const routes = graph.edges.flatMap((edge) => {
    const from = items.get(edge.from);
    const to = items.get(edge.to);
    if (!from || !to) return [];
    const route = [from];
    for (let at = (column.get(edge.from) ?? 0) + 1; at < (column.get(edge.to) ?? 0); at++)
      route.push(add(at, { height: PASSING, before: [route.at(-1) ?? from], x: 0, y: 0 }));
    to.before.push(route.at(-1) ?? from);
    return [{ edge, route: [...route, to] }];
  });
  const height = place(columns);
  const nodes = [...items.values()].flatMap(({ node, x, y }) => (node ? [{ ...node, x, y }] : []));
  const width = Math.max(1, columns.length) * (NODE.width + NODE.across) - NODE.across;
  return { nodes, edges: routes.map(({ edge, route }) => drawn(edge, route)), width, height };
}

/** Order and stack the items of each column around one line; return the height of all. */
function place(columns: Item[][]): number {
  const middle = (item: Item) => item.y + item.height / 2;
  const wanted = ({ before }: Item) => before.reduce((sum, one) => sum + middle(one), 0) / (before.length || 1);
  columns.forEach((items, at) => {
    if (at > 0) items.sort((one, other) => wanted(one) - wanted(other));
    const whole = items.reduce((sum, { height }) => sum + height + NODE.down, -NODE.down);
    let y = -whole / 2;
    for (const item of items) {
      item.x = at * (NODE.width + NODE.across);
      item.y = y;
      y += item.height + NODE.down;
    }
  });
  const all = columns.flat();
  const top = Math.min(0, ...all.map(({ y }) => y));
  for (const item of all) item.y -= top;
  return Math.max(NODE.height, ...all.map(({ y, height }) => y + height));
}

function drawn(edge: GraphEdge, route: readonly Item[]): PlacedEdge {
  let path = "";
  let label = { x: 0, y: 0 };
  route.slice(1).forEach((item, index) => {
    const before = route[index] ?? item;
    const start = { x: before.x + NODE.width, y: before.y + before.height / 2 };
    const end = { x: item.x, y: item.y + item.height / 2 };
    const bend = (start.x + end.x) / 2;
    path += `${index ? "L" : "M"}${start.x} ${start.y}C${bend} ${start.y} ${bend} ${end.y} ${end.x} ${end.y}`;
    if (index === 0) label = { x: bend, y: (start.y + end.y) / 2 };
  });
  return { ...edge, path, ...label };
}

function columnsOf({ nodes, edges }: Graph): Map<string, number> {
  const columns = new Map(nodes.map(({ id }) => [id, 0]));
  // A graph without a cycle is done after as many rounds as it has nodes; the engine stores no other.
  for (const _ of nodes) {
    let changed = false;
    for (const { from, to } of edges) {
      const behind = (columns.get(from) ?? 0) + 1;
      if (behind <= (columns.get(to) ?? 0)) continue;
      columns.set(to, behind);
      changed = true;
    }
    if (!changed) break;
  }
  return columns;
}
