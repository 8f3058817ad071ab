/** Checks of values whose types are not known: JSON from the engine, arguments from JavaScript. */

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** Tells whether a value is non-empty text. */
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Tells whether a value is non-empty text that UTF-8 can encode: no half of a surrogate pair. */
export const isUnicode = (value: unknown): value is string =>
  isText(value) && !/[\ud800-\udfff]/u.test(value);

/** Returns non-empty text, or undefined for anything else. */
export const textOf = (value: unknown): string | undefined => (isText(value) ? value : undefined);

/** Returns an object that is not a list, or undefined for anything else. */
export const objectOf = (value: unknown): JsonObject | undefined =>
  value && typeof value === "object" && !Array.isArray(value) ? (value as JsonObject) : undefined;

/** Returns a list; an empty one for anything else. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Returns the objects in a list. */
export const objectsOf = (value: unknown): JsonObject[] =>
  listOf(value).filter((item): item is JsonObject => objectOf(item) !== undefined);

/** Returns the texts in a list. */
export const textsOf = (value: unknown): string[] => listOf(value).filter(isText);

/** Parses JSON; returns undefined if it is not valid. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
