import type { Execution, RunStatus } from "./types";

/** The states in which a run will change by itself. */
export const GOES_ON: ReadonlySet<RunStatus> = new Set(["queued", "running"]);
/** How long a page waits before it looks at such a run again. */
export const REFRESH_MS = 1500;
/** The look of a state's badge. */
export const BADGES: Partial<Record<RunStatus | Execution["verdict"], string>> = {
  succeeded: "good",
  success: "good",
  failed: "bad",
  partial: "warn",
  paused: "accent",
};
