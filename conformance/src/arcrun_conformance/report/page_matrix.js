// The matrix with its filters, which are kept in the address, and the keys that move in it.

// The part of the address after #, e.g. sdk=node24-esm&outcome=failing&cell=push/python-sync
const state = new URLSearchParams(location.hash.slice(1));
const remember = (changes) => {
  for (const [name, value] of Object.entries(changes)) {
    if (value) state.set(name, value);
    else state.delete(name);
  }
  history.replaceState(null, "", `#${state.toString().replaceAll("%2F", "/").replaceAll("%2C", ",")}`);
};
const chosen = () => (state.get("sdk") ?? "").split(",").filter((name) => report.sdks.some((sdk) => sdk.name === name));
const shows = (sdk) => chosen().length === 0 || chosen().includes(sdk);
const FILTERS = { "": "all outcomes", failing: "failing", passed: "passed", skipped: "skipped", missing: "not run" };
const matches = (cell) => {
  const wanted = state.get("outcome") ?? "";
  if (!wanted) return true;
  if (!cell) return wanted === "missing";
  return wanted === "failing" ? isBad(cell) : cell.outcome === wanted;
};

const showFilters = () => {
  const outcome = make("select", { onchange: () => filter({ outcome: outcome.value }) },
    ...Object.entries(FILTERS).map(([value, text]) => make("option", { value, selected: value === (state.get("outcome") ?? "") }, text)));
  const text = make("input", { type: "search", value: state.get("scenario") ?? "", placeholder: "part of its id",
    oninput: () => filter({ scenario: text.value }) });
  const sdks = report.sdks.length < 2 ? [] : report.sdks.map(({ name }) => {
    const chip = make("button", { type: "button", className: "chip", aria: { pressed: chosen().includes(name) }, onclick: () => {
      const others = chosen().filter((one) => one !== name);
      filter({ sdk: (others.length === chosen().length ? [...others, name] : others).join(",") });
      chip.setAttribute("aria-pressed", chosen().includes(name));
    } }, name);
    return chip;
  });
  byId("filters").onsubmit = (event) => event.preventDefault();
  byId("filters").append(make("label", {}, "scenario ", text), make("label", {}, "outcome ", outcome),
    ...(sdks.length ? [make("div", { className: "chips", role: "group", aria: { label: "SDKs" } }, make("span", { className: "soft" }, "only"), ...sdks)] : []));
};
const filter = (changes) => {
  remember(changes);
  applyFilters();
  showFailures();
};
const applyFilters = () => {
  const wanted = (state.get("scenario") ?? "").toLowerCase();
  let shown = 0;
  for (const row of byId("matrix").tBodies[0].rows) {
    const found = report.sdks.some(({ name }) => shows(name) && matches(cellOf(row.dataset.id, name)));
    row.hidden = !(found && row.dataset.id.toLowerCase().includes(wanted));
    if (!row.hidden) shown += 1;
  }
  for (const element of byId("matrix").querySelectorAll("[data-sdk]")) element.hidden = !shows(element.dataset.sdk);
  const all = report.scenarios.length;
  byId("count").textContent = `${shown < all ? `${shown} of ` : ""}${many(all, "scenario")}`;
  byId("nothing").hidden = shown > 0;
  byId("matrix-frame").hidden = shown === 0;
  const buttons = visibleButtons();
  for (const button of byId("matrix").querySelectorAll("button")) button.tabIndex = -1;
  if (buttons.length) buttons[0].tabIndex = 0;
};

