import type { HostView } from "../check.ts";

/** Asks once for each view, whoever asks: a view is one look at a host, as its inventory is. */
export function oncePerView<T>(ask: (view: HostView) => Promise<T>): (view: HostView) => Promise<T> {
  const asked = new WeakMap<HostView, Promise<T>>();
  return (view) => {
    const known = asked.get(view);
    if (known !== undefined) return known;
    const answer = ask(view);
    asked.set(view, answer);
    return answer;
  };
}
