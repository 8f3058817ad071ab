"use client";

import { useEffect, useRef } from "react";
import { useLanguage } from "@/components/language";
import { layoutOf, NODE } from "@/engine/layout";
import type { Graph } from "@/engine/types";
import type { Text } from "@/messages";

/** How a node has ended in the part of a run that is shown. */
export type Outcome = "good" | "bad" | "waits";

interface Props {
  readonly graph: Graph;
  readonly label: Text;
  readonly done: ReadonlyMap<string, Outcome>;
  /** The node whose step is shown. */
  readonly at: string | undefined;
  readonly onChoose: (node: string) => void;
}

// In halves of a Chinese character, which is as wide as two Latin ones.
const LONGEST = { id: 15, component: 20, edge: 15 };
export const SIGNS: Record<Outcome, string> = { good: "✓", bad: "✗", waits: "…" };

/** A graph from left to right; the text version and the list of steps say the same to those who don't see it. */
export function GraphPicture({ graph, label, done, at, onChoose }: Props) {
  const language = useLanguage();
  const frame = useRef<HTMLDivElement>(null);
  const { nodes, edges, width, height } = layoutOf(graph);
  const shown = nodes.find(({ id }) => id === at);
  useEffect(() => {
    const { current } = frame;
    if (!current || !shown) return;
    // Of a graph that is wider than its frame, show the node that the step is about.
    current.scrollTo({
      left: shown.x - (current.clientWidth - NODE.width) / 2,
      top: shown.y - (current.clientHeight - NODE.height) / 2,
    });
  }, [shown?.id]);
  return (
    <div className="graph" ref={frame} tabIndex={0} role="group" aria-label={label[language]}>
      <svg viewBox={`-8 -8 ${width + 16} ${height + 16}`} width={width + 16} height={height + 16} role="img" aria-label={label[language]}>
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0 8 4 0 8Z" className="arrow" />
          </marker>
        </defs>
        {edges.map(({ from, to, type, iterator, path, x, y }) => (
          <g key={`${from} ${type} ${to}`}>
            <path d={path} className="edge" markerEnd="url(#arrow)" />
            {type !== "PIPE" && (
              <text x={x} y={y - 6} textAnchor="middle" className="edge-label">
                {shortened(iterator ? `${type} ${iterator}` : type, LONGEST.edge)}
              </text>
            )}
          </g>
        ))}
        {nodes.map(({ id, x, y, componentId, type }) => {
          const outcome = done.get(id);
          return (
            <g
              key={id}
              transform={`translate(${x} ${y})`}
              className={`node ${outcome ?? ""} ${id === at ? "at" : ""}`}
              onClick={() => onChoose(id)}
            >
              <title>{id}</title>
              <rect width={NODE.width} height={NODE.height} rx={type === "Component" ? 10 : NODE.height / 2} />
              <text x="18" y="25">
                {shortened(id, LONGEST.id)}
              </text>
              <text x="18" y="43" className="component">
                {shortened(componentId ?? type, LONGEST.component)}
              </text>
              {outcome && (
                <text x={NODE.width - 16} y="25" textAnchor="end" className="sign">
                  {SIGNS[outcome]}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

const WIDE = /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]|\p{Extended_Pictographic}/u;

/** Cut a text to a width; what people see as one character stays whole. */
function shortened(text: string, longest: number): string {
  let width = 0;
  let kept = "";
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, 10 * longest))) {
    width += WIDE.test(segment) ? 2 : 1;
    if (width > longest) return `${kept}…`;
    kept += segment;
  }
  return kept;
}
