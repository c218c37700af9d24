import type { NodeEvent } from "../../src/core/index.ts";

/** What happened, as a test expects it: kind (`a|b` for either), and where given whose it is and what its sentence says. */
export type Expected = readonly [kind: string, service?: string | undefined, says?: RegExp];

const matches = (event: NodeEvent, [kind, service, says]: Expected): boolean =>
  kind.split("|").includes(event.kind) &&
  (service === undefined || event.service === service) &&
  (says === undefined || says.test(event.message));

/** The first that is not told after all before it, or `undefined`. */
export function firstMissing(
  story: readonly NodeEvent[],
  expected: readonly Expected[],
): Expected | undefined {
  let from = 0;
  for (const one of expected) {
    const at = story.findIndex((event, index) => index >= from && matches(event, one));
    if (at < 0) return one;
    from = at + 1;
  }
  return undefined;
}

/** Place of the first event of a kind about a service in a story, -1 for none. */
export const placeOf = (story: readonly NodeEvent[], kind: string, service: string): number =>
  story.findIndex((event) => event.kind === kind && event.service === service);
