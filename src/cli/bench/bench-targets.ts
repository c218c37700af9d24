import { z } from "zod";
import { taskOf } from "../../acceptance/index.ts";
import type { AcceptanceClient, NodeStatus, ServiceSeen, Task } from "../../acceptance/index.ts";
import { nearest, OmniError } from "../../core/index.ts";

/** One name that is measured. */
export interface BenchTarget {
  readonly name: string;
  readonly task: Task;
  /** Services behind it, the first choice first; none of a server that is no node. */
  readonly services: readonly ServiceSeen[];
}

export interface Wanted {
  readonly routes: readonly string[];
  readonly services: readonly string[];
}

const MODELS = z.object({
  data: z.array(
    z.object({ id: z.string(), omni: z.object({ services: z.array(z.string()) }).exactOptional() }),
  ),
});

/**
 * What a node is measured by: the names that were given or, without any, each route that writes text, of those with the same
 * services the first. Throws OmniError `cli.bad-argument` for a name that it does not serve.
 */
export async function nodeTargets(
  client: AcceptanceClient,
  status: NodeStatus,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<readonly BenchTarget[]> {
  const routes = new Map(status.routes.map((route) => [route.name, route.services]));
  const services = new Map(status.services.map((service) => [service.name, [service.name]]));
  const seen = (names: readonly string[]): readonly ServiceSeen[] =>
    names.flatMap((name) => status.services.find((service) => service.name === name) ?? []);
  const target = (name: string, behind: readonly string[], image = false): BenchTarget => ({
    name,
    task: image ? "image" : taskOf(seen(behind)),
    services: seen(behind),
  });
  if (wanted.routes.length + wanted.services.length === 0) {
    const all = [...(routes.size > 0 ? routes : services)].map(([name, behind]) => target(name, behind));
    const text = distinct(all.filter(({ task }) => task === "text"));
    return text.length > 0 ? text : distinct(all);
  }
  // Names of workflows that make images are neither routes nor services.
  const listed = MODELS.safeParse((await client.ask("/models", { signal })).json);
  const more = new Map(
    (listed.data?.data ?? []).flatMap(({ id, omni }) => (omni === undefined ? [] : [[id, omni.services]])),
  );
  const find = (name: string, known: ReadonlyMap<string, readonly string[]>, what: string): BenchTarget => {
    const behind = known.get(name);
    if (behind !== undefined) return target(name, behind, !routes.has(name) && !services.has(name));
    throw unknownName(name, [...known.keys()], what);
  };
  return [
    ...wanted.routes.map((name) => find(name, new Map([...more, ...routes]), "route")),
    ...wanted.services.map((name) => find(name, services, "service")),
  ];
}

function unknownName(name: string, known: readonly string[], what: string): OmniError {
  const meant = nearest(name, known);
  return new OmniError("cli.bad-argument", `The node has no ${what} ${JSON.stringify(name)}.`, {
    hint: meant === undefined ? `It has: ${known.join(", ")}.` : `Did you mean ${meant}?`,
  });
}

/** A route, its aliases and roles lead to the same services: measured once. */
function distinct(targets: readonly BenchTarget[]): readonly BenchTarget[] {
  const first = new Map<string, BenchTarget>();
  for (const target of targets) {
    const key = target.services.map(({ name }) => name).join("\n");
    if (!first.has(key)) first.set(key, target);
  }
  return [...first.values()];
}
