import type { Backends } from "../../supervisor/backends.ts";
import type { Admission } from "../admission/admission.ts";
import type { MirrorChange, MirroredService } from "./protocol.ts";

/** What workers have been told of the node, and what has changed since. */
export class MirrorSource {
  readonly #backends: Backends;
  readonly #admission: Admission;
  readonly #told = new Map<string, string>();
  #services: readonly MirroredService[] = [];
  #names = "";
  #routes = "";
  #diagnostics = "";

  constructor(backends: Backends, admission: Admission) {
    this.#backends = backends;
    this.#admission = admission;
  }

  /** What changed since it was asked last; `undefined` when nothing did. */
  change(): MirrorChange | undefined {
    this.#services = this.#look();
    const changed = this.#services.filter((service) => {
      const written = JSON.stringify(service);
      if (this.#told.get(service.view.name) === written) return false;
      this.#told.set(service.view.name, written);
      return true;
    });
    const names = this.#services.map(({ view }) => view.name);
    const routes = this.#backends.routes();
    const diagnostics = this.#backends.diagnostics();
    const [namesNow, routesNow, diagnosticsNow] = [names, routes, diagnostics].map((one) =>
      JSON.stringify(one),
    );
    const change: MirrorChange = {
      ...(changed.length === 0 ? {} : { services: changed }),
      ...(namesNow === this.#names ? {} : { names }),
      ...(routesNow === this.#routes ? {} : { routes }),
      ...(diagnosticsNow === this.#diagnostics ? {} : { diagnostics }),
    };
    for (const name of this.#told.keys()) if (!names.includes(name)) this.#told.delete(name);
    this.#names = namesNow ?? "";
    this.#routes = routesNow ?? "";
    this.#diagnostics = diagnosticsNow ?? "";
    return Object.keys(change).length === 0 ? undefined : change;
  }

  /** Everything, for a worker that begins. */
  whole(): MirrorChange {
    const services = this.#look();
    return {
      services,
      names: services.map(({ view }) => view.name),
      routes: this.#backends.routes(),
      diagnostics: this.#backends.diagnostics(),
    };
  }

  #look(): readonly MirroredService[] {
    return this.#backends.services().map((view) => {
      const address = this.#backends.address(view.name);
      const diversion = this.#backends.diversion?.(view.name);
      return {
        view,
        ...(address === undefined ? {} : { address }),
        ...(diversion === undefined ? {} : { diversion }),
        ...this.#admission.load(view.name),
      };
    });
  }
}
