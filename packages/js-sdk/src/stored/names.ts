/** The kinds of recipes, and how one of them and its version is named (docs/contract.md#versions-of-recipes). */

import { InvalidArgumentError } from "../core/errors.js";
import { checkName } from "../core/names.js";

/** The kinds of recipes. */
export type RecipeKind = "prompt_recipe" | "api_recipe" | "auth_recipe";

interface KindFacts {
  /** Where the engine has them. */
  path: string;
  /** The field of a recipe that holds its name. */
  nameField: string;
  pattern: RegExp;
  /** What the pattern demands, in words. */
  allowed: string;
  /** What an engine lists that has this kind in versions, and what one without it has not got. */
  capability: string;
  what: string;
}

const VERSIONED = { capability: "recipe_versions", what: "versions of recipes of this kind" };

export const KINDS: Record<RecipeKind, KindFacts> = {
  prompt_recipe: {
    path: "/prompt-recipes",
    nameField: "name",
    pattern: /^[a-z][a-z0-9_]{0,127}$/,
    allowed: "a lower-case letter, then lower-case letters, digits and _, at most 128",
    capability: "prompt_recipes",
    what: "prompt recipes",
  },
  api_recipe: {
    path: "/recipes",
    nameField: "canonical_id",
    pattern: /^[A-Za-z][\w-]{0,127}$/,
    allowed: "a letter A-Z a-z, then letters, digits, _ and -, at most 128",
    ...VERSIONED,
  },
  auth_recipe: {
    path: "/auth-recipes",
    nameField: "service",
    pattern: /^[a-z][a-z0-9_]{0,63}$/,
    allowed: "a lower-case letter, then lower-case letters, digits and _, at most 64",
    ...VERSIONED,
  },
};
const NAMES = Object.keys(KINDS) as RecipeKind[];
const LARGEST_VERSION = 999_999_999;

/** Which recipe, and the part of a path that chooses its version: "" for the one that a node takes. */
export interface Reference {
  kind: RecipeKind;
  name: string;
  query: string;
}

/**
 * Returns which version of a recipe is meant; throws if a part is not valid, or if there is more than one version.
 *
 * @param name - As a node writes it: `greet`, `prompt_recipe:greet`, `greet@LABEL` or `greet@VERSION`. After
 *   `api_recipe:` or `auth_recipe:` it is that of a recipe of this kind.
 */
export function reference(
  name: string,
  { version, label }: { version?: number | undefined; label?: string | undefined } = {},
): Reference {
  const said = typeof name === "string" ? NAMES.find((each) => name.startsWith(`${each}:`)) : undefined;
  const kind = said ?? "prompt_recipe";
  const text = said ? name.slice(said.length + 1) : name;
  const at = typeof text === "string" ? text.indexOf("@") : -1;
  const chosen = at < 0 ? undefined : text.slice(at + 1);
  if ([chosen, version, label].filter((part) => part !== undefined).length > 1)
    throw new InvalidArgumentError("name one version of the recipe: by @, by version or by label");
  const isNumber = chosen !== undefined && /^\d{1,9}$/.test(chosen);
  const number = isNumber ? Number(chosen) : version;
  const word = isNumber ? undefined : (chosen ?? label);
  const { pattern, allowed } = KINDS[kind];
  const bare = checkName(at < 0 ? text : text.slice(0, at), pattern, "recipe name", allowed);
  if (number !== undefined) return { kind, name: bare, query: `?version=${checkVersion("version", number)}` };
  return {
    kind,
    name: bare,
    query: word === undefined ? "" : `?label=${encodeURIComponent(checkLabel(word))}`,
  };
}

/** Returns which recipe is meant; throws for a name with a version. */
export function checkRecipe(name: string): Reference {
  const found = reference(name);
  if (found.query)
    throw new InvalidArgumentError(`'${name}' names a version: this method is for the whole recipe`);
  return found;
}

/** Returns which version of a prompt recipe is meant; throws for recipes of other kinds. */
export function checkPrompt(
  name: string,
  options: { version?: number | undefined; label?: string | undefined },
): Reference {
  const found = reference(name, options);
  if (found.kind !== "prompt_recipe")
    throw new InvalidArgumentError(`'${name}' is no prompt recipe: only these become prompts`);
  return found;
}

/** Returns the kind of this name; throws if there is none. */
export function checkKind(kind: unknown): RecipeKind {
  const found = NAMES.find((each) => each === kind);
  if (found) return found;
  throw new InvalidArgumentError(`kind must be one of ${NAMES.join(", ")}`);
}

/** Returns the kind that a recipe says: by its `kind`, or before the name in its `id`. A text is a prompt recipe. */
export function kindOf(recipe: unknown): RecipeKind {
  const { kind, id } = (recipe ?? {}) as { kind?: unknown; id?: unknown };
  const said = NAMES.filter((each) => each === kind || (typeof id === "string" && id.startsWith(`${each}:`)));
  if (said.length > 1)
    throw new InvalidArgumentError("the recipe says one kind by `kind`, and another one by `id`");
  return said[0] ?? "prompt_recipe";
}

/** Returns a whole number; throws if it is not one, or not in these bounds. */
export const checkWhole = (what: string, value: number, least: number, most: number): number => {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`${what} must be a whole number from ${least} to ${most}, not ${value}`);
};

/** Returns the number of a version; throws if it is not valid. */
export const checkVersion = (what: string, version: number, least = 1): number =>
  checkWhole(what, version, least, LARGEST_VERSION);

/** Returns a label; throws if it is not valid. */
export const checkLabel = (label: string): string =>
  checkName(
    label,
    /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/,
    "label",
    "a letter or _, then letters A-Z a-z, digits, _, . and -, at most 64",
  );
