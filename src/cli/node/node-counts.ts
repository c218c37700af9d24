import type { OpenRequests } from "../../gateway/open-exchanges.ts";
import type { NodeStatus } from "../../gateway/status-endpoint.ts";
import type { GatewayInside } from "../../gateway/index.ts";

/** Requests in flight that are told one by one; of more only how many there are. */
const MOST_OPEN = 200;

/** What all processes of a gateway know together; those that are others have to be asked. */
export interface NodeCounts {
  readonly status: () => NodeStatus | Promise<NodeStatus>;
  readonly traffic: () => NodeStatus["traffic"] | Promise<NodeStatus["traffic"]>;
  readonly open: () => OpenRequests | Promise<OpenRequests>;
}

/** Of one process. */
export const countsOf = ({ shared, status }: GatewayInside): NodeCounts => ({
  status,
  traffic: () => shared.traffic.snapshot(),
  open: () => shared.open.describe(MOST_OPEN),
});

/** The oldest of several processes' requests, and how many they have together. */
export const allOpen = (told: readonly OpenRequests[]): OpenRequests => ({
  requests: told
    .flatMap(({ requests }) => requests)
    .toSorted((a, b) => a.started - b.started)
    .slice(0, MOST_OPEN),
  total: told.reduce((sum, { total }) => sum + total, 0),
});
