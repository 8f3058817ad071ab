/** Secrets in memory: wrapped, so that no inspection, JSON or clone shows them. */

import { isUnicode } from "./shapes.js";

/** What stands where a secret was. */
export const BLANK = "***";

/** A plaintext, which only a call returns: functions print as `[Function]` and have no JSON. */
export type Secret = () => string;

/** Wraps non-empty text that UTF-8 can encode; returns undefined for anything else. */
export const secretOf = (text: unknown): Secret | undefined => (isUnicode(text) ? () => text : undefined);

/** Replaces each secret in `text`, plain or as JSON, a URL or a form writes it; the longest first, as one may hold another. */
export function blankOut(text: string, secrets: readonly Secret[]): string {
  const forms = secrets.flatMap((secret) => {
    const plain = secret();
    if (plain.length < 4) return []; // too short to tell from ordinary text
    const escaped = JSON.stringify(plain).slice(1, -1);
    const ascii = escaped.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const form = new URLSearchParams({ "": plain }).toString().slice(1);
    return [plain, escaped, ascii, form, form.replace(/\+/g, "%20"), encodeURIComponent(plain)];
  });
  for (const form of forms.sort((a, b) => b.length - a.length)) text = text.split(form).join(BLANK);
  return text;
}
