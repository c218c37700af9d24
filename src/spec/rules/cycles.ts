import type { SpecPath } from "../../core/spec-path.ts";
import type { Report, Rule } from "./rule.ts";

interface Edge {
  readonly to: string;
  readonly path: SpecPath;
}

/** Reports each circle once, at the link that closes it. */
function findCycles(edges: ReadonlyMap<string, readonly Edge[]>, report: Report, verb: string): void {
  const done = new Set<string>();
  const visit = (start: string): void => {
    // An explicit stack: a chain of thousands of services must not overflow ours.
    const trail: { name: string; next: number }[] = [{ name: start, next: 0 }];
    const open = new Set([start]);
    while (trail.length > 0) {
      const top = trail.at(-1);
      if (top === undefined) break;
      const edge = edges.get(top.name)?.[top.next];
      top.next++;
      if (edge === undefined) {
        trail.pop();
        open.delete(top.name);
        done.add(top.name);
      } else if (open.has(edge.to)) {
        const names = trail.map((step) => step.name);
        const circle = [...names.slice(names.indexOf(edge.to)), edge.to];
        report({
          code: "spec.cycle",
          path: edge.path,
          message:
            circle.length === 2 ? `${edge.to} ${verb} itself` : `a circle: ${circle.join(` ${verb} `)}`,
          hint: `remove ${edge.to} here`,
        });
      } else if (!done.has(edge.to)) {
        trail.push({ name: edge.to, next: 0 });
        open.add(edge.to);
      }
    }
  };
  for (const name of edges.keys()) if (!done.has(name)) visit(name);
}

/** Services do not wait for each other in a circle, and do not hand work to each other in one. */
export const cycles: Rule = ({ spec }, report) => {
  const services = Object.entries(spec.services ?? {});
  findCycles(
    new Map(
      services.map(([name, service]) => [
        name,
        (service.after ?? []).map((to, i) => ({ to, path: ["services", name, "after", i] })),
      ]),
    ),
    report,
    "waits for",
  );
  findCycles(
    new Map(
      services.map(([name, service]) => [
        name,
        (service.ladder ?? []).flatMap((step, i) =>
          step.to !== undefined ? [{ to: step.to, path: ["services", name, "ladder", i, "to"] }] : [],
        ),
      ]),
    ),
    report,
    "falls back to",
  );
};
