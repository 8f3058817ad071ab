/** Calls of the engine's API: one attempt, repetition, the answer read. */

import { checkTimeout } from "../core/config.js";
import { APIConnectionError, APITimeoutError, ArcrunError, hide } from "../core/errors.js";
import { originOf } from "../core/origins.js";
import { blankOut, type Secret } from "../core/secret.js";
import { objectOf, parsed, textsOf } from "../core/shapes.js";
import type { CallOptions } from "../core/types.js";
import { type Fetch, Late, OWN_HEADERS, sleep, stripped, unrepeated, withDeadline } from "./fetch.js";
import type { Memory } from "./memory.js";
import { health } from "./operations.js";
import { type Answer, type Call, content } from "./request.js";
import { readAnswer } from "./response.js";
import { nextDelay } from "./retry.js";
import { apiKeyFor, type KeyPolicy, requireApiKey } from "./trust.js";

/** What a connection is made of. */
export interface ConnectionOptions extends Omit<KeyPolicy, "origin"> {
  fetch: Fetch;
  timeout: number;
  maxRetries: number;
  memory: Memory;
  /** Called with the answer that a call's result was read from. */
  onAnswer?: (answer: Answer, attempts: number) => void;
}

/** One engine, one key, and how calls are made. */
export interface Connection extends ConnectionOptions, KeyPolicy {
  /** Returns the API key; throws if there is none, or if it would go over plain http to another machine. */
  key(): Secret;
  /** Makes a call, repeats it where that is safe, and returns what its answer says. */
  call<T>(call: Call<T>, options?: CallOptions): Promise<T>;
  /** Tells whether the engine says that it can do something. It is asked once. */
  has(capability: string, options?: CallOptions): Promise<boolean>;
}

/** Makes a connection. Nothing is sent yet. */
export function connect(made: ConnectionOptions): Connection {
  const { memory, onAnswer } = made;
  const { apiKey, baseUrl } = made.settings;
  const policy = { ...made, origin: originOf(baseUrl) as string };

  const send = async <T>(
    call: Call<T>,
    { timeout = made.timeout, signal }: CallOptions,
    maxRetries: number,
  ): Promise<T> => {
    const body = content(call);
    const key = apiKeyFor(call.key ?? "required", policy);
    const headers: Record<string, string> = {
      Accept: "application/json",
      ...OWN_HEADERS,
      ...(body && { "Content-Type": "application/json" }),
      ...call.headers,
      ...(key && { "X-Arcrun-API-Key": key() }),
    };
    const init: RequestInit = {
      method: call.method,
      headers,
      redirect: "manual",
      ...(body && { body }),
      ...((call.once || call.gone) && unrepeated()),
    };
    const secrets = [...(call.secrets ?? []), ...(apiKey ? [apiKey] : [])];
    const url = baseUrl + call.path;
    for (let attempt = 0; ; attempt++) {
      const outcome = await once(made.fetch, url, init, checkTimeout(timeout), signal, secrets);
      const delay = nextDelay(call, outcome, attempt, maxRetries);
      if (delay === undefined) {
        if (outcome instanceof APIConnectionError) throw outcome;
        onAnswer?.(outcome, attempt + 1);
        return readAnswer(call, outcome, attempt);
      }
      await sleep(delay, signal);
    }
  };

  return {
    ...policy,
    key: () => requireApiKey(policy),
    call: (call, options = {}) => send(call, options, made.maxRetries),
    has: async (capability, options = {}) => {
      try {
        memory.capabilities ??= textsOf((await send(health(), options, 0)).capabilities);
      } catch (error) {
        if (!(error instanceof ArcrunError)) throw error;
      }
      return !!memory.capabilities?.includes(capability); // after an error, asked again next time
    },
  };
}

/** Makes one request; what an error's text repeats of the secrets is blanked out. */
async function once(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  timeout: number,
  signal: AbortSignal | undefined,
  secrets: Secret[],
): Promise<Answer | APIConnectionError> {
  const clean = (text: string): string => blankOut(text, secrets);
  try {
    return await withDeadline(timeout, signal, async (signal) => {
      const response = await fetch(url, { ...init, signal });
      const { status, headers } = response;
      const body = await response.text();
      const text = status < 400 ? body : clean(body);
      return { status, headers, text, json: objectOf(parsed(text)) };
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    if (error instanceof Late)
      return new APITimeoutError(`${init.method} ${url}: the engine did not answer in time`);
    const cause = stripped(error, clean);
    const reason = [cause, (cause as { cause?: Error }).cause].map((error) => error?.message).filter(Boolean);
    const failure = new APIConnectionError(
      `${init.method} ${url}: the engine could not be reached, or broke off (${reason.join(": ")})`,
    );
    hide(failure, { cause });
    return failure;
  }
}
