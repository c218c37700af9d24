import type { AcceptanceClient } from "./client.ts";
import { nodeStatus } from "./node-view.ts";
import type { ServiceSeen } from "./node-view.ts";

/** Whether a server takes requests. */
export interface Health {
  /** Every route has a service that answers. */
  readonly ready: boolean;
  /** What it said: HTTP status and words. */
  readonly said: string;
  readonly services: readonly ServiceSeen[];
}

/** Asks a node's `/readyz` and what it says of its services. Throws OmniError `acceptance.no-server` and `acceptance.refused`. */
export async function health(client: AcceptanceClient, signal: AbortSignal): Promise<Health> {
  const answer = await client.ask("node:/readyz", { signal });
  const status = await nodeStatus(client, signal);
  return {
    ready: answer.status === 200,
    said: `/readyz ${answer.status}`,
    services: status?.services ?? [],
  };
}
