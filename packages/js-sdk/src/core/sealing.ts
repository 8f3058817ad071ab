/** Envelope v1: what `creds.push` sends instead of the plaintext (docs/contract.md#credentials). */

import { webCrypto } from "./crypto.js";
import { ConfigurationError, UnexpectedResponseError } from "./errors.js";
import type { Secret } from "./secret.js";
import { type JsonObject, textOf } from "./shapes.js";

/** A sealed value, in base64 (standard alphabet, padded), and the service that it was stored for. */
export interface Envelope {
  encrypted: string;
  iv: string;
  service?: string | undefined;
}

const SCHEME = "arcrun.credentials.v1";

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

export const toBase64 = (bytes: Uint8Array): string =>
  btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));

export const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Derives the AES key (HKDF-SHA256 over the API key); returns it with the parameters that it is used with. */
async function cipher(apiKey: Secret, name: string, iv: Uint8Array<ArrayBuffer>) {
  const { subtle } = webCrypto();
  const secret = await subtle.importKey("raw", utf8(apiKey()), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: utf8(SCHEME), info: utf8("AES-256-GCM") };
  const aes = { name: "AES-GCM", length: 256 };
  const key = await subtle.deriveKey(derivation, secret, aes, false, ["encrypt", "decrypt"]);
  return { subtle, key, parameters: { ...aes, iv, additionalData: utf8(`${SCHEME}:${name}`) } };
}

/**
 * Encrypts `value` for the credential `name` under the API key.
 *
 * @param name - Bound into the envelope, which does not open under another name.
 * @param iv - 12 bytes, for test vectors; left out, fresh random ones.
 */
export async function seal(
  apiKey: Secret,
  name: string,
  value: Secret,
  iv?: Uint8Array<ArrayBuffer>,
): Promise<Envelope> {
  const nonce = iv ?? webCrypto().getRandomValues(new Uint8Array(12));
  const { subtle, key, parameters } = await cipher(apiKey, name, nonce);
  const sealed = await subtle.encrypt(parameters, key, utf8(value()));
  return { encrypted: toBase64(new Uint8Array(sealed)), iv: toBase64(nonce) };
}

/** Opens an envelope; throws if it was sealed under another key or name, or was altered. */
export async function unseal(apiKey: Secret, name: string, envelope: Envelope): Promise<string> {
  try {
    const { subtle, key, parameters } = await cipher(apiKey, name, fromBase64(envelope.iv));
    const plain = await subtle.decrypt(parameters, key, fromBase64(envelope.encrypted));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new UnexpectedResponseError(
      `the credential '${name}' does not open with this API key: it was sealed under another key or name, or was altered; push it again`,
    );
  }
}

/**
 * Returns the envelope in the response to a sealed read, or undefined if there is none.
 *
 * An engine without the sealed read may respond with something else at this path.
 */
export function readEnvelope(name: string, content: JsonObject): Envelope | undefined {
  const encrypted = textOf(content["encrypted"]);
  const iv = textOf(content["iv"]);
  return content["name"] === name && encrypted && iv
    ? { encrypted, iv, service: textOf(content["service"]) }
    : undefined;
}
