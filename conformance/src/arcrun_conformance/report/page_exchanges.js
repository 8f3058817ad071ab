// The exchanges of a cell, alone or compared: those that a failed check is about are open, the others are folded.

const NAMED = /^(?:response to |pause before )?request (\d+)/gm;
/** The numbers of the requests that a check's message or verdict names, or that it is about; of a step, of all that it sent. */
const requestsOf = (cell, id) => {
  const check = cell.checks.find((one) => one.id === id);
  const named = [...(check?.message ?? "").matchAll(NAMED)].map(([, number]) => Number(number));
  if (named.length) return named;
  const stepOf = (number) => cell.traffic.find((one) => one.number === number)?.step;
  const before = waitsOf(cell).filter((wait) => wait.wrong && stepOf(wait.before) === id).map((wait) => wait.before);
  if (before.length) return before;
  const verdict = partsOf(cell).find((part) => part.check === id && isFirstOf(part, cell))?.verdict;
  const differs = cell.traffic.filter((one) => one.step === id && verdict?.includes(`: request ${one.number}, `));
  if (differs.length) return differs.map((one) => one.number);
  if (check?.traffic.length) return check.traffic;
  return cell.traffic.filter((one) => one.step === id).map((one) => one.number);
};
/** Returns whether the numbers in the texts of a check are those of a cell's requests. */
const isFirstOf = ({ cells }, cell) => cells[0][0] === cell.scenario && cells[0][1] === cell.sdk;
const holding = (numbers, element) => {
  element.dataset.requests = numbers.join(" ");
  return element;
};

