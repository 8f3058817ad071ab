// The exchanges of a cell, alone or compared: those that a failed check is about are open, the others are folded.

const NAMED = /^(?:response to |pause before )?request (\d+)/gm;
/** The numbers of the requests that a check's message names, or that it is about; of a step, of all that it sent. */
const requestsOf = (cell, id) => {
  const check = cell.checks.find((one) => one.id === id);
  const named = [...(check?.message ?? "").matchAll(NAMED)].map(([, number]) => Number(number));
  if (named.length) return named;
  if (check?.traffic.length) return check.traffic;
  return cell.traffic.filter((one) => one.step === id).map((one) => one.number);
};
const holding = (numbers, element) => {
  element.dataset.requests = numbers.join(" ");
  return element;
};

/** A text in which each "request 4" leads to that exchange, in the same card if it has it. */
const withLinks = (text, cell) => text.split(/(request \d+)/).map((part) => {
  const number = Number(/^request (\d+)$/.exec(part)?.[1]);
  if (!cell.traffic.some((one) => one.number === number)) return part;
  return make("button", { type: "button", className: "link", onclick: (event) => showRequest(event.currentTarget, cell, number) }, part);
});
const showRequest = (link, cell, number) => {
  let root = link.closest("article, dialog");
  if (root.dataset.cell !== `${cell.scenario}/${cell.sdk}`) {
    openCell(cell.scenario, cell.sdk); // a card has the exchanges of its first cell only
    root = detail;
  }
  const holders = () => [...root.querySelectorAll(`details[data-requests~="${number}"]`)];
  // What is folded in a part exists only when that part is open.
  for (let folded = holders().find((one) => !one.open); folded; folded = holders().find((one) => !one.open)) folded.unfold();
  const found = holders().at(-1);
  found.scrollIntoView({ block: "start" });
  found.querySelector("summary").focus({ preventScroll: true });
};

/** When an exchange began, counted from the end of the one before it. */
const afterBefore = (one, traffic) => {
  const before = traffic[traffic.indexOf(one) - 1];
  if (!before) return "sent first";
  const pause = before.seconds === null ? -1 : one.started - before.started - before.seconds;
  return pause < 0 ? `sent while ${numberOf(before)} was under way` : `sent ${pause.toFixed(3)} s after ${numberOf(before)} had ended`;
};
const numberOf = (one) => `request ${one.number}`;
const callTitle = (one) => `${one.request.method} ${one.request.target.split("?")[0]} · ${one.place} · step ${one.step}`;
/** Calls in their order; those before, between and after the ones that matter are folded into one line. */
const folded = (calls, numbers, shown) => {
  const matters = (call) => numbers.includes(call.mine?.number);
  if (!calls.some(matters)) return calls.map((call) => shown(call, false));
  const parts = [];
  for (const call of calls) {
    if (matters(call)) parts.push(call);
    else if (Array.isArray(parts.at(-1))) parts.at(-1).push(call);
    else parts.push([call]);
  }
  return parts.map((part) => (Array.isArray(part) ? others(part, shown) : shown(part, true)));
};
const others = (calls, shown) => {
  if (calls.length === 1) return shown(calls[0], false);
  const own = calls.filter((call) => call.mine).map((call) => call.mine.number);
  const which = own.length ? `, request ${own[0]}${own.length > 1 ? ` to ${own.at(-1)}` : ""}` : "";
  return holding(own, unfolding(`${calls.length} other exchanges${which}`, () => calls.map((call) => shown(call, false))));
};

const sentAlone = (cell, numbers) => folded(cell.traffic.map((one) => ({ mine: one })), numbers, ({ mine }, open) => {
  const element = unfolding(`${numberOf(mine)} · ${callTitle(mine)}`, () => [make("p", { className: "soft" }, aboutExchange(mine, cell.traffic)),
    make("div", { className: "pair" }, make("pre", {}, requestLines(mine).join("\n")), make("pre", {}, responseLines(mine).join("\n")))],
  open || !numbers.length);
  element.className = `exchange ${mine.place}`;
  return holding([mine.number], element);
});
const aboutExchange = (one, traffic) => [afterBefore(one, traffic),
  one.seconds === null ? "never finished" : `took ${seconds(one.seconds)}`,
  one.fault && `fault: ${one.fault}`, one.problem].filter(Boolean).join(" · ");

const compared = (cell, other, numbers) => {
  const calls = compareTraffic(cell.traffic, other.traffic);
  if (!calls.length) return [make("p", { className: "soft" }, "Neither sent anything.")];
  // Where an exchange that matters differs, it is not to be looked for below one that does not.
  const differs = calls.some((call) => !call.same && numbers.includes(call.mine?.number));
  return [legendOf(cell, other), ...folded(calls, numbers, (call, open) =>
    comparedCall(cell, other, call, (open && !(differs && call.same)) || (!numbers.length && !call.same)))];
};
const legendOf = (cell, other) => make("p", { className: "soft legend" }, ...[
  ["exchange engine", "with the engine"], ["exchange standin", "with the stand-in of a service"], ["exchange only", "sent by one of both"],
  ["mine", `only ${cell.sdk}`], ["theirs", `only ${other.sdk}`], ["noise", "grey: decided by the runtime, no difference"],
].flatMap(([className, text]) => [make("span", { className }, text), " "]));
const comparedCall = (cell, other, call, open) => {
  const one = call.mine ?? call.theirs;
  const only = call.mine && call.theirs ? "" : ` · only sent by ${call.mine ? cell.sdk : other.sdk}`;
  const title = `${numberOf(one)} · ${callTitle(one)}${only || (call.same ? " · the same" : "")}`;
  const rows = () => make("div", { className: "diff" },
    make("div", { className: "diff-head" }, ...[[cell, call.mine], [other, call.theirs]].map(([side, sent]) =>
      make("div", {}, make("b", {}, sent ? `${side.sdk}, ${numberOf(sent)}` : side.sdk),
        sent ? make("p", { className: "soft" }, aboutExchange(sent, side.traffic)) : null))),
    make("p", { className: "soft" }, "sent"), diffRows(call.request),
    make("p", { className: "soft" }, "was answered"), diffRows(call.response));
  const element = unfolding(title, rows, open);
  element.className = `exchange ${one.place}${only ? " only" : ""}`;
  return call.mine ? holding([call.mine.number], element) : element;
};
const diffRows = (rows) => make("div", { className: "rows" }, ...rows.flatMap((row) => [row.left, row.right].map((line, side) =>
  make("code", { className: row.same ? "" : row.noise ? "noise" : line === null ? "none" : side ? "theirs" : "mine" }, line ?? ""))));
