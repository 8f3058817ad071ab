/** The requests about recipes of all kinds (docs/contract.md#versions-of-recipes). */

import { InvalidArgumentError } from "../core/errors.js";
import { isText, type JsonObject, objectOf } from "../core/shapes.js";
import type {
  BacktestedRecipe,
  DeletedRecipe,
  LabeledRecipe,
  PushedRecipe,
  RecipeDiff,
  RecipeSummary,
  RecipeVersion,
  RemovedLabel,
  RenderedRecipe,
  StoredRecipe,
  TestedRecipe,
} from "../core/types.js";
import { type Page, pageIn, withField } from "../http/operations.js";
import type { ApiRequest } from "../http/request.js";
import { fieldOf } from "../http/response.js";
import {
  checkLabel,
  checkVersion,
  checkWhole,
  KINDS,
  type RecipeKind,
  type Reference,
  reference,
} from "./names.js";

/** A recipe: of a prompt recipe its text in YAML or JSON, or an object. */
export type RecipeSource = string | object;

const MOST_RUNS = 200;

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

const recipePath = ({ kind, name }: Reference): string => `${KINDS[kind].path}/${encodeURIComponent(name)}`;
const labelPath = (whole: Reference, label: string): string =>
  `${recipePath(whole)}/labels/${encodeURIComponent(checkLabel(label))}`;

/** Returns an auth recipe or an API recipe as a body holds it: named by its own field, without `id` and hash. */
function recordOf(kind: RecipeKind, recipe: RecipeSource): object {
  const { id, hash_id: _hash, ...record } = recipe as JsonObject;
  const { nameField } = KINDS[kind];
  if (id !== undefined) {
    const named = reference(String(id));
    const name = record[nameField] ?? named.name;
    record[nameField] = name;
    if (named.kind !== kind || named.query || name !== named.name)
      throw new InvalidArgumentError(`the recipe's id must be ${kind}:${name}, or be left out`);
  }
  if (kind === "api_recipe") delete record["kind"];
  return record;
}

/** Returns what a response says of a version: of a prompt recipe it stands under `recipe`, of others beside it. */
function storedIn(kind: RecipeKind, content: JsonObject): StoredRecipe {
  const recipe = fieldOf(content, "recipe", "object");
  const { success: _success, ...beside } = content;
  return (kind === "prompt_recipe" ? recipe : beside) as StoredRecipe;
}

/** Stores a new version: `POST /prompt-recipes`, `/recipes` or `/auth-recipes`. The key makes it safe to repeat. */
export function pushRecipe(
  kind: RecipeKind,
  recipe: RecipeSource,
  message: string | undefined,
  expectedVersion: number | undefined,
  idempotencyKey: string,
): ApiRequest<PushedRecipe> {
  if (expectedVersion !== undefined) checkVersion("expectedVersion", expectedVersion, 0);
  if (message !== undefined && typeof message !== "string")
    throw new InvalidArgumentError("message must be text");
  const isPrompt = kind === "prompt_recipe";
  const given = isPrompt ? { recipe: sourceOf(recipe) } : recordOf(kind, recipe);
  return {
    call: "recipes.push",
    method: "POST",
    path: KINDS[kind].path,
    headers: { "Idempotency-Key": idempotencyKey },
    body: { ...given, message, expected_version: expectedVersion },
    read: (content) => {
      const warnings = isPrompt ? (fieldOf(content, "warnings", "list") as string[]) : [];
      return { warnings, ...storedIn(kind, content) };
    },
  };
}

/** Lists the recipes of a kind: `GET /prompt-recipes`, `/recipes` or `/auth-recipes`. */
export const listRecipes = (kind: RecipeKind): ApiRequest<Page<RecipeSummary>> => ({
  call: "recipes.list",
  method: "GET",
  path: KINDS[kind].path,
  read: kind === "prompt_recipe" ? pageIn("recipes") : (content) => summariesIn(kind, content),
});

/** Returns what a list shows of recipes; one without a number of its own is shipped. */
function summariesIn(kind: RecipeKind, content: JsonObject): Page<RecipeSummary> {
  const { items, cursor } = pageIn<JsonObject>("recipes")(content);
  const versions = new Map(Object.entries(objectOf(content["versions"]) ?? {}));
  const summary = (record: JsonObject): RecipeSummary => {
    const name = fieldOf(record, KINDS[kind].nameField, "text");
    const version = (versions.get(name) ?? 0) as number;
    const description = (record["description"] ?? "") as string;
    return { name, version, description, ...(version ? {} : { shipped: true }) };
  };
  return { items: items.map(summary), cursor };
}

