/** The way back from envelope v1, for sealed reads (CONTRACT.md §3). */

import { ConfigurationError, UnexpectedResponseError } from "./errors.js";
import { cipher, type Envelope } from "./sealing.js";
import type { Secret } from "./secret.js";
import { type JsonObject, textOf } from "./shapes.js";

export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Opens an envelope; throws if it was sealed under another key or name, or was altered. */
export async function unseal(apiKey: Secret, name: string, envelope: Envelope): Promise<string> {
  try {
    const { subtle, key, how } = await cipher(apiKey, name, fromBase64(envelope.iv));
    const plain = await subtle.decrypt(how, key, fromBase64(envelope.encrypted));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new UnexpectedResponseError(
      `the credential '${name}' does not open with this API key: it was sealed under another key or name, or was altered; push it again`,
    );
  }
}

/**
 * Returns the envelope in a sealed read's answer, or undefined if the answer is something else.
 *
 * An engine without the sealed read may answer this path with another thing.
 */
export function readEnvelope(name: string, answer: JsonObject): Envelope | undefined {
  const encrypted = textOf(answer["encrypted"]);
  const iv = textOf(answer["iv"]);
  return answer["name"] === name && encrypted && iv ? { encrypted, iv } : undefined;
}
