import { randomUUID } from "node:crypto";

/** An object of the API, as loosely as a server keeps it. */
export interface Stored {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: Managed[];
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

/** Which fields a manager owns, as paths: `.spec.replicas`. */
export interface Managed {
  manager: string;
  operation: "Apply" | "Update";
  paths: string[];
}

export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly version: number;
  readonly plural: string;
  readonly object: Stored;
}

/** What etcd is to an API server: objects with versions, and the history of their changes. */
export class ObjectStore {
  readonly #objects = new Map<string, Stored>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #history: StoreEvent[] = [];
  /** Changes up to this version are forgotten. */
  compacted = 0;
  version = 100;

  list(plural: string): Stored[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object);
  }

  get(plural: string, name: string): Stored | undefined {
    return this.#objects.get(`${plural}/${name}`);
  }

  /** Writes an object; a change of its spec is a new generation. */
  put(plural: string, object: Stored): Stored {
    const key = `${plural}/${object.metadata.name}`;
    const before = this.#objects.get(key);
    const copy = structuredClone(object);
    this.version++;
    copy.metadata.resourceVersion = `${this.version}`;
    copy.metadata.uid = before?.metadata.uid ?? randomUUID();
    copy.metadata.creationTimestamp = before?.metadata.creationTimestamp ?? new Date().toISOString();
    const changed = JSON.stringify(before?.spec) !== JSON.stringify(copy.spec);
    copy.metadata.generation = (before?.metadata.generation ?? 0) + (changed ? 1 : 0);
    this.#objects.set(key, copy);
    this.#tell({
      type: before === undefined ? "ADDED" : "MODIFIED",
      version: this.version,
      plural,
      object: copy,
    });
    return copy;
  }

  remove(plural: string, name: string): void {
    const object = this.get(plural, name);
    if (object === undefined) return;
    this.#objects.delete(`${plural}/${name}`);
    this.version++;
    const last = structuredClone(object);
    last.metadata.resourceVersion = `${this.version}`;
    this.#tell({ type: "DELETED", version: this.version, plural, object: last });
  }

  /** Changes of one kind after a version; `undefined` when they are forgotten. */
  since(plural: string, version: number): readonly StoreEvent[] | undefined {
    if (version < this.compacted) return undefined;
    return this.#history.filter((event) => event.plural === plural && event.version > version);
  }

  /** Forgets all history. */
  compact(): void {
    this.version++;
    this.compacted = this.version;
    this.#history = [];
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: StoreEvent): void {
    this.#history.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}
