/** Reads lines from stdin and writes lines to stdout, for runtimes with Node's modules. */

import { inspect } from "node:util";

/** Returns the most detailed text that this kind of runtime prints of a value. */
export const show = (value) => inspect(value, { showHidden: true, depth: 8 });

/**
 * Replies to the commands from stdin until `stop`. Nothing else may be written to stdout.
 *
 * @param {(line: string) => Promise<string>} replyTo
 */
export async function serve(replyTo) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr); // a stray print must not break the protocol
  for await (const line of linesOf(process.stdin)) {
    write(`${await replyTo(line)}\n`);
    if (JSON.parse(line).command === "stop") return;
  }
}

/** Yields lines that end with a line feed; node:readline would also end one at U+2028, which JSON may hold. */
async function* linesOf(stream) {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    yield* lines;
  }
}