const totals = (sdk) => {
  const own = report.cells.filter((cell) => cell.sdk === sdk.name);
  const parts = OUTCOMES.map((outcome) => [outcome, own.filter((cell) => cell.outcome === outcome).length]);
  const missing = report.scenarios.length - own.length;
  const shown = parts.filter(([, number]) => number);
  return make("small", {}, ...shown.flatMap(([outcome, number]) => [
    make("span", { className: outcome, title: `${number} ${outcome}` }, `${number} ${MARKS[outcome]}`), " "]),
  missing ? make("span", { title: `${missing} not run` }, `${missing} not run`) : "");
};
const about = (sdk) => (sdk.started ? `${sdk.sdk} ${sdk.version}, ${sdk.runtime}` : "did not start");
const heading = (sdk) => {
  const head = make("th", { scope: "col", title: about(sdk) }, sdk.name, totals(sdk));
  head.dataset.sdk = sdk.name;
  return head;
};
const showMatrix = () => {
  const head = make("tr", {}, make("th", { scope: "col", id: "count" }), ...report.sdks.map(heading));
  const fails = ({ id }) => report.sdks.some(({ name }) => cells.has(`${id}/${name}`) && isBad(cellOf(id, name)));
  const rows = [...report.scenarios].sort((one, other) => fails(other) - fails(one)).map((scenario) => {
    const row = make("tr", {}, make("th", { scope: "row" }, scenario.id, make("small", { title: scenario.title }, scenario.title)),
      ...report.sdks.map((sdk) => matrixCell(scenario, sdk)));
    row.dataset.id = scenario.id;
    return row;
  });
  byId("matrix").append(make("thead", {}, head), make("tbody", {}, ...rows));
  byId("matrix").addEventListener("keydown", moveByKey);
};
const matrixCell = (scenario, sdk) => {
  const cell = cellOf(scenario.id, sdk.name);
  const element = make("td", {});
  element.dataset.sdk = sdk.name;
  if (!cell) {
    element.append(make("small", { className: "soft" }, "not run"));
    return element;
  }
  const button = make("button", { type: "button", className: cell.outcome, tabIndex: -1,
    aria: { label: `${scenario.id} with ${sdk.name}: ${cell.outcome}` }, onclick: () => openCell(scenario.id, sdk.name) },
  MARKS[cell.outcome], make("small", {}, ["skipped", "unavailable"].includes(cell.outcome) ? cell.outcome : seconds(cell.seconds)));
  button.onfocus = () => {
    byId("matrix").querySelector('button[tabindex="0"]')?.setAttribute("tabindex", "-1");
    button.tabIndex = 0; // Tab leaves the matrix, and comes back to this cell
  };
  element.append(button);
  return element;
};

const visibleButtons = () => [...byId("matrix").querySelectorAll("tbody tr:not([hidden]) td:not([hidden]) button")];
const moveByKey = (event) => {
  const td = event.target.closest("td");
  const row = td?.parentElement;
  if (!row) return;
  const beside = (element, direction) => {
    do element = element?.[`${direction}ElementSibling`]; while (element && (element.hidden || (element.tagName === "TD" && !element.querySelector("button"))));
    return element;
  };
  const column = [...row.cells].indexOf(td);
  const found = {
    ArrowLeft: () => beside(td, "previous"),
    ArrowRight: () => beside(td, "next"),
    ArrowUp: () => beside(row, "previous")?.cells[column],
    ArrowDown: () => beside(row, "next")?.cells[column],
    Home: () => visibleButtons().find((button) => row.contains(button))?.parentElement,
    End: () => visibleButtons().findLast((button) => row.contains(button))?.parentElement,
  }[event.key]?.();
  const button = found?.querySelector("button");
  if (button) {
    event.preventDefault();
    button.focus();
  }
};

const showDeviations = () => {
  if (!report.deviations.length) return;
  const rows = report.deviations.map((row) => make("tr", {}, make("th", { scope: "row" }, row.scenario),
    make("td", { className: row.state === "new" ? "failed" : "skipped" }, row.state),
    make("td", { className: "text" }, `${row.text} (${row.spec})`)));
  byId("deviations").append(make("h2", {}, "Deviations from the contract"),
    make("div", { className: "scroll" }, make("table", {}, make("tbody", {}, ...rows))));
};
const showArtifacts = () => {
  if (!report.artifacts?.length) return;
  byId("artifacts").append(make("h2", {}, "Artifacts that were tested"), ...report.artifacts.map((one) =>
    make("div", { className: "artifact" }, make("b", {}, one.file), make("code", {}, `sha256:${one.sha256}`),
      one.command ? make("code", {}, one.command) : "")));
};

showHead();
showFailures();
showFilters();
showMatrix();
applyFilters();
showDeviations();
showArtifacts();
// A link to a cell opens it; links of earlier pages have nothing but the cell after the #.
const older = [...state.keys()].find((name) => cells.has(name));
if (older) state.delete(older);
const linked = state.get("cell") ?? older;
if (cells.has(linked)) openCell(...linked.split("/"));
