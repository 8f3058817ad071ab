/** Requests and answers as data: what is sent, and what came back. */

import { type APIStatusError, InvalidArgumentError, UnexpectedResponseError } from "../core/errors.js";
import { blankOut, type Secret } from "../core/secret.js";
import { isText, type JsonObject, objectOf } from "../core/shapes.js";
import type { KeyUse } from "./trust.js";

/** What the engine answered. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The body, if it is a JSON object. */
  json: JsonObject | undefined;
}

/** An error's class, its words, and what to do. */
export interface CloserError {
  kind: typeof APIStatusError;
  words: string;
  hint: string;
}

/** One API call: what to send, how to read the answer, whether it may be repeated. */
export interface Call<T> {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  read(answer: JsonObject): T;
  body?: object;
  headers?: Record<string, string>;
  /** Whether the API key is sent; left out, it is required. */
  key?: KeyUse;
  /** Not to be repeated after a fault. */
  once?: boolean;
  /** The result of a DELETE whose repetition finds nothing left. */
  gone?: T;
  secrets?: readonly Secret[];
  /** Returns a closer error than the status of an error answer tells. */
  closer?(status: number, words: string): CloserError | undefined;
  /** Runs a workflow. */
  runs?: boolean;
}

/** Writes a call's body as JSON. */
export function content(call: Call<unknown>): string | undefined {
  if (!call.body) return undefined;
  try {
    return JSON.stringify(call.body);
  } catch (error) {
    const reason = blankOut(String(error), call.secrets ?? []);
    throw new InvalidArgumentError(`the body of ${call.method} ${call.path} is no JSON: ${reason}`);
  }
}

interface Kinds {
  text: string;
  boolean: boolean;
  list: unknown[];
  object: JsonObject;
}

const IS: Record<keyof Kinds, (value: unknown) => unknown> = {
  text: isText,
  boolean: (value) => typeof value === "boolean",
  list: Array.isArray,
  object: objectOf,
};

/** Returns a field that the contract promises. */
export function fieldOf<K extends keyof Kinds>(answer: JsonObject, key: string, kind: K): Kinds[K] {
  const value = answer[key];
  if (IS[kind](value)) return value as Kinds[K];
  throw new UnexpectedResponseError(
    `the answer has no '${key}' that is a ${kind}; is the base URL an arcrun engine?`,
  );
}
