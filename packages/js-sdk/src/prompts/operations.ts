/** The requests of `/prompt-recipes`, and how a node names a prompt recipe (docs/prompt-recipes.md). */

import { InvalidArgumentError } from "../core/errors.js";
import { checkName } from "../core/names.js";
import { isText, objectOf } from "../core/shapes.js";
import type {
  DeletedRecipe,
  LabeledRecipe,
  PromptRecipe,
  PushedRecipe,
  RecipeDiff,
  RecipeSummary,
  RecipeVersion,
  RemovedLabel,
  RenderedRecipe,
  TestedRecipe,
} from "../core/types.js";
import { type Page, pageIn, withField } from "../http/operations.js";
import type { ApiRequest } from "../http/request.js";
import { fieldOf } from "../http/response.js";

const PREFIX = "prompt_recipe:";
const LARGEST_VERSION = 999_999_999;

/** A recipe: its text in YAML or JSON, or an object. */
export type RecipeSource = string | object;

/** Which recipe, and the part of a path that chooses its version: "" for the one that a node takes. */
export interface Reference {
  name: string;
  query: string;
}

/**
 * Returns which version of a recipe is meant; throws if a part is not valid, or if there is more than one version.
 *
 * @param name - As a node writes it: `greet`, `prompt_recipe:greet`, `greet@LABEL` or `greet@VERSION`.
 */
export function reference(
  name: string,
  { version, label }: { version?: number | undefined; label?: string | undefined } = {},
): Reference {
  const text = typeof name === "string" && name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  const at = typeof text === "string" ? text.indexOf("@") : -1;
  const chosen = at < 0 ? undefined : text.slice(at + 1);
  if ([chosen, version, label].filter((part) => part !== undefined).length > 1)
    throw new InvalidArgumentError("name one version of the recipe: by @, by version or by label");
  const isNumber = chosen !== undefined && /^\d{1,9}$/.test(chosen);
  const number = isNumber ? Number(chosen) : version;
  const word = isNumber ? undefined : (chosen ?? label);
  const bare = checkName(
    at < 0 ? text : text.slice(0, at),
    /^[a-z][a-z0-9_]{0,127}$/,
    "recipe name",
    "a lower-case letter, then lower-case letters, digits and _, at most 128",
  );
  if (number !== undefined) return { name: bare, query: `?version=${checkVersion("version", number)}` };
  return { name: bare, query: word === undefined ? "" : `?label=${encodeURIComponent(checkLabel(word))}` };
}

/** Returns a recipe's name without `prompt_recipe:`; throws for one with a version. */
export function checkRecipe(name: string): string {
  const found = reference(name);
  if (found.query)
    throw new InvalidArgumentError(`'${name}' names a version: this method is for the whole recipe`);
  return found.name;
}

const checkVersion = (what: string, version: number, least = 1): number => {
  if (Number.isInteger(version) && version >= least && version <= LARGEST_VERSION) return version;
  throw new InvalidArgumentError(
    `${what} must be a whole number from ${least} to ${LARGEST_VERSION}, not ${version}`,
  );
};

const checkLabel = (label: string): string =>
  checkName(
    label,
    /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/,
    "label",
    "a letter or _, then letters A-Z a-z, digits, _, . and -, at most 64",
  );

/** Throws if an option that is on or off has another value. */
const checkSwitch = (what: string, value: unknown): void => {
  if (value !== undefined && typeof value !== "boolean")
    throw new InvalidArgumentError(`${what} must be true or false, not ${value}`);
};

const sourceOf = (recipe: RecipeSource): RecipeSource => {
  if (isText(recipe) || objectOf(recipe)) return recipe;
  throw new InvalidArgumentError("recipe must be an object, or a text in YAML or JSON that is not empty");
};

/** Returns the field of a recipe that is not stored; throws for one beside a stored version. */
function draft({ query }: Reference, recipe: RecipeSource | undefined): { recipe?: RecipeSource } {
  if (recipe === undefined) return {};
  if (query) throw new InvalidArgumentError("a recipe of your own and a stored version exclude each other");
  return { recipe: sourceOf(recipe) };
}

const RECIPES = "/prompt-recipes";
const recipePath = (name: string): string => `${RECIPES}/${encodeURIComponent(name)}`;
const labelPath = (name: string, label: string): string =>
  `${recipePath(name)}/labels/${encodeURIComponent(checkLabel(label))}`;

