/** A place for a connection; whoever has none waits in line. */
export interface Places {
  readonly busy: number;
  use<T>(work: () => Promise<T>): Promise<T>;
}

/** At most `count` at once, in the order of asking. */
export function connectionPlaces(count: number): Places {
  let busy = 0;
  const waiting: (() => void)[] = [];
  return {
    get busy() {
      return busy;
    },
    use: async (work) => {
      if (busy >= count) await new Promise<void>((resolve) => waiting.push(resolve));
      else busy++;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        // The place goes from hand to hand, so that nobody who comes later can take it.
        if (next === undefined) busy--;
        else next();
      }
    },
  };
}
