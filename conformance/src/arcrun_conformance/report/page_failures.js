// The head of the page, and the failures, grouped by cause.

const showHead = () => {
  const { target, gate, leftovers } = report;
  const count = (outcome) => report.cells.filter((cell) => cell.outcome === outcome).length;
  const counted = OUTCOMES.filter(count).map((outcome) => `${count(outcome)} ${outcome}`);
  const left = [...leftovers.problems, ...leftovers.left.map((thing) => `left behind: ${thing}`)];
  const missing = report.scenarios.length * report.sdks.length - report.cells.length;
  byId("head").append(
    make("h1", {}, "arcrun conformance"),
    make("p", { className: "result" },
      gate ? make("span", { className: `verdict ${gate.verdict}` }, gate.verdict) : null,
      gate ? ` gate ${gate.contract}, column ${gate.column} · ` : "", counted.join(", ") || "no scenario was run"),
    make("p", { className: "soft" },
      `${target.name} · ${target.url} · contract ${target.contract ?? "unknown"} · ${report.started} · ${seconds(report.seconds)}`),
    report.interrupted ? make("p", { className: "banner", role: "alert" },
      `This run was interrupted: ${many(missing, "cell")} of the matrix ${missing === 1 ? "was" : "were"} not run.`) : "",
    report.crash ? make("p", { className: "banner", role: "alert" }, report.crash) : "",
    left.length ? make("div", { className: "banner" }, "Not everything that the run created was removed.", list(left)) : "",
    gate?.reasons.length ? unfolding(`${many(gate.reasons.length, "reason")} of the gate`, () => list(gate.reasons),
      !report.failures.length) : "",
    gate?.accepted.length ? unfolding(`${gate.accepted.length} accepted by the gate`, () => list(gate.accepted, "accepted")) : "",
  );
  byId("foot").append(
    `run ${report.run} · runner ${report.runner} · ${leftovers.created} credentials and workflows created` +
    (left.length ? "" : ", all removed") + (report.interrupted ? " · interrupted" : ""));
};

const showFailures = () => {
  const shown = report.failures.filter((cause) => cause.cells.some(([, sdk]) => shows(sdk)));
  const total = report.failures.length;
  byId("failures").replaceChildren(
    make("h2", { id: "failures-title" }, total === 0 ? nothingFailed() : counted(shown)),
    ...(shown.length < total ? [make("p", { className: "soft" }, `${shown.length} of ${total}: the others are of SDKs that are not shown.`)] : []),
    ...shown.map((cause) => causeCard(cause, cause === shown.find((one) => !one.dead))));
};

const counted = (causes) => {
  const found = causes.flatMap((cause) => cause.checks.flatMap((part) => part.cells.map(([scenario]) => ({ scenario, check: part.check }))));
  // Where an adapter did not start, nothing was checked.
  const checks = new Set(found.filter(({ check }) => check).map(({ scenario, check }) => `${scenario}/${check}`)).size;
  const scenarios = many(new Set(found.map(({ scenario }) => scenario)).size, "scenario");
  return `Failures by cause: ${many(causes.length, "likely cause")}${checks ? `, ${many(checks, "check")}` : ""} in ${scenarios}`;
};
const nothingFailed = () => {
  if (report.cells.every((cell) => cell.outcome === "skipped")) return "Nothing was checked";
  const whole = !report.interrupted && !report.crash && report.gate?.verdict !== "NO-GO";
  return whole ? "Nothing failed" : "Nothing that was run failed";
};

const causeCard = (cause, first) => {
  const [scenario, sdk] = cause.cells[0];
  const cell = cellOf(scenario, sdk);
  if (cause.dead) {
    return make("article", { className: "cause adapter" }, causeHead(cause),
      make("p", { className: "why" }, `${many(cause.cells.length, "scenario")} could not be run.`),
      make("pre", {}, cause.message), repeated(cause));
  }
  const card = make("article", { className: `cause ${cause.side}` }, causeHead(cause),
    make("p", { className: "why" }, whyText(cause)),
    aboutScenario(scenario, cause),
    findingsOf(cause, cell), furtherChecks(cause),
    cause.then.length ? make("p", { className: "soft" }, `In consequence, failed later in the same scenarios: ${cause.then.join(", ")}`) : null,
    affected(cause), repeated(cause), replayed(cell),
    comparison(cell, cause, first), sourceOf(scenario));
  card.dataset.cell = `${scenario}/${sdk}`;
  return card;
};
/** What the scenario of a cause's first check shows, and which check it is where the heading does not say so. */
const aboutScenario = (scenario, { check, checks }) => make("p", {}, make("b", {}, checks.length > 1 ? `${scenario}: ${check} ` : ""),
  make("span", { className: "soft" }, scenarioOf(scenario)?.title ?? ""));
