export type Outcome<Done> = { readonly done: Done } | { readonly failed: unknown };

/**
 * A function that does one thing at a time: what is asked for while it works waits, and only the newest of it is done, after
 * `pause`, in which something newer may still come. `told` hears of an outcome unless something newer waits by then.
 */
export function newestOnly<Asked, Done>(
  work: (asked: Asked) => Promise<Done>,
  pause: () => Promise<void>,
  told: (asked: Asked, outcome: Outcome<Done>) => void,
): (asked: Asked) => void {
  let waiting: readonly Asked[] = [];
  let busy = false;
  const go = async (): Promise<void> => {
    await pause();
    const newest = waiting.slice(-1);
    waiting = [];
    for (const asked of newest) {
      const outcome = await work(asked).then(
        (done) => ({ done }),
        (failed: unknown) => ({ failed }),
      );
      if (waiting.length === 0) told(asked, outcome);
    }
    busy = waiting.length > 0;
    if (busy) await go();
  };
  return (asked) => {
    waiting = [...waiting, asked];
    if (busy) return;
    busy = true;
    void go();
  };
}
