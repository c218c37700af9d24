/** Who hears of something once; mostly there is one. */
export class Listeners {
  #first: (() => void) | undefined;
  #more: (() => void)[] | undefined;

  add(listener: () => void): void {
    if (this.#first === undefined && this.#more === undefined) this.#first = listener;
    else (this.#more ??= []).push(listener);
  }

  remove(listener: () => void): void {
    if (this.#first === listener) this.#first = undefined;
    else {
      const at = this.#more?.indexOf(listener) ?? -1;
      if (at >= 0) this.#more?.splice(at, 1);
    }
  }

  /** Tells all who listen now, in their order; who is added meanwhile hears of the next time. */
  tell(): void {
    const first = this.#first;
    const more = this.#more;
    this.#first = undefined;
    this.#more = undefined;
    first?.();
    if (more !== undefined) for (const listener of more) listener();
  }
}
