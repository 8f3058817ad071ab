// The report, what is looked up in it, and how elements are made.

const bytesOf = (id) => Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
const unpacked = new Blob([bytesOf("report")]).stream().pipeThrough(new DecompressionStream("gzip"));
const report = await new Response(unpacked).json();
const clocks = JSON.parse(new TextDecoder().decode(bytesOf("clocks")));
const MARKS = { passed: "✓", failed: "✗", error: "!", skipped: "–", unavailable: "?", "not-reached": "·", exempt: "∅" };
const OUTCOMES = ["failed", "error", "unavailable", "passed", "skipped"];
const LANGUAGES = { python: "Python", javascript: "JavaScript", typescript: "TypeScript", go: "Go" };

const byId = (id) => document.getElementById(id);
// Every text is inserted as text, never as HTML, so that an engine's response can't change the page.
const make = (tag, properties = {}, ...children) => {
  const { aria = {}, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
};
const list = (lines, className = "reasons") => make("ul", { className }, ...lines.map((line) => make("li", {}, line)));
const seconds = (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`);
const many = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
/** A part that is made when it is first opened: pages with a thousand cells would be slow otherwise. */
const unfolding = (title, content, open = false) => {
  const details = make("details", {}, make("summary", {}, title));
  const fill = () => {
    if (details.open && details.children.length === 1) details.append(...[content()].flat());
  };
  details.addEventListener("toggle", fill);
  // Unlike setting `open`, this makes the content at once.
  details.unfold = () => { details.open = true; fill(); };
  details.open = open;
  fill();
  return details;
};

const cells = new Map(report.cells.map((cell) => [`${cell.scenario}/${cell.sdk}`, cell]));
const cellOf = (scenario, sdk) => cells.get(`${scenario}/${sdk}`);
const scenarioOf = (id) => report.scenarios.find((one) => one.id === id);
const isBad = (cell) => !["passed", "skipped"].includes(cell.outcome);
const isOf = (cell) => ({ cells }) => cells.some(([scenario, sdk]) => scenario === cell.scenario && sdk === cell.sdk);
const causesOf = (cell) => report.failures.filter(isOf(cell));
/** The checks of a cell that are causes, each with its verdict and findings. */
const partsOf = (cell) => report.failures.flatMap((cause) => cause.checks).filter(isOf(cell));
/** The side that a cause speaks against: of an SDK also its name and language. */
const sideText = ({ side, cells }) => {
  if (side !== "SDK") return side;
  const names = [...new Set(cells.map(([, sdk]) => sdk))];
  const languages = new Set(names.map((name) => report.sdks.find((sdk) => sdk.name === name)?.language).filter(Boolean));
  return [`SDK ${names.join(", ")}`, [...languages].map((one) => LANGUAGES[one] ?? one).join(", ")].filter(Boolean).join(" · ");
};
const sideBadge = (cause) => make("span", { className: `side ${cause.side}` }, sideText(cause));
const waitsOf = (cell) => clocks.cells[`${cell.scenario}/${cell.sdk}`] ?? [];
/** By how many seconds the clock was moved on before a step. */
const movedBefore = (cell, step) => clocks.advances[cell.scenario]?.[step] ?? 0;
const passingFor = (cell) => report.sdks.map((sdk) => sdk.name)
  .find((name) => name !== cell.sdk && cellOf(cell.scenario, name)?.outcome === "passed");
