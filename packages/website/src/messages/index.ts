import { en } from "./en";
import { zh } from "./zh";

/** One text in the languages of the site. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

type Section = keyof typeof en;

/** The table of a language: a key that is missing, or that English does not have, is a type error. */
export type Messages = { readonly [S in Section]: Record<keyof (typeof en)[S], string> };
/** The table of a part of the language's texts. */
export type Part<T> = { readonly [S in keyof T]: Record<keyof T[S], string> };
/** The texts of a section, each in all languages. */
export type Texts<S extends Section> = Record<keyof (typeof en)[S], Text>;

/** Return the texts of a section. */
export function texts<S extends Section>(section: S): Texts<S> {
  const english: Record<string, string> = en[section];
  const chinese: Record<string, string> = zh[section];
  const pairs = Object.keys(english).map((key) => [key, { en: english[key] ?? "", zh: chinese[key] ?? "" }]);
  return Object.fromEntries(pairs) as Texts<S>;
}

/** Return a text with values in place of `{name}`. */
export function filled(text: Text, values: Record<string, string | number>): Text {
  return { en: fill(text.en, values), zh: fill(text.zh, values) };
}

/** Return one language's text with values in place of `{name}`. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
