/** The requests of `client.auth` and `creds.push`. */

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
import { credentialPath, withField } from "../http/operations.js";
import type { ApiRequest } from "../http/request.js";
import { fieldOf } from "../http/response.js";
import { parseRecipe, type Recipe } from "../recipes/recipe.js";
import { shippedServices } from "../recipes/trust.js";

/** Gets a service's auth recipe: `GET /auth-recipes/{service}`. */
export const getRecipe = (service: string, call: string): ApiRequest<Recipe> => ({
  call,
  method: "GET",
  path: `/auth-recipes/${encodeURIComponent(service)}`,
  key: "optional",
  preciseError: (status) =>
    status === 404
      ? {
          kind: UnknownServiceError,
          message: `there is no auth recipe for '${service}'`,
          hint: nearest(service, shippedServices) || "; client.auth.listServices() lists the services",
        }
      : undefined,
  read: (content) => parseRecipe(fieldOf(content, "recipe", "object"), service),
});

/**
 * Gets a credential's envelope: `GET /credentials/{name}`, the sealed read.
 *
 * The result is undefined if the engine responds with something else.
 */
export const readCredential = (name: string): ApiRequest<Envelope | undefined> => ({
  call: "auth.bind",
  method: "GET",
  path: credentialPath(name),
  read: (content) => readEnvelope(name, content),
});

const SEALED_HINT =
  '. This engine does not accept sealed credentials. To send the value as it is, over TLS, opt in with new Arcrun({ credentialFormat: "plain" }) or ARCRUN_CREDENTIAL_FORMAT=plain';

/** Stores a credential, sealed or plain: `POST /credentials`. */
export async function pushCredential(
  { credentialFormat }: Settings,
  apiKey: Secret,
  name: string,
  value: Secret,
  extra: { service?: string | undefined; sensitivity?: string | undefined },
): Promise<ApiRequest<PushedCredential>> {
  const { service, sensitivity } = extra;
  if (sensitivity !== undefined && sensitivity !== "standard" && sensitivity !== "high")
    throw new InvalidArgumentError(`sensitivity must be 'standard' or 'high', not '${sensitivity}'`);
  const sealed = credentialFormat === "sealed";
  const content = sealed ? await seal(apiKey, name, value) : { value: value() };
  return {
    call: "creds.push",
    method: "POST",
    path: "/credentials",
    body: { name, ...content, service, sensitivity },
    secrets: [value],
    preciseError: (status, message) =>
      sealed && status === 400 && /value.*必填/.test(message)
        ? { kind: SealedCredentialsUnsupportedError, message, hint: SEALED_HINT }
        : undefined,
    read: withField("name", "text"),
  };
}