/** A text in which each "request 4" leads to that exchange, in the same card if it has it. */
const withLinks = (text, cell) => text.split(/(request \d+\b)/i).map((part) => {
  const number = Number(/^request (\d+)$/i.exec(part)?.[1]);
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

/** When an exchange began, counted from the end of the one before it; with a replaced clock, what the SDK asked to wait. */
const afterBefore = (one, cell) => {
  const before = cell.traffic[cell.traffic.indexOf(one) - 1];
  if (!before) return "sent first";
  const wait = waitsOf(cell).find(({ after }) => after === one.number);
  if (wait) return `${cell.sdk} waited ${wait.text} (virtual clock) after ${numberOf(before)}`;
  const moved = before.step === one.step ? 0 : movedBefore(cell, one.step);
  if (moved) return `sent after ${numberOf(before)}, and after the scenario had moved the clock on by ${moved} s`;
  if (clocks.clocks[cell.scenario]) return `sent after ${numberOf(before)}`;
  const pause = before.seconds === null ? -1 : one.started - before.started - before.seconds;
  return pause < 0 ? `sent while ${numberOf(before)} was under way` : `sent ${pause.toFixed(3)} s after ${numberOf(before)} had ended`;
};
const numberOf = (one) => `request ${one.number}`;
const lineOf = (one) => `${one.request.method} ${pathOf(one)} ${one.place}`;
const callTitle = (one) => `${one.request.method} ${one.request.target.split("?")[0]} · ${one.place} · step ${one.step}`;
/** Calls in their order; those before, between and after the ones that matter are folded into one line. */
const folded = (calls, numbers, shown, sdk = "") => {
  const checked = new Set(calls.filter((call) => numbers.includes(call.mine?.number)).map(({ mine }) => lineOf(mine)));
  // Of the calls that a check is about, the one that was not sent says the most.
  const matters = (call) => (call.mine ? numbers.includes(call.mine.number) : checked.has(lineOf(call.theirs)));
  if (!calls.some(matters)) return calls.map((call) => shown(call, false));
  const parts = [];
  for (const call of calls) {
    if (matters(call)) parts.push(call);
    else if (Array.isArray(parts.at(-1))) parts.at(-1).push(call);
    else parts.push([call]);
  }
  return parts.map((part) => (Array.isArray(part) ? others(part, shown, sdk) : shown(part, true)));
};
/** Folds calls into one line; with `sdk`, where those of two SDKs are compared, it says whose numbers these are. */
const others = (calls, shown, sdk) => {
  if (calls.length === 1) return shown(calls[0], false);
  const own = calls.filter((call) => call.mine).map((call) => call.mine.number);
  const which = own.length ? `, request ${own[0]}${own.length > 1 ? ` to ${own.at(-1)}` : ""}${sdk && ` of ${sdk}`}` : "";
  const alone = calls.filter((call) => !call.mine).length;
  const more = alone ? `, ${alone} of them not sent by ${sdk}` : "";
  return holding(own, unfolding(`${calls.length} other exchanges${which}${more}`, () => calls.map((call) => shown(call, false))));
};

const sentAlone = (cell, numbers) => folded(cell.traffic.map((one) => ({ mine: one })), numbers, ({ mine }, open) => {
  const element = unfolding(`${numberOf(mine)} · ${callTitle(mine)}`, () => [make("p", { className: "soft" }, aboutExchange(mine, cell)),
    make("div", { className: "pair" }, make("pre", {}, requestLines(mine).join("\n")), make("pre", {}, responseLines(mine).join("\n"))),
    waitedAfter([[cell, mine]]) ?? ""],
  open || !numbers.length);
  element.className = `exchange ${mine.place}`;
  return holding([mine.number], element);
});
const aboutExchange = (one, cell) => [afterBefore(one, cell),
  one.seconds === null ? "never finished" : `took ${seconds(one.seconds)}`,
  one.fault && `planned fault: ${one.fault}`, one.problem].filter(Boolean).join(" · ");

const compared = (cell, other, numbers) => {
  const calls = compareTraffic(cell.traffic, other.traffic);
  if (!calls.length) return [make("p", { className: "soft" }, "Neither sent anything.")];
  // Where an exchange that matters differs, it is not to be looked for below one that does not.
  const differs = calls.some((call) => !call.same && numbers.includes(call.mine?.number));
  return [legendOf(cell, other), ...folded(calls, numbers, (call, open) =>
    comparedCall(cell, other, call, (open && !(differs && call.same)) || (!numbers.length && !call.same)), cell.sdk)];
};
const legendOf = (cell, other) => make("p", { className: "soft legend" }, ...[
  ["exchange engine", "with the engine"], ["exchange standin", "with the stand-in of a service"], ["exchange only", "sent by one of both"],
  ["mine", `only ${cell.sdk}`], ["theirs", `only ${other.sdk}`], ["noise", "grey: decided by the runtime, no difference"],
].flatMap(([className, text]) => [make("span", { className }, text), " "]));
/** What each SDK asked to wait for before it sent the request again. */
const waitedAfter = (sides) => {
  const found = sides.map(([cell, one]) => [cell.sdk, waitsOf(cell).find(({ before }) => before === one?.number)])
    .filter(([, wait]) => wait).map(([sdk, { text }]) => `${sdk} waited ${text}`);
  return found.length ? make("p", { className: "waited" }, `Then ${found.join(", ")} (virtual clock).`) : null;
};
const comparedCall = (cell, other, call, open) => {
  const one = call.mine ?? call.theirs;
  const only = call.mine && call.theirs ? "" : ` · only sent by ${call.mine ? cell.sdk : other.sdk}`;
  const whose = call.mine ? "" : `${other.sdk}, `;
  const title = `${whose}${numberOf(one)} · ${callTitle(one)}${only || (call.same ? " · the same" : "")}`;
  const rows = () => make("div", { className: "diff" },
    make("div", { className: "diff-head" }, ...[[cell, call.mine], [other, call.theirs]].map(([side, sent]) =>
      make("div", {}, make("b", {}, `${side.sdk}, ${sent ? numberOf(sent) : "not sent"}`),
        sent ? make("p", { className: "soft" }, aboutExchange(sent, side)) : null))),
    make("p", { className: "soft" }, "sent"), diffRows(call.request),
    make("p", { className: "soft" }, "was answered"), diffRows(call.response),
    waitedAfter([[cell, call.mine], [other, call.theirs]]));
  const element = unfolding(title, rows, open);
  element.className = `exchange ${one.place}${only ? " only" : ""}`;
  return call.mine ? holding([call.mine.number], element) : element;
};
/** Rows of a message: headers that tell nothing are folded, but for those that ask for a wait. */
const diffRows = (rows) => {
  const body = rows.findIndex((row) => row.left === "" || row.right === "");
  const end = body < 0 ? rows.length : body;
  const head = rows.slice(1, end);
  const isQuiet = (row) => (row.same || row.noise) && !(row.left ?? row.right).startsWith("retry-after");
  const quiet = head.filter(isQuiet);
  const [first, others, rest] = [rows.slice(0, 1), head.filter((row) => !isQuiet(row)), rows.slice(end)];
  return make("div", { className: "rows" }, ...[...first, ...others].flatMap(diffRow),
    quiet.length ? unfolding(`${many(quiet.length, "header")}${aboutQuiet(quiet)}`,
      () => make("div", { className: "rows" }, ...quiet.flatMap(diffRow))) : null,
    ...rest.flatMap(diffRow));
};
const aboutQuiet = (rows) => {
  if (rows.every((row) => row.left === null) || rows.every((row) => row.right === null)) return "";
  return rows.every((row) => row.same) ? " the same" : " the same or decided by the runtime";
};
const diffRow = (row) => [[row.left, row.right], [row.right, row.left]].map(([line, other], side) => {
  const kind = row.same ? "same" : row.noise ? "noise" : line === null ? "none" : side ? "theirs" : "mine";
  const isChange = !row.same && !row.noise && !row.apart && line !== null && other !== null;
  return make("code", { className: side ? `${kind} right` : kind }, ...(isChange ? withChange(line, other) : [line ?? ""]));
});
/** A line in parts, with the characters marked that differ from another line. */
const withChange = (line, other) => {
  const [own, theirs] = [[...line], [...other]];
  const shorter = Math.min(own.length, theirs.length);
  let start = 0;
  while (start < shorter && own[start] === theirs[start]) start += 1;
  let end = 0;
  while (end < shorter - start && own.at(-1 - end) === theirs.at(-1 - end)) end += 1;
  const changed = own.slice(start, own.length - end).join("");
  return [own.slice(0, start).join(""), changed ? make("mark", {}, changed) : "", own.slice(own.length - end).join("")];
};
