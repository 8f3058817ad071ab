/** What a client remembers: plaintexts, recipes, pinned origins. In memory, shown nowhere. */

import type { TokenSource } from "../auth/tokens.js";
import type { Secret } from "../core/secret.js";
import type { AuthRecipe } from "../core/types.js";

/** State that a client shares with its `withOptions` copies. */
export interface Memory {
  secrets: Map<string, Secret>;
  recipes: Map<string, AuthRecipe>;
  pinned: Map<string, readonly string[]>;
  /** From names in lower case to names as pushed. */
  names: Map<string, string>;
  tokenSources: Map<string, TokenSource>;
  capabilities?: readonly string[] | undefined;
  warnedOfWeakKey?: boolean;
}

/** Nothing remembered yet. */
export const emptyMemory = (): Memory => ({
  secrets: new Map(),
  recipes: new Map(),
  pinned: new Map(),
  names: new Map(),
  tokenSources: new Map(),
});
