/** `client.creds`: credentials, stored sealed and listed without values. */

import { checkCredential } from "../core/names.js";
import { checkOptions } from "../core/options.js";
import { isText } from "../core/shapes.js";
import type { CallOptions, Credential, DeletedCredential, PushedCredential } from "../core/types.js";
import type { Connection } from "../http/connection.js";
import { deleteCredential, listCredentials } from "../http/operations.js";
import type { PushCredentialOptions } from "./options.js";
import { push } from "./push.js";

/** `client.creds`: the credentials of your key. */
export class Creds {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Stores a credential, or replaces it. The value is encrypted before it leaves this process.
   *
   * @param name - Letters A-Z a-z, digits and `_`.
   * @param value - The secret; any non-empty text.
   * @throws {@link InvalidArgumentError} The name or value is not valid; nothing was sent.
   * @throws {@link SealedCredentialsUnsupportedError} The engine takes plain credentials only.
   * @throws {@link APIStatusError} The engine responded with an error.
   *
   * @example
   * ```ts
   * const pushed = await client.creds.push("notion_token", "ntn_秘密");
   * console.log(pushed.name); // notion_token
   * ```
   */
  async push(name: string, value: string, options: PushCredentialOptions = {}): Promise<PushedCredential> {
    checkOptions(options, "client.creds.push", "service sensitivity");
    return push(this.connection, name, value, options);
  }

  /**
   * Lists the credentials, without values. The deployed engine lists 200 at most.
   *
   * @throws {@link APIStatusError} The engine responded with an error.
   *
   * @example
   * ```ts
   * const found = await client.creds.list();
   * console.log(found.map((credential) => credential.name)); // [ 'notion_token' ]
   * ```
   */
  async list(options?: CallOptions): Promise<Credential[]> {
    const found = await this.connection.list(listCredentials(), checkOptions(options, "client.creds.list"));
    for (const { name } of found)
      if (isText(name)) this.connection.memory.names.set(name.toLowerCase(), name);
    return found;
  }

  /**
   * Deletes a credential.
   *
   * @throws {@link NotFoundError} There is no credential of this name (the deployed engine does not report that).
   *
   * @example
   * ```ts
   * const deleted = await client.creds.delete("notion_token");
   * console.log(deleted.name); // notion_token
   * ```
   */
  async delete(name: string, options?: CallOptions): Promise<DeletedCredential> {
    const { memory } = this.connection;
    checkOptions(options, "client.creds.delete");
    const deleted = await this.connection.send(deleteCredential(checkCredential(name)), options);
    memory.names.delete(name.toLowerCase());
    memory.secrets.delete(name); // no longer the one stored
    return deleted;
  }
}
