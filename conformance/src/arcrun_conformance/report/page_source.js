// The source of a scenario, as text. No function here touches the page.

/** Returns a source in three parts: what is before the step or check that has an id, its entry, and what is after it. */
const partsOfSource = (source, id) => {
  const lines = source.split("\n");
  const isEntry = (line) => line === `- id: ${id}` || line === `- {id: ${id}}` || line.startsWith(`- {id: ${id},`);
  const start = lines.findIndex((line) => isEntry(line.trim()));
  if (start < 0) return [source, "", ""];
  const depthOf = (line) => line.search(/\S/);
  const next = lines.findIndex((line, number) => number > start && depthOf(line) <= depthOf(lines[start]));
  const end = next < 0 ? lines.length : next;
  const text = (...bounds) => lines.slice(...bounds).map((line) => `${line}\n`).join("");
  return [text(0, start), text(start, end), text(end)];
};
