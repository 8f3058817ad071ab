/** `creds.push`: checks a credential, seals it, stores it. */

import { InvalidArgumentError } from "../core/errors.js";
import { checkCredential } from "../core/names.js";
import { type Secret, secretOf } from "../core/secret.js";
import { checkService } from "../core/serviceNames.js";
import type { PushedCredential } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import { pushCredential } from "./operations.js";
import type { PushCredentialOptions } from "./options.js";

/** Stores a credential: `creds.push`. */
export async function push(
  connection: Connection,
  name: string,
  value: string,
  options: PushCredentialOptions,
): Promise<PushedCredential> {
  checkCredential(name);
  if (options.service !== undefined) checkService(options.service);
  const secret = secretOf(value);
  if (!secret) throw new InvalidArgumentError(`the value of '${name}' must be non-empty text`);
  return pushSecret(connection, name, secret, options);
}

/** Stores a wrapped secret under a name that was checked. */
export async function pushSecret(
  connection: Connection,
  name: string,
  secret: Secret,
  options: PushCredentialOptions,
): Promise<PushedCredential> {
  const { memory, settings } = connection;
  const request = await pushCredential(settings, connection.key(), name, secret, options);
  warn(connection, name);
  const pushed = await connection.send(request, options);
  memory.names.set(name.toLowerCase(), name);
  memory.secrets.delete(name); // it may hold an older value
  return pushed;
}

/** Tells whether a key has the entropy to seal under: `ak_` and at least 32 hex digits. */
const isStrong = (apiKey: string): boolean => /^ak_[0-9A-Fa-f]{32,}$/.test(apiKey);

function warn({ memory, settings }: Connection, name: string): void {
  const known = memory.names.get(name.toLowerCase()) ?? name;
  if (known !== name)
    console.warn(
      `arcrun: '${name}' and '${known}' differ only in case: some engines store one value for both`,
    );
  if (settings.credentialFormat === "plain" || memory.warnedOfWeakKey) return;
  memory.warnedOfWeakKey = !isStrong(settings.apiKey?.() ?? "");
  if (memory.warnedOfWeakKey)
    console.warn(
      "arcrun: this API key is too weak to seal credentials with: it is not ak_ and 32 or more hex digits, so whoever has the sealed values could guess it",
    );
}
