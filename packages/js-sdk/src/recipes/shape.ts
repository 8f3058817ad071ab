/** How the recipe of a shipped service differs from the one that the SDK knows (docs/contract.md#known-recipes). */

import { originOf } from "../core/origins.js";
import type { JsonObject } from "../core/shapes.js";
import type { KnownRecipe } from "./knownRecipes.js";
import { Template } from "./placeholders.js";
import type { Recipe } from "./recipe.js";

// Who asks, by which way, and for what: no known recipe sets these without a secret.
const FORBIDDEN =
  /^(authorization|cookie|host|forwarded|via|x-real-ip|x-http-method(-override)?|x-method-override|proxy-.*|x-forwarded-.*)$/i;

/**
 * Returns how a recipe uses secrets differently than the known one; undefined if it does not.
 *
 * Its URLs are not compared here. Headers without a secret may differ: they are versions and the like.
 */
export function difference(
  { inject, primitive, secrets }: Recipe,
  [, known, keys, endpoint]: KnownRecipe,
): string | undefined {
  for (const section of new Set([...Object.keys(inject), ...Object.keys(known)])) {
    const expected = known[section] ?? {};
    let found = Object.entries(inject[section] ?? {});
    if (section === "header") {
      const own = Object.keys(expected).map((name) => name.toLowerCase());
      const isForbidden = (name: string) => FORBIDDEN.test(name) || own.includes(name.toLowerCase());
      const constants = found.filter(([, item]) => !(item instanceof Template));
      const [forbidden] = constants.find(([name]) => isForbidden(name)) ?? [];
      if (forbidden) return `inject.header sets ${shown(forbidden)}`;
      found = found.filter(([, item]) => item instanceof Template);
    }
    if (comparable(section, Object.fromEntries(found)) !== comparable(section, expected)) {
      if (!found.length) return `inject.${section} has nothing`;
      const names = found.map(([name]) => name).join(", ");
      return `inject.${section} has ${shown(names)}, or templates that are not the known ones`;
    }
  }
  const usual = endpoint ? "service_account" : "static_key";
  if (primitive !== usual) return `the primitive is ${shown(primitive)}, not '${usual}'`;
  const found = secrets.map(({ key }) => key);
  if ([...found].sort().join() !== [...keys].sort().join())
    return `required_secrets has the keys ${shown(found.join(", "))}, not ${keys.join(", ")}`;
  return undefined;
}

/** Tells whether two URLs of recipes are the same, whatever the form of the origin. */
export const isSameUrl = (found: string, expected: string): boolean =>
  writtenOrigin(found) === writtenOrigin(expected) && path(found) === path(expected);

/** Returns the origin of a URL with its placeholders, which is compared before any secret is filled in. */
export const writtenOrigin = (url: string): string | undefined => originOf(new Template(url).normalized());

/** Returns a part of a recipe as an error message shows it. */
export const shown = (text: unknown): string =>
  `'${String(text).length > 160 ? `${String(text).slice(0, 160)}…` : text}'`;

/** Returns what follows the origin, without a slash at its end. */
const path = (url: string): string =>
  new Template(url)
    .normalized()
    .replace(/^[^/?#]*\/\/[^/?#]*/, "")
    .replace(/\/$/, "");

/** Writes names and templates in one form, as a list, since names may differ in case only. */
const comparable = (section: string, names: JsonObject): string =>
  JSON.stringify(
    Object.entries(names)
      .map(([name, item]) =>
        JSON.stringify([
          section === "header" ? name.toLowerCase() : name,
          item instanceof Template ? item.normalized() : item,
        ]),
      )
      .sort(),
  );
