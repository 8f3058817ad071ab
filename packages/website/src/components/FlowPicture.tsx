import { type Text, texts } from "@/messages";
import { Say } from "./Say";

const t = texts("home");

interface Node {
  readonly x: number;
  readonly y: number;
  readonly text: Text;
  readonly component: string;
}

const NODES: readonly Node[] = [
  { x: 0, y: 92, text: t.flowInput, component: "input" },
  { x: 200, y: 92, text: t.flowFetch, component: "http_request" },
  { x: 400, y: 92, text: t.flowCheck, component: "if_control" },
  { x: 610, y: 20, text: t.flowNotify, component: "slack" },
  { x: 610, y: 164, text: t.flowWrite, component: "claude_api" },
];
const EDGES = [
  { path: "M165 122 H200", label: "" },
  { path: "M365 122 H400", label: "" },
  { path: "M565 112 C590 112 585 50 610 50", label: "true" },
  { path: "M565 132 C590 132 585 194 610 194", label: "false" },
];

/** The picture of the home page: a workflow as arcrun draws it. */
export function FlowPicture() {
  return (
    <figure className="flow-picture">
      <figcaption className="only-read-aloud">
        <Say of={t.flowLabel} />
      </figcaption>
      <svg viewBox="-4 14 784 216" aria-hidden="true">
        {EDGES.map(({ path }) => (
          <path key={path} d={path} className="edge" />
        ))}
        <text x="582" y="78" className="edge-label" textAnchor="end">
          true
        </text>
        <text x="582" y="176" className="edge-label" textAnchor="end">
          false
        </text>
        {NODES.map(({ x, y, text, component }, index) => (
          <g key={component} transform={`translate(${x} ${y})`} className={`node step-${index}`}>
            <rect width="165" height="60" rx="12" />
            <circle cx="20" cy="22" r="4" />
            <text x="34" y="27" className="en">
              {text.en}
            </text>
            <text x="34" y="27" className="zh">
              {text.zh}
            </text>
            <text x="14" y="47" className="component">
              {component}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}
