/** The newest of what was put in, at most `size` of them. */
export class Ring<T> {
  readonly #size: number;
  readonly #kept: T[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = Math.max(1, Math.floor(size));
  }

  put(value: T): void {
    this.#kept[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
  }

  get newest(): T | undefined {
    return this.#kept.at(this.#next - 1);
  }

  /** Oldest first. */
  all(): T[] {
    return this.#kept.length < this.#size
      ? [...this.#kept]
      : [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)];
  }
}