/** Gets a version, as `GET /prompt-recipes/{name}`. */
export const getRecipe = (chosen: Reference): ApiRequest<StoredRecipe> => ({
  call: "recipes.get",
  method: "GET",
  path: recipePath(chosen) + chosen.query,
  read: (content) => storedIn(chosen.kind, content),
});

/** Deletes a recipe with its versions, as `DELETE /prompt-recipes/{name}`. */
export function deleteRecipe(whole: Reference, force: boolean | undefined): ApiRequest<DeletedRecipe> {
  checkSwitch("force", force);
  return {
    call: "recipes.delete",
    method: "DELETE",
    path: recipePath(whole) + (force ? "?force=true" : ""),
    resultIfGone: { name: whole.name, success: true },
    read: withField("name", "text"),
  };
}

/** Lists the versions of a recipe, as `GET /prompt-recipes/{name}/versions`. */
export const listVersions = (whole: Reference): ApiRequest<Page<RecipeVersion>> => ({
  call: "recipes.versions",
  method: "GET",
  path: `${recipePath(whole)}/versions`,
  read: pageIn("versions"),
});

/** Compares two versions, as `GET /prompt-recipes/{name}/diff`. */
export function diffRecipe(
  whole: Reference,
  fromVersion: number,
  toVersion: number | undefined,
): ApiRequest<RecipeDiff> {
  const from = checkVersion("fromVersion", fromVersion);
  const to = toVersion === undefined ? "" : `&to=${checkVersion("toVersion", toVersion)}`;
  return {
    call: "recipes.diff",
    method: "GET",
    path: `${recipePath(whole)}/diff?from=${from}${to}`,
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
    path: `${recipePath(chosen)}/render${chosen.query}`,
    body: { ...values, ...draft(chosen, recipe) },
    read: withField("messages", "list"),
  };
}

/** Runs a recipe's tests: `POST /prompt-recipes/{name}/test`. It stores nothing, so that it may be repeated. */
export const testRecipe = (
  chosen: Reference,
  recipe: RecipeSource | undefined,
): ApiRequest<TestedRecipe> => ({
  call: "recipes.test",
  method: "POST",
  path: `${recipePath(chosen)}/test${chosen.query}`,
  body: draft(chosen, recipe),
  read: withField("passed", "boolean"),
});

/** Compares with what runs used: `POST /prompt-recipes/{name}/backtest`. What asks a model is not repeated. */
export function backtestRecipe(
  chosen: Reference,
  runs: number | undefined,
  call: boolean | undefined,
  recipe: RecipeSource | undefined,
): ApiRequest<BacktestedRecipe> {
  checkSwitch("call", call);
  if (runs !== undefined) checkWhole("runs", runs, 1, MOST_RUNS);
  return {
    call: "recipes.backtest",
    method: "POST",
    path: `${recipePath(chosen)}/backtest${chosen.query}`,
    body: { runs, call: call || undefined, ...draft(chosen, recipe) },
    retryable: !call,
    read: withField("runs", "list"),
  };
}

/** Lets a label point to a version, as `PUT /prompt-recipes/{name}/labels/{label}`. */
export function setLabel(
  whole: Reference,
  label: string,
  version: number,
  requiresTests: boolean | undefined,
): ApiRequest<LabeledRecipe> {
  checkSwitch("requiresTests", requiresTests);
  return {
    call: "recipes.label",
    method: "PUT",
    path: labelPath(whole, label),
    body: { version: checkVersion("version", version), requires_tests: requiresTests },
    read: withField("label", "text"),
  };
}

/** Removes a label, as `DELETE /prompt-recipes/{name}/labels/{label}`. */
export const removeLabel = (whole: Reference, label: string): ApiRequest<RemovedLabel> => ({
  call: "recipes.unlabel",
  method: "DELETE",
  path: labelPath(whole, label),
  resultIfGone: { name: whole.name, label, success: true },
  read: withField("label", "text"),
});
