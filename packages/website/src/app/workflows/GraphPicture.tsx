"use client";

import { useLanguage } from "@/components/language";
import { layoutOf, NODE } from "@/engine/layout";
import type { Graph } from "@/engine/types";
import type { Text } from "@/messages";

interface Props {
  readonly graph: Graph;
  readonly label: Text;
  /** The nodes that the shown part of a run has done, and how each ended. */
  readonly done: ReadonlyMap<string, "good" | "bad">;
  readonly at: string | undefined;
}

const LONGEST = 20;

/** A graph from left to right; the text version beside it says the same to those who don't see it. */
export function GraphPicture({ graph, label, done, at }: Props) {
  const language = useLanguage();
  const { nodes, edges, width, height } = layoutOf(graph);
  return (
    <div className="graph" tabIndex={0} role="group" aria-label={label[language]}>
      <svg viewBox={`-8 -8 ${width + 16} ${height + 16}`} width={width + 16} height={height + 16} role="img" aria-label={label[language]}>
        {edges.map(({ from, to, type, path, x, y }) => (
          <g key={`${from} ${type} ${to}`}>
            <path d={path} className="edge" />
            {type !== "PIPE" && (
              <text x={x} y={y - 5} textAnchor="middle" className="edge-label">
                {type}
              </text>
            )}
          </g>
        ))}
        {nodes.map(({ id, x, y, componentId, type }) => (
          <g key={id} transform={`translate(${x} ${y})`} className={`node ${done.get(id) ?? ""} ${id === at ? "at" : ""}`}>
            <title>{id}</title>
            <rect width={NODE.width} height={NODE.height} rx="10" />
            <text x="14" y="24">
              {shortened(id)}
            </text>
            <text x="14" y="42" className="component">
              {shortened(componentId ?? type)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : text;
}
