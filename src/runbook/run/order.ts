import { nearest, OmniError } from "../../core/index.ts";

/** What the runner has to know of a step to put it in order. */
interface Ordered {
  readonly id: string;
  readonly needs: readonly string[];
}

/** By step: the steps that have to be done before it. */
export type Edges = ReadonlyMap<string, readonly string[]>;

/**
 * What each step waits for: its own needs, as far as the runbook has them, and what a list of `runbook.order` puts before it.
 * Names of lists that the steps do not have are passed over. Throws OmniError `runbook.order-cycle` naming the circle.
 */
export function edgesOf(steps: readonly Ordered[], order: readonly (readonly string[])[]): Edges {
  const ids = new Set(steps.map(({ id }) => id));
  const edges = new Map(steps.map(({ id, needs }) => [id, new Set(needs.filter((need) => ids.has(need)))]));
  for (const list of order) {
    const known = list.filter((id) => ids.has(id));
    known.forEach((id, index) => {
      const before = known[index - 1];
      if (before !== undefined) edges.get(id)?.add(before);
    });
  }
  const listed = new Map([...edges].map(([id, needs]) => [id, [...needs]]));
  const circle = circleOf(listed);
  if (circle === undefined) return listed;
  throw new OmniError(
    "runbook.order-cycle",
    `These steps wait for each other: ${[...circle, circle[0]].join(" ← ")}.`,
  );
}

/** Steps that wait for each other, each for the next, or `undefined`. */
function circleOf(edges: Edges): readonly string[] | undefined {
  const finished = new Set<string>();
  const visit = (id: string, path: readonly string[]): readonly string[] | undefined => {
    const at = path.indexOf(id);
    if (at >= 0) return path.slice(at);
    if (finished.has(id)) return undefined;
    for (const need of edges.get(id) ?? []) {
      const found = visit(need, [...path, id]);
      if (found !== undefined) return found;
    }
    finished.add(id);
    return undefined;
  };
  for (const id of edges.keys()) {
    const found = visit(id, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Throws OmniError `runbook.unknown-step` for the first name that no step has; `where` says who named it. */
export function checkNames(named: readonly string[], ids: readonly string[], where: string): void {
  const known = new Set(ids);
  const unknown = named.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, ids);
  throw new OmniError("runbook.unknown-step", `${where} names ${unknown}, and there is no such step.`, {
    hint: near === undefined ? undefined : `Did you mean ${near}?`,
  });
}
