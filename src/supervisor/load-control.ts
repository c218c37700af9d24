/**
 * What those who decide about loading (swap, ladder) ask of those who do it. Neither call waits; what came of it is seen
 * in the service's state.
 */
export interface LoadControl {
  /** `false` says that it cannot be loaded now, so that nobody waits for it. */
  load(service: string, why: string): void | false;
  /** Lets answers finish for at most `drain` ms, then frees the cards; by sleep where the engine can and `sleep` is set. */
  unload(
    service: string,
    how: { readonly why: string; readonly drain: number; readonly sleep?: boolean },
  ): void;
}
