/** What came from outside, taken for what it is only after a look. */

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** Tells whether a value is non-empty text, whatever its type says. */
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Returns non-empty text, or undefined for anything else. */
export const textOf = (value: unknown): string | undefined => (isText(value) ? value : undefined);

/** Returns an object that is no list, or undefined for anything else. */
export const objectOf = (value: unknown): JsonObject | undefined =>
  value && typeof value === "object" && !Array.isArray(value) ? (value as JsonObject) : undefined;

/** Returns a list; an empty one for anything else. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Returns the objects in a list. */
export const objectsOf = (value: unknown): JsonObject[] =>
  listOf(value).filter((item): item is JsonObject => objectOf(item) !== undefined);

/** Returns the texts in a list. */
export const textsOf = (value: unknown): string[] => listOf(value).filter(isText);

/** Parses JSON; undefined if it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
