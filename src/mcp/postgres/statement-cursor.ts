import Cursor from "pg-cursor";

/** Values as the server wrote them: what they mean is decided in one place, by type, and never by the driver's parsers. */
const AS_TEXT = { getTypeParser: () => (text: string) => text };

/**
 * One statement in the extended protocol, its rows in batches. The driver's cursor knows nothing of COPY, and what the
 * server says in that mode would be a call of a method that is not there, in the socket's own turn, where nobody catches it.
 */
export class StatementCursor extends Cursor<(string | null)[]> {
  readonly #onCopy: () => void;

  constructor(text: string, values: readonly unknown[], onCopy: () => void) {
    super(text, [...values], { rowMode: "array", types: AS_TEXT });
    this.#onCopy = onCopy;
  }

  handleCopyInResponse(): void {
    this.#onCopy();
  }

  handleCopyData(): void {
    this.#onCopy();
  }
}
