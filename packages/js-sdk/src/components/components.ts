/** `client.components`: the catalog of components, listed, read and searched. */

import { checkComponent } from "../core/names.js";
import { checkOptions } from "../core/options.js";
import type { CallOptions, Component, ComponentResult } from "../core/types.js";
import { type Connection, requireCapability } from "../http/connection.js";
import { getComponent, listComponents, searchComponents } from "../http/operations.js";

/** `client.components`: what a node of a workflow can be. */
export class Components {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /**
   * Lists the components of the catalog.
   *
   * @throws {@link InvalidArgumentError} The engine has no catalog.
   *
   * @example
   * ```ts
   * const found = await client.components.list();
   * console.log(found.some((component) => component.canonical_id === "if_control")); // true
   * ```
   */
  async list(options?: CallOptions): Promise<Component[]> {
    checkOptions(options, "client.components.list");
    await this.check(options);
    return this.connection.list(listComponents(), options);
  }

  /**
   * Returns a component: its parameters, its result, an example.
   *
   * @throws {@link NotFoundError} There is no component of this id.
   * @throws {@link InvalidArgumentError} The id is not valid, or the engine has no catalog.
   *
   * @example
   * ```ts
   * const component = await client.components.get("if_control");
   * console.log(component.branches); // [ 'true', 'false' ]
   * ```
   */
  async get(id: string, options?: CallOptions): Promise<Component> {
    checkOptions(options, "client.components.get");
    const request = getComponent(checkComponent(id));
    await this.check(options);
    return this.connection.send(request, options);
  }

  /**
   * Finds what a node can name: components, and recipes of all kinds, also your own.
   *
   * @param query - Words of the id, the name, the category or the description, in any script.
   * @throws {@link InvalidArgumentError} The query is not valid, or the engine has no catalog.
   *
   * @example
   * ```ts
   * const found = await client.components.search("if_control");
   * console.log(found.map((result) => result.canonical_id)); // [ 'if_control' ]
   * ```
   */
  async search(query: string, options?: CallOptions): Promise<ComponentResult[]> {
    checkOptions(options, "client.components.search");
    const request = searchComponents(query);
    await this.check(options);
    return this.connection.list(request, options);
  }

  private check(options: CallOptions | undefined): Promise<void> {
    return requireCapability(this.connection, "components", "catalog of components", options);
  }
}
