import type { Graph, GraphEdge, GraphNode } from "./types";

export const NODE = { width: 176, height: 56, across: 64, down: 24 } as const;

export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly (GraphEdge & { readonly path: string; readonly x: number; readonly y: number })[];
  readonly width: number;
  readonly height: number;
}

/** Place each node one column behind the last of those that lead to it, and those of a column below each other. */
export function layoutOf(graph: Graph): Layout {
  const columns = columnsOf(graph);
  const filled = new Map<number, number>();
  const placed = new Map<string, PlacedNode>();
  for (const node of graph.nodes) {
    const column = columns.get(node.id) ?? 0;
    const row = filled.get(column) ?? 0;
    filled.set(column, row + 1);
    placed.set(node.id, {
      ...node,
      x: column * (NODE.width + NODE.across),
      y: row * (NODE.height + NODE.down),
    });
  }
  const edges = graph.edges.flatMap((edge) => {
    const from = placed.get(edge.from);
    const to = placed.get(edge.to);
    if (!from || !to) return [];
    const start = { x: from.x + NODE.width, y: from.y + NODE.height / 2 };
    const end = { x: to.x, y: to.y + NODE.height / 2 };
    const bend = (start.x + end.x) / 2;
    const path = `M${start.x} ${start.y}C${bend} ${start.y} ${bend} ${end.y} ${end.x} ${end.y}`;
    return [{ ...edge, path, x: bend, y: (start.y + end.y) / 2 }];
  });
  const nodes = [...placed.values()];
  return {
    nodes,
    edges,
    width: Math.max(...nodes.map((node) => node.x + NODE.width), NODE.width),
    height: Math.max(...nodes.map((node) => node.y + NODE.height), NODE.height),
  };
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
