import { expect, it } from "vitest";
import { toJson } from "../../src/core/json.js";
import { InvalidArgumentError } from "../../src/index.js";

it.each([
  [{ a: Number.NaN }, "'a' is NaN, not a number that JSON has"],
  [[1, Number.POSITIVE_INFINITY], "'1' is Infinity, not a number that JSON has"],
  [{ id: 2 ** 53 }, "'id' is 9007199254740992, beyond what a number in JSON keeps exactly: write it as text"],
  [{ id: -(2 ** 60) }, "'id' is -1152921504606847000, beyond"],
  [{ id: 1n }, "'id' is 1, beyond"],
  [Number.NaN, "it is NaN"],
  [{ a: new Number(Number.NaN) }, "'a' is NaN, not a number that JSON has"],
  [{ a: new Date(Number.NaN) }, "'a' is Invalid Date, not a date"],
  [{ a: new Map([[1, 2]]) }, "'a' is [object Map], which JSON has no form for"],
  [{ a: [new Set([1])] }, "'0' is [object Set], which JSON has no form for"],
])("%o is refused, not changed", (value, message) => {
  expect(() => toJson(value, "the input")).toThrow(InvalidArgumentError);
  expect(() => toJson(value, "the input")).toThrow(`the input cannot be written as JSON: ${message}`);
});

it("what JSON has a form for is written by its own method", () =>
  expect(toJson({ at: new Date(0), n: new Number(5), x: { toJSON: () => null } }, "the input")).toBe(
    '{"at":"1970-01-01T00:00:00.000Z","n":5,"x":null}',
  ));

it.each([0, -1.5, 2 ** 53 - 1, 1e21, 1e300, 5e-324])("%d is written as it is", (number) =>
  expect(JSON.parse(toJson({ number }, "the input"))).toEqual({ number }),
);
