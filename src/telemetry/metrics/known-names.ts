/** What a label says of a name that is none of the spec's. */
export const OTHER = "other";
/** What a label says where there is no name: a request that was refused before it reached a service. */
export const NONE = "none";

/** Names of the spec, which labels may carry. A name that a client makes up becomes `other`, so that nobody can fill the memory of a Prometheus. */
export interface MetricNames {
  readonly routes: readonly string[];
  /** Services with the model and the kind of engine of each. */
  readonly services: readonly { readonly name: string; readonly model: string; readonly kind: string }[];
  readonly keys: readonly string[];
}

/** A few names that are not known beforehand, first come first served. */
export class FewNames {
  readonly #most: number;
  readonly #form: RegExp;
  readonly #seen = new Set<string>();

  /** At most `most` names of this form have a label of their own. */
  constructor(most: number, form: RegExp) {
    this.#most = most;
    this.#form = form;
  }

  label(name: string, otherwise: string): string {
    if (this.#seen.has(name)) return name;
    if (this.#seen.size >= this.#most || !this.#form.test(name)) return otherwise;
    this.#seen.add(name);
    return name;
  }
}
