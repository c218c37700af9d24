import { isDeepStrictEqual } from "node:util";

import type { Diagnostic } from "../../core/index.ts";
import type { RouteView, ServiceView } from "../../supervisor/backends.ts";
import type { MirrorChange, MirroredService, Token } from "./protocol.ts";

/** The node as the parent told it. */
export class NodeMirror {
  routes: readonly RouteView[] = [];
  diagnostics: readonly Diagnostic[] = [];
  views: readonly ServiceView[] = [];
  readonly #services = new Map<string, MirroredService>();
  /** Services that a request saw broken, and how many reports the parent has not looked at yet. */
  readonly #doubted = new Map<string, number>();
  #names: readonly string[] = [];

  apply({ services = [], names, routes, diagnostics }: MirrorChange): void {
    for (const service of services) this.#services.set(service.view.name, service);
    if (names !== undefined) {
      this.#names = names;
      for (const name of this.#services.keys()) if (!names.includes(name)) this.#services.delete(name);
    }
    if (services.length > 0 || names !== undefined) {
      this.views = this.#names.flatMap((name) => this.#services.get(name)?.view ?? []);
    }
    if (routes !== undefined) this.routes = routes;
    if (diagnostics !== undefined) this.diagnostics = diagnostics;
  }

  /** A service, its address left out while a report about it is on its way. */
  service(name: string): MirroredService | undefined {
    return this.#services.get(name);
  }

  address(name: string): MirroredService["address"] {
    return this.#doubted.has(name) ? undefined : this.#services.get(name)?.address;
  }

  doubt(name: string): void {
    this.#doubted.set(name, (this.#doubted.get(name) ?? 0) + 1);
  }

  heard(name: string): void {
    const left = (this.#doubted.get(name) ?? 0) - 1;
    if (left > 0) this.#doubted.set(name, left);
    else this.#doubted.delete(name);
  }

  /** Whether a token's lease leads to where its service takes requests now. */
  isGood({ service, lease }: Token): boolean {
    const address = this.address(service);
    return (
      address !== undefined && (address === lease?.address || isDeepStrictEqual(address, lease?.address))
    );
  }
}
