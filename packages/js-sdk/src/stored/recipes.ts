/** `client.recipes`: recipes of all kinds, stored in versions and labelled; prompt recipes also assembled and tested. */

import { webCrypto } from "../core/crypto.js";
import { checkOptions } from "../core/options.js";
import type {
  BacktestedRecipe,
  CallOptions,
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
import { type Connection, requireCapability } from "../http/connection.js";
import type { Page } from "../http/operations.js";
import { type ApiRequest, bodyOf } from "../http/request.js";
import { checkKind, checkPrompt, checkRecipe, KINDS, kindOf, type RecipeKind, reference } from "./names.js";
import {
  backtestRecipe,
  deleteRecipe,
  diffRecipe,
  getRecipe,
  listRecipes,
  listVersions,
  pushRecipe,
  removeLabel,
  renderRecipe,
  setLabel,
  testRecipe,
} from "./operations.js";

/** The options of `recipes.push`. */
export interface PushRecipeOptions extends CallOptions {
  /** Why this version is made. */
  message?: string | undefined;
  /** The number that the newest version must have; 0 for a recipe that must not be there yet. */
  expectedVersion?: number | undefined;
}

/** The options of `recipes.list`. */
export interface ListRecipesOptions extends CallOptions {
  /** The kind: `prompt_recipe` (the default), `api_recipe` or `auth_recipe`. */
  kind?: RecipeKind | undefined;
}

/** The options of `recipes.get`. */
export interface RecipeOptions extends CallOptions {
  /** The version, in place of `@VERSION`. */
  version?: number | undefined;
  /** The label, in place of `@LABEL`. */
  label?: string | undefined;
}

/** The options of `recipes.delete`. */
export interface DeleteRecipeOptions extends CallOptions {
  /** Delete it although something names it. */
  force?: boolean | undefined;
}

/** The options of `recipes.test`. */
export interface TestRecipeOptions extends RecipeOptions {
  /** A recipe of this name that is not stored, in place of the stored one. */
  recipe?: string | object | undefined;
}

/** The options of `recipes.backtest`. */
export interface BacktestOptions extends TestRecipeOptions {
  /** With how many of the newest recorded prompts; left out, 50, or with `call` 20, which is the most. */
  runs?: number | undefined;
  /**
   * Whether a model is asked for each prompt that changes, and its answer compared. It costs tokens, may take
   * minutes (see `timeout`), and is not retried.
   */
  call?: boolean | undefined;
}

/** The options of `recipes.render`. */
export interface RenderOptions extends TestRecipeOptions {
  /** Values by path, as a run has them, for the variables that `inputs` leaves out. */
  context?: object | undefined;
  /** Texts by variable, instead of those that are stored. */
  fragments?: Record<string, string> | undefined;
}

/** The options of `recipes.label`. */
export interface LabelOptions extends CallOptions {
  /** Whether the label moves only to versions whose tests pass; left out, it stays as it is. */
  requiresTests?: boolean | undefined;
}

/**
 * `client.recipes`: the recipes of your key (docs/contract.md#versions-of-recipes).
 *
 * A name is that of a prompt recipe, alone or after `prompt_recipe:`; that of an API recipe stands after `api_recipe:`,
 * that of an auth recipe after `auth_recipe:`.
 */
export class Recipes {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Stores a new version of a recipe. Versions never change.
   *
   * @param recipe - An object; of a prompt recipe, also its text in YAML or JSON. An API recipe or an auth recipe says
   *   its kind by `kind` (`api_recipe`, `auth_recipe`), or before its name by `id`.
   * @throws {@link BadRequestError} The recipe has faults; `details` says where.
   * @throws {@link ConflictError} The newest version is not `expectedVersion`.
   * @throws {@link InvalidArgumentError} An argument is not valid, or the engine has no such recipes.
   *
   * @example
   * ```ts
   * const pushed = await client.recipes.push({
   *   name: "greet",
   *   inputs: [{ var: "name", from: "input.name" }],
   *   prompt_assembly: { user: "向 {{name}} 問好" },
   *   tests: [{ name: "小明", inputs: { name: "小明" }, expect: { contains: ["小明"] } }],
   * });
   * console.log(pushed.version, pushed.warnings); // 1 []
   * const weather = await client.recipes.push({
   *   id: "api_recipe:weather_today",
   *   display_name: "今日天氣",
   *   endpoint: "https://weather.example/{{city}}",
   *   method: "GET",
   * });
   * console.log(weather.name, weather.version); // weather_today 1
   * ```
   */
  async push(recipe: string | object, options: PushRecipeOptions = {}): Promise<PushedRecipe> {
    checkOptions(options, "client.recipes.push", "message expectedVersion");
    const key = webCrypto().randomUUID(); // the same for each attempt, which so make one version
    const kind = kindOf(recipe);
    const request = pushRecipe(kind, recipe, options.message, options.expectedVersion, key);
    return this.send(kind, request, options);
  }

  /**
   * Lists the recipes of a kind, by name, each with a version and its description.
   *
   * Of prompt recipes it is the newest version, of others the one that the name alone means. What is shipped with the
   * engine has the version 0, and `shipped`.
   *
   * @throws {@link InvalidArgumentError} There is no such kind, or the engine has no such recipes.
   *
   * @example
   * ```ts
   * const found = await client.recipes.list();
   * console.log(found.map((recipe) => recipe.name)); // [ 'greet', 'wiki_synthesis' ]
   * ```
   */
  async list(options: ListRecipesOptions = {}): Promise<RecipeSummary[]> {
    checkOptions(options, "client.recipes.list", "kind");
    const kind = options.kind === undefined ? "prompt_recipe" : checkKind(options.kind);
    return this.sendAll(kind, listRecipes(kind), options);
  }

  /**
   * Returns a version of a recipe as it was pushed, and the recipe's labels.
   *
   * @param name - As a node writes it: `greet`, `greet@LABEL` or `greet@VERSION`, each also after `prompt_recipe:`,
   *   `api_recipe:` or `auth_recipe:`. Without a version it is that of the label `production`, else the newest.
   * @throws {@link NotFoundError} There is no such recipe, version or label.
   *
   * @example
   * ```ts
   * const stored = await client.recipes.get("prompt_recipe:greet@1");
   * console.log(stored.recipe["prompt_assembly"]); // { user: '向 {{name}} 問好' }
   * ```
   */
  async get(name: string, options: RecipeOptions = {}): Promise<StoredRecipe> {
    checkOptions(options, "client.recipes.get", "version label");
    const chosen = reference(name, options);
    return this.send(chosen.kind, getRecipe(chosen), options);
  }

  /**
   * Assembles a prompt, without asking a model.
   *
   * @param name - As for `get`.
   * @param inputs - Values by variable.
   * @throws {@link APIStatusError} The prompt can't be assembled: a value or a fragment is missing (422).
   * @throws {@link NotFoundError} There is no such recipe, version or label.
   *
   * @example
   * ```ts
   * const prompt = await client.recipes.render("greet", { name: "小明" });
   * console.log(prompt.messages.map((message) => message.content)); // [ '向 小明 問好' ]
   * ```
   */
  async render(name: string, inputs?: object, options: RenderOptions = {}): Promise<RenderedRecipe> {
    checkOptions(options, "client.recipes.render", "context fragments version label recipe");
    const { context, fragments, recipe } = options;
    const values = { inputs, context, fragments };
    const chosen = checkPrompt(name, options);
    return this.send(chosen.kind, renderRecipe(chosen, values, recipe), options);
  }

  /**
   * Runs the tests that a recipe brings with it, without asking a model.
   *
   * @param name - As for `get`.
   * @throws {@link NotFoundError} There is no such recipe, version or label.
   *
   * @example
   * ```ts
   * const tested = await client.recipes.test("greet");
   * console.log(tested.passed, tested.tests.map((test) => test.name)); // true [ '小明' ]
   * ```
   */
  async test(name: string, options: TestRecipeOptions = {}): Promise<TestedRecipe> {
    checkOptions(options, "client.recipes.test", "version label recipe");
    const chosen = checkPrompt(name, options);
    return this.send(chosen.kind, testRecipe(chosen, options.recipe), options);
  }

  /**
   * Compares a version with those that runs have used, on the values that these recorded.
   *
   * @param name - As for `get`; without a version it is the newest.
   * @throws {@link NotFoundError} There is no such recipe, version or label.
   *
   * @example
   * ```ts
   * const result = await client.recipes.backtest("greet", { runs: 10 });
   * console.log(result.count, result.changed); // 0 0
   * ```
   */
  async backtest(name: string, options: BacktestOptions = {}): Promise<BacktestedRecipe> {
    checkOptions(options, "client.recipes.backtest", "runs call version label recipe");
    const { runs, call, recipe } = options;
    const chosen = checkPrompt(name, options);
    return this.send(chosen.kind, backtestRecipe(chosen, runs, call, recipe), options);
  }

  /**
   * Lets a label point to a version. To move it back is the rollback.
   *
   * @param label - A word such as `production`, the label that counts where none is named.
   * @throws {@link ConflictError} The version's tests fail; `details` says which.
   * @throws {@link NotFoundError} There is no such recipe or version.
   *
   * @example
   * ```ts
   * const moved = await client.recipes.label("greet", "production", 1, { requiresTests: true });
   * console.log(moved.label, moved.version); // production 1
   * ```
   */
  async label(
    name: string,
    label: string,
    version: number,
    options: LabelOptions = {},
  ): Promise<LabeledRecipe> {
    checkOptions(options, "client.recipes.label", "requiresTests");
    const whole = checkRecipe(name);
    return this.send(whole.kind, setLabel(whole, label, version, options.requiresTests), options);
  }

  /**
   * Removes a label. The versions stay.
   *
   * @throws {@link NotFoundError} There is no such recipe or label.
   *
   * @example
   * ```ts
   * const removed = await client.recipes.unlabel("greet", "production");
   * console.log(removed.label); // production
   * ```
   */
  async unlabel(name: string, label: string, options?: CallOptions): Promise<RemovedLabel> {
    checkOptions(options, "client.recipes.unlabel");
    const whole = checkRecipe(name);
    return this.send(whole.kind, removeLabel(whole, label), options);
  }

  /**
   * Lists the versions of a recipe, newest first.
   *
   * @throws {@link NotFoundError} There is no such recipe.
   *
   * @example
   * ```ts
   * const versions = await client.recipes.versions("greet");
   * console.log(versions.map((each) => each.version)); // [ 1 ]
   * ```
   */
  async versions(name: string, options?: CallOptions): Promise<RecipeVersion[]> {
    checkOptions(options, "client.recipes.versions");
    const whole = checkRecipe(name);
    return this.sendAll(whole.kind, listVersions(whole), options);
  }

  /**
   * Compares two versions of a recipe.
   *
   * @param toVersion - Left out, the newest.
   * @throws {@link NotFoundError} There is no such recipe or version.
   *
   * @example
   * ```ts
   * const { diff } = await client.recipes.diff("greet", 1);
   * console.log(diff === ""); // true
   * ```
   */
  async diff(
    name: string,
    fromVersion: number,
    toVersion?: number,
    options?: CallOptions,
  ): Promise<RecipeDiff> {
    checkOptions(options, "client.recipes.diff");
    const whole = checkRecipe(name);
    return this.send(whole.kind, diffRecipe(whole, fromVersion, toVersion), options);
  }

  /**
   * Deletes a recipe with its versions and labels.
   *
   * @throws {@link ConflictError} Workflows name the recipe, or API recipes or credentials its service; `details` lists
   *   them.
   * @throws {@link NotFoundError} There is no such recipe.
   *
   * @example
   * ```ts
   * const deleted = await client.recipes.delete("greet");
   * console.log(deleted.name); // greet
   * ```
   */
  async delete(name: string, options: DeleteRecipeOptions = {}): Promise<DeletedRecipe> {
    checkOptions(options, "client.recipes.delete", "force");
    const whole = checkRecipe(name);
    return this.send(whole.kind, deleteRecipe(whole, options.force), options);
  }

  /** Sends a request, if the engine has recipes of this kind in versions. */
  private async send<T>(kind: RecipeKind, request: ApiRequest<T>, options?: CallOptions): Promise<T> {
    bodyOf(request); // what can't be sent is refused before the engine is asked
    await this.check(kind, options);
    return this.connection.send(request, options);
  }

  /** Gets a whole list, if the engine has recipes of this kind in versions. */
  private async sendAll<T>(
    kind: RecipeKind,
    request: ApiRequest<Page<T>>,
    options?: CallOptions,
  ): Promise<T[]> {
    await this.check(kind, options);
    return this.connection.list(request, options);
  }

  private check(kind: RecipeKind, options: CallOptions | undefined): Promise<void> {
    this.connection.key();
    const { capability, what } = KINDS[kind];
    return requireCapability(this.connection, capability, what, options);
  }
}
