import type { AcceptanceClient } from "./client.ts";
import { nodeStatus } from "./node-view.ts";
import type { NodeStatus } from "./node-view.ts";

/** What others had at the services of a route while it was measured. */
export interface ForeignTraffic {
  /** A request of one's own was sent. */
  sent(): void;
  /** What was noticed since the last call, in words; nothing where nobody else was at work or the server does not tell. */
  noticed(signal: AbortSignal): Promise<readonly string[]>;
}

/** Counts what the node dispatched to these services beyond one's own requests. Reads the node once to begin with. */
export async function watchTraffic(
  client: AcceptanceClient,
  services: readonly string[],
  signal: AbortSignal,
): Promise<ForeignTraffic> {
  let own = 0;
  // A server that is no node is not asked for what only nodes have.
  let before = services.length === 0 ? undefined : await nodeStatus(client, signal);
  let busy = busyText(before, services);
  return {
    sent: () => own++,
    noticed: async () => {
      if (before === undefined) return [];
      const now = await nodeStatus(client, signal);
      const others = attemptsOf(now, services) - attemptsOf(before, services) - own;
      const told = [
        ...busy,
        ...(others > 0
          ? [`About ${others} requests of others were answered meanwhile: speeds are lower for it.`]
          : []),
      ];
      [before, own, busy] = [now, 0, []];
      return told;
    },
  };
}

const attemptsOf = (status: NodeStatus | undefined, services: readonly string[]): number =>
  services.reduce((sum, name) => {
    const { attempts = 0, retried = 0 } = status?.traffic[name] ?? {};
    return sum + attempts - retried;
  }, 0);

function busyText(status: NodeStatus | undefined, services: readonly string[]): readonly string[] {
  return (status?.services ?? [])
    .filter(({ name }) => services.includes(name))
    .flatMap(({ name, inFlight = 0, load }) => {
      const running = Math.max(inFlight, load?.running ?? 0);
      const waiting = load?.waiting ?? 0;
      return running + waiting === 0
        ? []
        : [`${name} was at work for others before it began: ${running} in flight, ${waiting} waiting.`];
    });
}
