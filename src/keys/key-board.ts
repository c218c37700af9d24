import type { NewEvent } from "../core/index.ts";
import type { StoredKey } from "../store/stored-key.ts";
import { keyChanges } from "./key-changes.ts";
import type { KeyRoll } from "./key-roll.ts";
import { knownSpecKey, knownStoredKey } from "./known-key.ts";
import type { KnownKey, SpecKey } from "./known-key.ts";

/** All keys that are in force, and whether any were ever configured. Plain data, so that it can be told to a worker. */
export interface KnownKeys {
  readonly keys: readonly KnownKey[];
  readonly ever: boolean;
}

/** Puts the keys of the spec and of the store together, and tells who listens whenever they change. */
export class KeyBoard {
  #spec: readonly SpecKey[];
  readonly #roll: KeyRoll;
  readonly #onEvent: (event: NewEvent) => void;
  readonly #listeners = new Set<(known: KnownKeys) => void>();
  #stored: readonly StoredKey[] | undefined;
  #known: KnownKeys;

  constructor(spec: readonly SpecKey[], roll: KeyRoll, onEvent: (event: NewEvent) => void) {
    this.#spec = spec;
    this.#roll = roll;
    this.#onEvent = onEvent;
    this.#known = { keys: spec.map(knownSpecKey), ever: spec.length > 0 };
    this.#roll.set(this.#known.keys, this.#known.ever);
  }

  get known(): KnownKeys {
    return this.#known;
  }

  /** Called with all keys of the store, revoked ones too, whenever they may have changed. */
  set(stored: readonly StoredKey[]): void {
    const before = this.#stored;
    this.#stored = stored;
    const names = new Set(this.#spec.map(({ caller }) => caller.key));
    const shadowed = stored.filter(({ name, revoked }) => revoked === undefined && names.has(name));
    const own = stored.flatMap((key) => (names.has(key.name) ? [] : (knownStoredKey(key) ?? [])));
    // Revoked keys stay as rows: that is how a node that had keys stays closed.
    const ever = this.#known.ever || this.#spec.length > 0 || stored.length > 0;
    const opened = before !== undefined && ever && !this.#known.ever;
    this.#known = { keys: [...this.#spec.map(knownSpecKey), ...own], ever };
    this.#roll.set(this.#known.keys, ever);
    for (const listener of this.#listeners) listener(this.#known);
    if (before !== undefined) for (const event of keyChanges(before, stored)) this.#onEvent(event);
    if (opened)
      this.#onEvent({
        severity: "warning",
        kind: "key.first",
        message: "The node has a key now: from here on every request must show one.",
      });
    const known = new Set(before?.map(({ name }) => name));
    for (const { name } of shadowed) if (!known.has(name)) this.#shadowed(name);
  }

  /** The keys of another spec. A node that had keys stays closed, also when that spec has none. */
  setSpec(spec: readonly SpecKey[]): void {
    this.#spec = spec;
    this.set(this.#stored ?? []);
  }

  /** Closes the node, because nobody can tell whether there are keys. */
  close(): void {
    this.#known = { ...this.#known, ever: true };
    this.#roll.set(this.#known.keys, true);
  }

  /** Called at every change until the returned function is. */
  subscribe(listener: (known: KnownKeys) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #shadowed(name: string): void {
    this.#onEvent({
      severity: "warning",
      kind: "key.shadowed",
      message: `The key ${name} that was created is not in force: the spec has a key of that name. Create it under another name.`,
      data: { key: name },
    });
  }
}
