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
const commandOf = (cell, cause) => {
  const [scenario, sdk] = cause.cells[0];
  const end = ` --scenario ${scenario}${report.suite === "engine" ? "" : ` --sdk ${sdk}`}`;
  const own = ` --scenario ${cell.scenario}${report.suite === "engine" ? "" : ` --sdk ${cell.sdk}`}`;
  return cause.command.endsWith(end) ? cause.command.slice(0, -end.length) + own : cause.command;
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

// So many cells are named on a card; the matrix has the others.
const MOST_CELLS = 12;
/** The cells of a cause: each opens, and has the command that repeats it. */
const affected = (cause) => {
  const several = new Set(cause.cells.map(([scenario]) => scenario)).size > 1;
  const line = ([scenario, sdk]) => make("p", { className: "repeat" },
    make("button", { type: "button", className: "chip", onclick: () => openCell(scenario, sdk) }, several ? `${scenario} with ${sdk}` : sdk),
    " ", ...commandLine(commandOf({ scenario, sdk }, cause)));
  const [some, more] = [cause.cells.slice(0, MOST_CELLS), cause.cells.slice(MOST_CELLS)];
  return make("div", { className: "affected" }, make("p", { className: "soft" }, "Look at it, or repeat it:"), ...some.map(line),
    more.length ? unfolding(`${more.length} more`, () => more.map(line)) : null);
};
