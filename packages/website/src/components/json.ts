// Characters that turn the direction of what follows: written as escapes, so that a value can't make JSON read as another.
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Return a value as JSON for a person to read. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value ?? null, null, 2).replace(
    TURNING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
