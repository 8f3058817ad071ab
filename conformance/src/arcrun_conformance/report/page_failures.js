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
      gate ? ` gate ${gate.contract}, column ${gate.column} · ` : "", counted.length ? `${counted.join(", ")} of ${many(report.cells.length, "cell")} (scenario × SDK)` : "no scenario was run"),
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
  const alive = shown.filter((cause) => !cause.dead);
  const total = report.failures.length;
  byId("failures").replaceChildren(
    make("h2", { id: "failures-title" }, total === 0 ? nothingFailed() : counted(shown)),
    ...(shown.length < total ? [make("p", { className: "soft" }, `${shown.length} of ${total}: the others are of SDKs that are not shown.`)] : []),
    ...shown.map((cause) => causeCard(cause, alive.indexOf(cause) < MOST_OPEN)));
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

// So many causes have their wire open: a page with hundreds of them would be long, and slow.
const MOST_OPEN = 3;
const causeCard = (cause, isOpen) => {
  const [scenario, sdk] = cause.cells[0];
  const cell = cellOf(scenario, sdk);
  if (cause.dead) {
    return make("article", { className: "cause adapter" }, causeHead(cause),
      make("p", { className: "why" }, `${many(cause.cells.length, "scenario")} could not be run.`),
      make("pre", {}, cause.message), repeated(cause.command));
  }
  const card = make("article", { className: `cause ${cause.side}` }, causeHead(cause),
    verdictOf(cause.checks[0]),
    aboutScenario(scenario, cause),
    findingsOf(cause, cell), furtherChecks(cause),
    cause.then.length ? unfolding(inConsequence(cause.then, cause.checks), () => make("p", { className: "soft" }, cause.then.join(", "))) : null,
    affected(cause), replayed(cell),
    comparison(cell, cause, isOpen), sourceOf(scenario, cause.check));
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
    return [verdictOf(part, `${scenario}: ${part.check} `), saysTheSame(part, checks[0])
      ? make("p", { className: "soft" }, "The message is the same.") : findingsOf(part, cellOf(scenario, sdk))];
  }));
};
/** How many checks failed because a scenario had ended before its end, and at which check where that is one alone. */
const inConsequence = (checks, ended) => {
  const ids = new Set(ended.map((part) => part.check));
  return `${many(checks.length, "check")} failed in consequence, since ${ids.size === 1 ? [...ids][0] : "another check"} had ended the scenario`;
};
const saysTheSame = (...parts) => new Set(parts.map(({ findings }) => plain(JSON.stringify(findings)))).size === 1;
const causeHead = (cause) => make("div", { className: "cause-head" },
  make("h3", {}, cause.title), sideBadge(cause));
// The name of an SDK stays as it is written.
const whyText = ({ verdict }) => `${report.sdks.some(({ name }) => verdict.startsWith(`${name} `)) ? verdict
  : verdict[0].toUpperCase() + verdict.slice(1)}.`;
/** The verdict of a check; the requests that it names are links. */
const verdictOf = (part, heading = "") => make("p", { className: "why" }, heading ? make("b", {}, heading) : null,
  ...withLinks(whyText(part), cellOf(...part.cells[0])));
const findingsOf = (cause, cell) => make("div", { className: "findings" }, ...cause.findings.map((finding) =>
  ("text" in finding ? make("pre", {}, ...withLinks(finding.text, cell)) : make("div", { className: "finding" },
    finding.where ? make("code", { className: "where" }, ...withLinks(finding.where, cell),
      finding.note ? make("span", {}, ` ${finding.note}`) : null) : null,
    // That a result was expected goes without saying where there is an error.
    finding.expected === "a result" && !finding.where ? null
      : make("div", { className: "expected" }, make("span", {}, "expected"), make("pre", {}, finding.expected)),
    make("div", { className: "got" }, make("span", {}, "got"), make("pre", {}, finding.got))))));
const comparison = (cell, cause, open) => {
  if (!cell.traffic.length) return null;
  const other = cause.passing && cellOf(cell.scenario, cause.passing);
  const numbers = requestsOf(cell, cause.check);
  const [title, content] = other
    ? [`Wire: ${cell.sdk} compared with ${cause.passing}, which passes`, () => compared(cell, other, numbers)]
    : [`Wire: what ${cell.sdk} sent and the engine answered`, () => sentAlone(cell, numbers)];
  return holding(cell.traffic.map((one) => one.number), unfolding(title, content, open));
};
const withMark = ([before, entry, after]) => [before, entry ? make("mark", {}, entry) : "", after];
const sourceOf = (id, check) => {
  const { source } = scenarioOf(id) ?? {};
  return source ? unfolding(`Source of the scenario ${id}`, () => make("pre", {}, ...withMark(partsOfSource(source, check)))) : null;
};
