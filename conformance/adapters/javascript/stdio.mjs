/** Lines in from stdin, lines out to stdout, for runtimes with Node's modules. Nothing else may reach stdout. */

import { createInterface } from "node:readline";
import { inspect } from "node:util";

/** How this kind of runtime shows a value to those who look closely. */
export const show = (value) => inspect(value, { showHidden: true, depth: 8 });

/**
 * Answers commands from stdin until `stop`.
 *
 * @param {(line: string) => Promise<string>} answer
 */
export async function serve(answer) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr); // a stray print must not break the protocol
  for await (const line of createInterface({ input: process.stdin })) {
    write(`${await answer(line)}\n`);
    if (JSON.parse(line).command === "stop") return;
  }
}
