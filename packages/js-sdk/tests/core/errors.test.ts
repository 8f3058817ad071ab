import { expect, it, vi } from "vitest";
import * as sdk from "../../src/index.js";

const CLASSES: Record<string, abstract new () => unknown> = { ...sdk } as never;

it("errors of another copy of the package are instances of the same classes, and of no others", async () => {
  vi.resetModules();
  const other = await import("../../src/index.js");
  const error: unknown = new other.UnknownServiceError("沒有");
  expect(Object.getPrototypeOf(error)).not.toBe(sdk.UnknownServiceError.prototype);
  for (const kind of ["UnknownServiceError", "NotFoundError", "APIStatusError", "ArcrunError"] as const)
    expect([kind, error instanceof (CLASSES[kind] as never)]).toEqual([kind, true]);
  for (const kind of ["ConflictError", "BadRequestError", "WorkflowPaused", "APIConnectionError"] as const)
    expect([kind, error instanceof (CLASSES[kind] as never)]).toEqual([kind, false]);
});

it("an error is no instance of a class that a user derives from its own", () => {
  class Own extends sdk.NotFoundError {}
  expect(new sdk.NotFoundError("x") instanceof Own).toBe(false);
  expect(new Own("x") instanceof Own).toBe(true);
  expect(new Own("x") instanceof sdk.ArcrunError).toBe(true);
});

it.each([null, undefined, 1, "ArcrunError", {}, new Error("x"), Object.create(null)])(
  "%s is no error of the SDK",
  (value) => expect(value instanceof sdk.ArcrunError).toBe(false),
);
