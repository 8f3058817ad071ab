// One cell: its checks, its steps, and its traffic, alone or beside that of another SDK.

const detail = byId("detail");
const openCell = (scenario, sdk) => {
  const cell = cellOf(scenario, sdk);
  if (!cell) return;
  remember({ cell: `${scenario}/${sdk}` });
  showCell(cell, isBad(cell) ? passingFor(cell) ?? "" : "");
  if (!detail.open) detail.showModal();
  detail.scrollTop = 0;
};
// Escape closes a dialog by itself, and the focus goes back to where it was.
detail.addEventListener("close", () => remember({ cell: "" }));
detail.addEventListener("click", (event) => { if (event.target === detail) detail.close(); });

const showCell = (cell, otherName) => {
  const others = report.sdks.map((sdk) => sdk.name)
    .filter((name) => name !== cell.sdk && cellOf(cell.scenario, name)?.traffic.length);
  const choice = make("select", { onchange: () => showCell(cell, choice.value) },
    make("option", { value: "" }, "nothing"),
    ...others.map((name) => make("option", { value: name, selected: name === otherName },
      `${name} (${cellOf(cell.scenario, name).outcome})`)));
  const causes = causesOf(cell);
  const failing = cell.checks.filter((check) => check.outcome === "failed").flatMap((check) => requestsOf(cell, check.id));
  detail.dataset.cell = `${cell.scenario}/${cell.sdk}`;
  detail.replaceChildren(
    make("div", { className: "head" },
      make("div", {}, make("h2", { id: "detail-title" }, `${cell.scenario} with ${cell.sdk}`),
        make("p", { className: "soft" }, scenarioOf(cell.scenario)?.title ?? "")),
      make("button", { type: "button", className: "close", onclick: () => detail.close(), aria: { label: "Close (Esc)" } }, "✕")),
    make("p", {}, make("span", { className: cell.outcome }, `${MARKS[cell.outcome]} ${cell.outcome}`),
      cell.reason ? `: ${cell.reason}` : "", ...causes.flatMap((cause) => [" ", sideBadge(cause)])),
    ...partsOf(cell).map((part) => verdictOf(part, `${part.check}: `)),
    ...(causes.length ? [repeated(commandOf([[cell.scenario, cell.sdk]], causes[0])), replayed(cell) ?? ""] : []),
    make("h3", {}, "Checks"), checksOf(cell),
    make("h3", {}, "Steps"), ...cell.steps.map((one) => stepOf(cell, one)),
    make("div", { className: "head" }, make("h3", {}, "Wire"),
      others.length ? make("label", {}, "compared with ", choice) : ""),
    ...(otherName ? compared(cell, cellOf(cell.scenario, otherName), failing) : sentAlone(cell, failing)),
    ...(cell.stderr ? [make("h3", {}, "stderr of the adapter"), make("pre", {}, cell.stderr)] : []),
    sourceOf(cell.scenario) ?? "");
};
// What failed comes first; what passed is there for who asks.
const ORDER = ["failed", "not-reached", "exempt"];
const MEANINGS = { failed: "failed", "not-reached": "not reached, since a step before it had failed", exempt: "exempt" };
const checksOf = (cell) => {
  const passed = cell.checks.filter((check) => check.outcome === "passed");
  const causes = partsOf(cell).map((part) => part.check);
  const follows = (check) => check.outcome === "failed" && causes.length > 0 && !causes.includes(check.id);
  const later = cell.checks.filter(follows);
  const others = ORDER.flatMap((outcome) => cell.checks.filter((check) => check.outcome === outcome && !follows(check)));
  const legend = ORDER.filter((outcome) => others.some((check) => check.outcome === outcome))
    .map((outcome) => `${MARKS[outcome]} ${MEANINGS[outcome]}`);
  return make("div", {}, legend.length ? make("p", { className: "soft legend" }, legend.join(", ")) : null, checkList(cell, others),
    later.length ? unfolding(inConsequence(later, partsOf(cell)), () => checkList(cell, later)) : null,
    passed.length ? unfolding(`${many(passed.length, "check")} passed`, () => checkList(cell, passed), !others.length) : null);
};
const checkList = (cell, checks) => make("ul", { className: "checks" }, ...checks.map((check) =>
  make("li", {}, make("span", { className: check.outcome }, `${MARKS[check.outcome]} `), check.id,
    check.traffic.length ? make("span", { className: "soft" }, ...withLinks(` · ${check.traffic.map((number) => `request ${number}`).join(", ")}`, cell)) : null,
    check.message ? messageOf(cell, check) : null)));
// What a cause says may be of another cell, whose requests have other numbers: then the message itself.
const messageOf = (cell, check) => {
  const part = partsOf(cell).find((one) => one.check === check.id && isFirstOf(one, cell));
  return part ? findingsOf(part, cell) : make("pre", {}, check.message);
};
const stepOf = (cell, one) => {
  const failed = cell.checks.find((check) => check.id === one.id && check.outcome === "failed");
  const failing = failed !== undefined;
  const mark = failing ? `${MARKS.failed} ` : "";
  const moved = movedBefore(cell, one.id);
  const clock = moved ? ` · the clock was moved on by ${moved} s before` : "";
  return unfolding(`${mark}${one.id} · ${one.command.method ?? one.command.command} · ${seconds(one.seconds)}${clock}`,
    () => make("div", { className: "pair" }, make("pre", {}, pretty(one.command)), make("pre", {}, pretty(one.answer))),
    failing && !failed.message.startsWith("expected a result, got the SDK error")); // its message is above
};
