/** Follows a run: streams of server-sent events, as the WHATWG's HTML standard describes them. */

import { APIConnectionError, InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { objectOf, parsed } from "../core/shapes.js";
import type { CallOptions, RunEvent } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import { sleep } from "../http/fetch.js";
import { type ApiRequest, nameOf } from "../http/request.js";
import { backoff } from "../http/retry.js";

const ENDED = "succeeded partial failed cancelled".split(" ");
const LASTING = 10; // seconds: a stream that was open for so long did not fail
const EVENT_ID = /^[\x21-\x7e]{1,128}$/;

interface ServerEvent {
  id: string;
  type: string;
  data: string;
}

/** Throws if a text can't be the id of an event. */
export function checkEventId(after: unknown): void {
  if (after !== undefined && !(typeof after === "string" && EVENT_ID.test(after)))
    throw new InvalidArgumentError("after must be the id of an event of this run, as it was yielded");
}

/**
 * Yields the events of a run up to its end; makes a connection that is lost again.
 *
 * @param ready - Resolves if the engine may be asked.
 */
export async function* follow(
  connection: Connection,
  path: string,
  after: string | undefined,
  options: CallOptions,
  ready: () => Promise<void>,
): AsyncGenerator<RunEvent, void, undefined> {
  await ready();
  const { maxRetries = connection.maxRetries, signal } = options;
  for (let fruitless = 0; ; ) {
    const opened = Date.now();
    let came = false;
    let failure: unknown;
    const request = eventsRequest(path, after);
    const stream = await connection.open(request, options);
    try {
      const read = eventParser(connection.maxResponseBytes, after);
      for (let part = await stream.next(); part; part = await stream.next())
        for (const received of read(part)) {
          const event = runEvent(received);
          after = event.id;
          came = true;
          yield event;
          if (event.type === "status" && ENDED.includes(event.status as string)) return;
        }
    } catch (error) {
      if (!(error instanceof APIConnectionError)) throw error;
      failure = error;
    } finally {
      stream.close();
    }
    fruitless = came || Date.now() - opened >= LASTING * 1000 ? 1 : fruitless + 1;
    if (fruitless > maxRetries) throw failure ?? cutOff(request);
    await sleep(backoff(fruitless - 1), signal);
  }
}

const cutOff = (request: ApiRequest<unknown>): APIConnectionError =>
  new APIConnectionError(`${nameOf(request)}: the engine ended the stream before the run had ended`);

const eventsRequest = (path: string, after: string | undefined): ApiRequest<unknown> => ({
  call: "runs.events",
  method: "GET",
  path,
  headers: { accept: "text/event-stream", ...(after !== undefined && { "last-event-id": after }) },
  streams: true,
  read: (content) => content,
});

function runEvent({ id, type, data }: ServerEvent): RunEvent {
  const content = objectOf(parsed(data));
  if (!content || !EVENT_ID.test(id))
    throw new UnexpectedResponseError(
      "the stream has an event without an id, or whose data is no JSON object; is the base URL an arcrun engine?",
    );
  return { ...content, id, type };
}

/**
 * Returns a function that reads the events of one stream, in whatever pieces it comes.
 *
 * @param limit - How many characters an event may have.
 * @param id - The id of the event before the first one.
 */
export function eventParser(limit: number, id = ""): (part: Uint8Array) => ServerEvent[] {
  const decoder = new TextDecoder(); // it takes the byte order mark away
  let line = ""; // the part of a line whose end has not come
  let data: string[] = [];
  let type = "";
  let size = 0; // of the event whose end has not come
  let afterCr = false;
  const keep = (text: string): void => {
    line += text;
    size += text.length;
    if (size > limit)
      throw new UnexpectedResponseError(
        `an event is longer than ${limit} characters: raise the option maxResponseBytes`,
      );
  };
  const dispatched = (): ServerEvent[] => {
    const event = { id, type: type || "message", data: data.join("\n") };
    const found = data.length ? [event] : [];
    data = [];
    type = "";
    size = 0;
    return found;
  };
  const readLine = (text: string): ServerEvent[] => {
    if (!text) return dispatched();
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(text) as unknown as string[];
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) id = value;
    return [];
  };
  return (part) => {
    let text = decoder.decode(part, { stream: true });
    if (!text) return [];
    const endsWithCr = text.endsWith("\r");
    if (afterCr) text = text.replace(/^\n/, "");
    afterCr = endsWithCr;
    const lines = text.split(/\r\n|\r|\n/);
    const rest = lines.pop() as string;
    const found: ServerEvent[] = [];
    for (const ended of lines) {
      keep(ended);
      const whole = line;
      line = "";
      found.push(...readLine(whole));
    }
    keep(rest);
    return found;
  };
}