/** Stores a new version: `POST /prompt-recipes`. The key makes it safe to repeat. */
export function pushRecipe(
  recipe: RecipeSource,
  message: string | undefined,
  expectedVersion: number | undefined,
  idempotencyKey: string,
): ApiRequest<PushedRecipe> {
  if (expectedVersion !== undefined) checkVersion("expectedVersion", expectedVersion, 0);
  if (message !== undefined && typeof message !== "string")
    throw new InvalidArgumentError("message must be text");
  return {
    call: "recipes.push",
    method: "POST",
    path: RECIPES,
    headers: { "Idempotency-Key": idempotencyKey },
    body: { recipe: sourceOf(recipe), message, expected_version: expectedVersion },
    read: (content) => {
      const stored = fieldOf(content, "recipe", "object") as PromptRecipe;
      return { ...stored, warnings: fieldOf(content, "warnings", "list") as string[] };
    },
  };
}

/** Lists the recipes: `GET /prompt-recipes`. */
export const listRecipes = (): ApiRequest<Page<RecipeSummary>> => ({
  call: "recipes.list",
  method: "GET",
  path: RECIPES,
  read: pageIn("recipes"),
});

/** Gets a version: `GET /prompt-recipes/{name}`. */
export const getRecipe = ({ name, query }: Reference): ApiRequest<PromptRecipe> => ({
  call: "recipes.get",
  method: "GET",
  path: recipePath(name) + query,
  read: (content) => fieldOf(content, "recipe", "object") as PromptRecipe,
});

/** Deletes a recipe with its versions: `DELETE /prompt-recipes/{name}`. */
export function deleteRecipe(name: string, force: boolean | undefined): ApiRequest<DeletedRecipe> {
  checkSwitch("force", force);
  return {
    call: "recipes.delete",
    method: "DELETE",
    path: recipePath(name) + (force ? "?force=true" : ""),
    resultIfGone: { name, success: true },
    read: withField("name", "text"),
  };
}

/** Lists the versions of a recipe: `GET /prompt-recipes/{name}/versions`. */
export const listVersions = (name: string): ApiRequest<Page<RecipeVersion>> => ({
  call: "recipes.versions",
  method: "GET",
  path: `${recipePath(name)}/versions`,
  read: pageIn("versions"),
});

/** Compares two versions: `GET /prompt-recipes/{name}/diff`. */
export function diffRecipe(
  name: string,
  fromVersion: number,
  toVersion: number | undefined,
): ApiRequest<RecipeDiff> {
  const from = checkVersion("fromVersion", fromVersion);
  const to = toVersion === undefined ? "" : `&to=${checkVersion("toVersion", toVersion)}`;
  return {
    call: "recipes.diff",
    method: "GET",
    path: `${recipePath(name)}/diff?from=${from}${to}`,
    read: (content) => {
      if (typeof content["diff"] !== "string") fieldOf(content, "diff", "text"); // it may be empty
      return content as RecipeDiff;
    },
  };
}

/** Assembles a prompt: `POST /prompt-recipes/{name}/render`. It stores nothing, so that it may be repeated. */
export function renderRecipe(
  chosen: Reference,
  values: Record<"inputs" | "context" | "fragments", object | undefined>,
  recipe: RecipeSource | undefined,
): ApiRequest<RenderedRecipe> {
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && !objectOf(value)) throw new InvalidArgumentError(`${name} must be an object`);
  return {
    call: "recipes.render",
    method: "POST",
    path: `${recipePath(chosen.name)}/render${chosen.query}`,
    body: { ...values, ...draft(chosen, recipe) },
    read: (content) => {
      fieldOf(content, "messages", "list");
      return content as RenderedRecipe;
    },
  };
}

/** Runs a recipe's tests: `POST /prompt-recipes/{name}/test`. It stores nothing, so that it may be repeated. */
export const testRecipe = (
  chosen: Reference,
  recipe: RecipeSource | undefined,
): ApiRequest<TestedRecipe> => ({
  call: "recipes.test",
  method: "POST",
  path: `${recipePath(chosen.name)}/test${chosen.query}`,
  body: draft(chosen, recipe),
  read: withField("passed", "boolean"),
});

/** Lets a label point to a version: `PUT /prompt-recipes/{name}/labels/{label}`. */
export function setLabel(
  name: string,
  label: string,
  version: number,
  requiresTests: boolean | undefined,
): ApiRequest<LabeledRecipe> {
  checkSwitch("requiresTests", requiresTests);
  return {
    call: "recipes.label",
    method: "PUT",
    path: labelPath(name, label),
    body: { version: checkVersion("version", version), requires_tests: requiresTests },
    read: withField("label", "text"),
  };
}

/** Removes a label: `DELETE /prompt-recipes/{name}/labels/{label}`. */
export const removeLabel = (name: string, label: string): ApiRequest<RemovedLabel> => ({
  call: "recipes.unlabel",
  method: "DELETE",
  path: labelPath(name, label),
  resultIfGone: { name, label, success: true },
  read: withField("label", "text"),
});
