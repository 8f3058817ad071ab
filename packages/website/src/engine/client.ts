// What pages ask of the engine. Keys stay in memory: nothing of this is written down.

/** Origin of the engine; empty for the one that serves this page. */
export const ENGINE = process.env.NEXT_PUBLIC_ENGINE_URL ?? "";

const TIMEOUT_MS = 15_000;
// An engine whose database is busy says so, and is asked again after these pauses.
const PAUSES_MS = [500, 1500, 3000];
const BUSY = 503;

/** What went wrong: `status` is 0 if the engine did not respond. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly nextActions: readonly string[] = [],
  ) {
    super(message);
  }
}

interface Options {
  readonly method?: string;
  readonly body?: unknown;
  readonly key?: string | undefined;
}

/** Return the URL under which programs reach the engine. */
export function engineUrl(): string {
  return ENGINE || location.origin;
}

/** Send a request with the session, or with a key; return the JSON of the response. */
export async function call<T>(path: string, options: Options = {}): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await attempt<T>(path, options);
    } catch (error) {
      if (asEngineError(error).status !== BUSY) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return attempt<T>(path, options);
}

async function attempt<T>(path: string, { method = "GET", body, key }: Options): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (key) headers["X-Arcrun-API-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(`${ENGINE}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "include",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new EngineError(0, "unreachable", "the engine does not respond");
  }
  const parsed: unknown = await response.json().catch(() => null);
  if (!response.ok || parsed === null) throw errorOf(response.status, parsed);
  return parsed as T;
}

// Of the engines' three shapes of errors (docs/contract.md#errors), the text is in one of two fields.
function errorOf(status: number, body: unknown): EngineError {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const message = text(fields.error) || text(fields.human_message) || `the engine responded with ${status}`;
  const actions = Array.isArray(fields.next_actions) ? fields.next_actions.map(text) : [];
  return new EngineError(status, text(fields.code) || text(fields.error_code), message, actions.filter(Boolean));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Return the whole error for a person, whatever was thrown. */
export function asEngineError(error: unknown): EngineError {
  return error instanceof EngineError ? error : new EngineError(0, "", String(error));
}
