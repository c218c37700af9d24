const STAR = 0x2a;
/** Shorter words of a header are no secrets: `Bearer`, a version. */
const SHORTEST = 8;
const EMPTY = Buffer.alloc(0);

/** The words of header values that nobody may see. */
export const secretsIn = (headers: Readonly<Record<string, string>>): readonly string[] => [
  ...new Set(
    Object.values(headers)
      .flatMap((value) => value.split(/\s+/))
      .filter((word) => word.length >= SHORTEST),
  ),
];

/** Whether a text holds one of them. */
export const holdsSecret = (text: string, secrets: readonly string[]): boolean =>
  secrets.some((secret) => text.includes(secret));

/**
 * Puts stars over secrets in a body that passes by, also where one is split between two chunks; the length stays the same.
 * At most a secret's length is held back, and only while its end looks like the beginning of one.
 */
export class SecretMask {
  readonly #secrets: readonly Buffer[];
  #held: Buffer = EMPTY;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.map((secret) => Buffer.from(secret));
  }

  push(chunk: Buffer): Buffer {
    if (this.#secrets.length === 0) return chunk;
    const bytes = Buffer.concat([this.#held, chunk]);
    for (const secret of this.#secrets) {
      for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + secret.length)) {
        bytes.fill(STAR, at, at + secret.length);
      }
    }
    const keep = Math.max(...this.#secrets.map((secret) => begunAtEnd(bytes, secret)));
    this.#held = bytes.subarray(bytes.length - keep);
    return bytes.subarray(0, bytes.length - keep);
  }

  /** What was held back. */
  end(): Buffer {
    const rest = this.#held;
    this.#held = EMPTY;
    return rest;
  }
}

/** How many of the last bytes are the beginning of a secret. */
function begunAtEnd(bytes: Buffer, secret: Buffer): number {
  for (let length = Math.min(secret.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(secret.subarray(0, length))) return length;
  }
  return 0;
}
