interface Wanted {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Names of members that a scan looks for. Made once: for each request anew they cost a fifth of all that it allocates. */
export class WantedMembers {
  /** By length, which tells most other names apart. */
  readonly #byLength: Wanted[][] = [];
  readonly #names: ReadonlySet<string>;

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    for (const name of this.#names) {
      const bytes = Buffer.from(name);
      (this.#byLength[bytes.length] ??= []).push({ name, bytes });
    }
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The wanted name that stands in `body` from `start` up to, not including, `end`. */
  at(body: Buffer, start: number, end: number): string | undefined {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return undefined;
    for (const { name, bytes } of candidates) if (isAt(body, start, bytes)) return name;
    return undefined;
  }
}

function isAt(body: Buffer, start: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) if (body[start + i] !== bytes[i]) return false;
  return true;
}
