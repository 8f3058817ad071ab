// The commands that repeat a failure, each with a button that copies it.

/** A command that breaks between its options, and not within one. */
const commandLine = (command) => {
  const parts = command.split(/ (?=--)/).flatMap((part, index) => [...(index ? [" "] : []), make("span", {}, part)]);
  const code = make("code", { className: "command" }, ...parts);
  const button = make("button", { type: "button", className: "copy", aria: { label: `Copy ${command}` }, onclick: async () => {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // a browser that refuses it leaves the copying to the reader
    }
  } }, "Copy");
  return [code, " ", button];
};
/** The command that runs these cells again, each a scenario and an SDK: the cause has the one for its first cell. */
const commandOf = (some, cause) => {
  const options = (of) => {
    const [scenarios, sdks] = [0, 1].map((index) => [...new Set(of.map((each) => each[index]))]);
    return scenarios.map((id) => ` --scenario ${id}`).join("") + (report.suite === "engine" ? "" : ` --sdk ${sdks.join(",")}`);
  };
  const first = options(cause.cells.slice(0, 1));
  return cause.command.endsWith(first) ? cause.command.slice(0, -first.length) + options(some) : cause.command;
};
const repeated = (command) => make("p", { className: "repeat" }, make("span", { className: "soft" }, "Repeat it: "), ...commandLine(command));
const replayed = (cell) => {
  if (!cell.recording) return null;
  const name = cell.recording.split("/").pop();
  const har = make("a", { href: `failures/${encodeURIComponent(name)}`, download: name }, "HAR");
  if (report.suite === "engine") return make("p", { className: "repeat" }, make("span", { className: "soft" }, "Exchanges: "), har);
  return make("p", { className: "repeat" }, make("span", { className: "soft" }, "Without the engine, in this folder: "),
    ...commandLine(`arcrun-conformance replay failures/${name}`), " ", har);
};

// So many cells, or scenarios with several SDKs, are named on a card at once; an unfolding has the others.
const MOST_CELLS = 12;
const MOST_SCENARIOS = 3;
const LOOK = "Look at it: ";
const chip = ([scenario, sdk], text) => make("button", { type: "button", className: "chip", aria: { label: `${scenario} with ${sdk}` },
  onclick: () => openCell(scenario, sdk) }, text);
const chips = (label, some) => make("div", { className: "chips" }, label ? make("span", { className: "soft" }, label) : null, ...some);
/** The cells of a cause in lines: one line, or with several SDKs one for each of several scenarios. */
const cellLines = ({ cells }) => {
  const [scenarios, sdks] = [0, 1].map((index) => [...new Set(cells.map((each) => each[index]))]);
  if (scenarios.length === 1 || sdks.length === 1) {
    const own = scenarios.length === 1 ? 1 : 0;
    const line = (label, some) => chips(label, some.map((each) => chip(each, each[own])));
    return { shown: cells.slice(0, MOST_CELLS), first: [line(LOOK, cells.slice(0, MOST_CELLS))],
      count: cells.length - MOST_CELLS, more: () => [line("", cells.slice(MOST_CELLS))] };
  }
  const cellsOf = (ids) => cells.filter(([scenario]) => ids.includes(scenario));
  const lines = (ids) => ids.map((id) => chips(`${id}: `, cellsOf([id]).map((each) => chip(each, each[1]))));
  const [some, rest] = [scenarios.slice(0, MOST_SCENARIOS), scenarios.slice(MOST_SCENARIOS)];
  return { shown: cellsOf(some), first: [make("p", { className: "soft" }, LOOK), ...lines(some)],
    count: cellsOf(rest).length, more: () => lines(rest) };
};
/** The cells of a cause, each of which opens, and the command that repeats those that are named at once. */
const affected = (cause) => {
  const { shown, first, count, more } = cellLines(cause);
  return make("div", { className: "affected" }, ...first, count > 0 ? unfolding(`${count} more`, more) : null,
    repeated(commandOf(shown, cause)));
};
