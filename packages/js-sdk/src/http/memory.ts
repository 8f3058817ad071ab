/** What a client remembers: plaintexts, recipes, pinned origins, access tokens. In memory, shown nowhere. */

import type { Secret } from "../core/secret.js";
import type { Values } from "../recipes/placeholders.js";
import type { Recipe } from "../recipes/recipe.js";
import type { Fetch } from "./fetch.js";

/** An access token, and until when it may be used (on the clock of `performance.now`). */
export interface AccessToken {
  access: Secret;
  useUntil: number;
}

/** Fetches a service's access token when it is needed, and keeps it until it expires. */
export interface TokenSource {
  /**
   * Returns an access token that has not expired.
   *
   * @param fetch - What a token is fetched through.
   * @param signal - Ends the caller's waiting.
   * @param stale - A token that the service refused: another one is fetched, unless it was already.
   */
  get(fetch: Fetch, signal: AbortSignal | null | undefined, stale?: AccessToken): Promise<AccessToken>;
  /** Tells whether it uses exactly these secrets. */
  uses(values: Values): boolean;
}

/** A secret, and the service that it was stored for; undefined if it was stored without one. */
export interface StoredSecret {
  value: Secret;
  service: string | undefined;
}

/** State that a client shares with its `withOptions` copies. */
export interface Memory {
  secrets: Map<string, StoredSecret>;
  recipes: Map<string, Recipe>;
  /** The origins of each service of the user's own, as its recipe wrote them at `auth.setup`. */
  pinned: Map<string, readonly string[]>;
  /** The names of credentials as pushed, by the same in lower case. */
  names: Map<string, string>;
  tokenSources: Map<string, TokenSource>;
  capabilities?: readonly string[] | "unknown" | undefined;
  warnedOfWeakKey?: boolean;
}

/** Returns the memory of a new client. */
export const emptyMemory = (): Memory => ({
  secrets: new Map(),
  recipes: new Map(),
  pinned: new Map(),
  names: new Map(),
  tokenSources: new Map(),
});
