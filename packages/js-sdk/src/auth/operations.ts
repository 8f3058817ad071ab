/** The operations that only `auth` and `creds.push` need, and that are loaded with them. */

import type { Settings } from "../core/config.js";
import {
  InvalidArgumentError,
  SealedCredentialsUnsupportedError,
  UnknownServiceError,
} from "../core/errors.js";
import { nearest } from "../core/nearest.js";
import { type Envelope, readEnvelope, seal } from "../core/sealing.js";
import type { Secret } from "../core/secret.js";
import type { PushedCredential } from "../core/types.js";
import { credentialPath, having } from "../http/operations.js";
import { type Call, fieldOf } from "../http/request.js";
import { shippedOrigins } from "../recipes/pinned.js";
import { parseRecipe, type Recipe } from "../recipes/recipe.js";
/** `GET /auth-recipes/{service}`. */
export const getRecipe = (service: string): Call<Recipe> => ({
  method: "GET",
  path: `/auth-recipes/${encodeURIComponent(service)}`,
  key: "optional",
  closer: (status) =>
    status === 404
      ? {
          kind: UnknownServiceError,
          words: `there is no auth recipe for '${service}'`,
          hint: nearest(service, [...shippedOrigins.keys()]) || "; client.auth.listServices() lists all",
        }
      : undefined,
  read: (answer) => parseRecipe(fieldOf(answer, "recipe", "object"), service),
});

/** `GET /credentials/{name}`, the sealed read; another shape of answer counts as none. */
export const readCredential = (name: string): Call<Envelope | undefined> => ({
  method: "GET",
  path: credentialPath(name),
  read: (answer) => readEnvelope(name, answer),
});

const SEALED_HINT =
  '. This engine does not take sealed credentials. To send the value as it is, over TLS, opt in with new Arcrun({ credentialFormat: "plain" }) or ARCRUN_CREDENTIAL_FORMAT=plain';

/** `POST /credentials`, sealed or plain. */
export async function pushCredential(
  { credentialFormat }: Settings,
  apiKey: Secret,
  name: string,
  value: Secret,
  extra: { service?: string | undefined; sensitivity?: string | undefined },
): Promise<Call<PushedCredential>> {
  const { service, sensitivity } = extra;
  if (sensitivity !== undefined && sensitivity !== "standard" && sensitivity !== "high")
    throw new InvalidArgumentError(`sensitivity '${sensitivity}': it is 'standard' or 'high'`);
  const sealed = credentialFormat === "sealed";
  const held = sealed ? await seal(apiKey, name, value) : { value: value() };
  return {
    method: "POST",
    path: "/credentials",
    body: { name, ...held, service, sensitivity },
    secrets: [value],
    closer: (status, words) =>
      sealed && status === 400 && /value.*必填/.test(words)
        ? { kind: SealedCredentialsUnsupportedError, words, hint: SEALED_HINT }
        : undefined,
    read: having("name", "text"),
  };
}
