import type { Asker } from "../hub.ts";
import { scopeOf } from "../policy/key-scope.ts";
import type { ServerLink } from "./server-link.ts";
import { View } from "./view.ts";

/** Views that are kept: as many as there are keys of different rights by different ways, usually. */
const MOST = 128;

/** What each kind of asker sees, kept until anything changes. */
export class Views {
  readonly #views = new Map<string, View>();
  #links: readonly ServerLink[] = [];
  #searchAbove: number;

  constructor(searchAbove: number) {
    this.#searchAbove = searchAbove;
  }

  /** Servers in the order in which their tools are listed: by name. */
  set(links: readonly ServerLink[], searchAbove: number): void {
    this.#links = links.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.#searchAbove = searchAbove;
    this.forget();
  }

  /** Something changed: all are built again when somebody asks. */
  forget(): void {
    this.#views.clear();
  }

  of(asker: Asker): View {
    const scope = asker.channel + scopeOf(asker.caller);
    const known = this.#views.get(scope);
    if (known !== undefined) return known;
    const oldest = this.#views.keys().next();
    if (this.#views.size >= MOST && oldest.done !== true) this.#views.delete(oldest.value);
    const view = new View(asker, this.#links, this.#searchAbove);
    this.#views.set(scope, view);
    return view;
  }
}
