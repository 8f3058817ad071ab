import { expect, it } from "vitest";
import { nearest } from "../../src/core/nearest.js";

it.each([
  ["notoin", "; did you mean 'notion'?"],
  ["opanai", "; did you mean 'openai'?"],
  ["zzz", ""],
])("what is nearest to %j: %j", (word, words) =>
  expect(nearest(word, ["notion", "slack", "openai"])).toBe(words),
);
