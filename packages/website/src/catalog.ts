import type { Snippet } from "@/components/Code";
import type { Text } from "@/messages";
import catalog from "./generated/catalog.json";
import conformanceFile from "./generated/conformance.json";
import documentsFile from "./generated/documents.json";
import snippetsFile from "./generated/snippets.json";

// What scripts/website has written for this build.

export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export interface Component {
  readonly canonical_id: string;
  readonly category: string;
  readonly description: string;
  readonly version: string;
  readonly name: Text;
  readonly input_schema: Schema;
  readonly branches?: readonly string[];
  readonly example: Snippet;
}

export interface Secret {
  readonly key: string;
  readonly label: Text;
  readonly help: Text;
  readonly help_url: string;
  readonly optional: boolean;
}

export interface Service {
  readonly service: string;
  readonly name: Text;
  readonly description: Text;
  readonly category: string;
  readonly primitive: string;
  readonly base_url: string;
  readonly secrets: readonly Secret[];
  readonly snippets: { readonly python: Snippet; readonly javascript: Snippet };
}

export interface ApiRecipe {
  readonly id: string;
  readonly name: Text;
  readonly description: Text;
  readonly method: string;
  readonly endpoint: string;
  readonly service: string | null;
}

export interface PromptRecipe {
  readonly name: string;
  readonly description: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly source: Snippet;
}

export interface Heading {
  readonly level: string;
  readonly id: string;
  readonly text: string;
}

export interface Document {
  readonly slug: string;
  readonly group: string;
  readonly path: string;
  readonly title: string;
  readonly summary: string;
  readonly headings: readonly Heading[];
  readonly html: string;
}

export const components = catalog.components as unknown as readonly Component[];
export const services = catalog.services as unknown as readonly Service[];
export const apiRecipes = catalog.api_recipes as unknown as readonly ApiRecipe[];
export const promptRecipes = catalog.prompt_recipes as unknown as readonly PromptRecipe[];
export const documents = documentsFile as readonly Document[];
/** The day on which this site was built, for pages that the build writes. */
export const built = new Date().toISOString().slice(0, 10);
export const versions = snippetsFile.versions;

/** Return a file of packages/website/snippets. */
export function snippet(name: keyof typeof snippetsFile.files): Snippet {
  return snippetsFile.files[name];
}

export interface ConformanceReport {
  readonly date: string;
  readonly engine: string;
  /** GO or NO-GO, if a gate has judged the run. */
  readonly verdict: string | null;
  readonly scenarios: number;
  readonly columns: readonly ConformanceColumn[];
}

/** What one SDK has passed on one runtime. */
export interface ConformanceColumn {
  readonly name: string;
  readonly package: string;
  readonly runtime: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The scenarios that failed. */
  readonly failures: readonly string[];
}

export const conformance = conformanceFile as ConformanceReport | null;