const furtherChecks = ({ checks }) => {
  const [, ...others] = checks;
  if (!others.length) return null;
  return unfolding(`${many(others.length, "further check")} with the same likely cause`, () => others.flatMap((part) => {
    const [scenario, sdk] = part.cells[0];
    return [make("p", { className: "part" }, make("b", {}, `${scenario}: ${part.check}`), ` ${whyText(part)}`), findingsOf(part, cellOf(scenario, sdk))];
  }));
};
const causeHead = (cause) => make("div", { className: "cause-head" },
  make("h3", {}, cause.title), make("span", { className: `side ${cause.side}` }, SIDES[cause.side]));
// The name of an SDK stays as it is written.
const whyText = ({ verdict }) => `${report.sdks.some(({ name }) => verdict.startsWith(`${name} `)) ? verdict
  : verdict[0].toUpperCase() + verdict.slice(1)}.`;
const findingsOf = (cause, cell) => make("div", { className: "findings" }, ...cause.findings.map((finding) =>
  ("text" in finding ? make("pre", {}, ...withLinks(finding.text, cell)) : make("div", { className: "finding" },
    finding.where ? make("code", { className: "where" }, ...withLinks(finding.where, cell),
      finding.note ? make("span", {}, ` ${finding.note}`) : null) : null,
    make("div", { className: "expected" }, make("span", {}, "expected"), make("pre", {}, finding.expected)),
    make("div", { className: "got" }, make("span", {}, "got"), make("pre", {}, finding.got))))));
const repeated = (cause) => make("p", { className: "repeat" }, make("span", { className: "soft" }, "Repeat it: "),
  make("code", {}, cause.command));
const replayed = (cell) => {
  if (!cell.recording) return null;
  const name = cell.recording.split("/").pop();
  const har = make("a", { href: `failures/${encodeURIComponent(name)}`, download: name }, "HAR");
  if (report.suite === "engine") return make("p", { className: "repeat" }, make("span", { className: "soft" }, "Exchanges: "), har);
  return make("p", { className: "repeat" }, make("span", { className: "soft" }, "Without the engine, in this folder: "),
    make("code", {}, `arcrun-conformance replay failures/${name}`), " ", har);
};

// So many cells are named on a card; the matrix has the others.
const MOST_CELLS = 12;
const affected = (cause) => {
  const several = new Set(cause.cells.map(([scenario]) => scenario)).size > 1;
  const chip = ([scenario, sdk]) => make("button", { type: "button", className: "chip", onclick: () => openCell(scenario, sdk) },
    several ? `${scenario} with ${sdk}` : sdk);
  const [some, more] = [cause.cells.slice(0, MOST_CELLS), cause.cells.slice(MOST_CELLS)];
  return make("div", { className: "chips" }, ...some.map(chip),
    more.length ? unfolding(`${more.length} more`, () => more.map(chip)) : null);
};

const comparison = (cell, cause, open) => {
  if (!cell.traffic.length) return null;
  const other = cause.passing && cellOf(cell.scenario, cause.passing);
  const numbers = requestsOf(cell, cause.check);
  const [title, content] = other
    ? [`Wire: ${cell.sdk} compared with ${cause.passing}, which passes`, () => compared(cell, other, numbers)]
    : [`Wire: what ${cell.sdk} sent and the engine answered`, () => sentAlone(cell, numbers)];
  return holding(cell.traffic.map((one) => one.number), unfolding(title, content, open));
};
const sourceOf = (id) => {
  const { source } = scenarioOf(id) ?? {};
  return source ? unfolding(`Source of the scenario ${id}`, () => make("pre", {}, source)) : null;
};
