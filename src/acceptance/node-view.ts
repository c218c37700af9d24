import { z } from "zod";
import { OmniError } from "../core/index.ts";
import { refusalText } from "./client.ts";
import type { AcceptanceClient } from "./client.ts";

const count = z.number().exactOptional();
const SERVICE = z.object({
  name: z.string(),
  engine: z.string(),
  kind: z.string().exactOptional(),
  model: z.string(),
  state: z.string(),
  reason: z.string().exactOptional(),
  contextTokens: z.number(),
  parallel: z.number(),
  capabilities: z.array(z.string()).exactOptional(),
  devices: z.array(z.string()).exactOptional(),
  inFlight: count,
  load: z.object({ running: count, waiting: count }).exactOptional(),
  simulated: z.boolean().exactOptional(),
  digest: z.string().exactOptional(),
});
export type ServiceSeen = z.infer<typeof SERVICE>;

const STATUS = z.object({
  version: z.string(),
  url: z.string(),
  services: z.array(SERVICE),
  routes: z.array(z.object({ name: z.string(), services: z.array(z.string()) })),
  traffic: z.record(z.string(), z.object({ attempts: z.number(), retried: z.number() })),
});
/** What a node says of itself at one moment. */
export type NodeStatus = z.infer<typeof STATUS>;

const HARDWARE = z.object({
  reading: z
    .object({
      cards: z.array(
        z.object({
          uuid: z.string(),
          name: z.string(),
          memoryTotal: count,
          memoryUsed: count,
        }),
      ),
    })
    .nullable(),
});
/** A card as the driver shows it. Bytes, of all processes. */
type CardSeen = NonNullable<z.infer<typeof HARDWARE>["reading"]>["cards"][number];

/**
 * `/api/status`; `undefined` for a server that is no node of Omni. Throws OmniError `acceptance.refused` where it asks for
 * another key and `acceptance.no-server`.
 */
export async function nodeStatus(
  client: AcceptanceClient,
  signal: AbortSignal,
): Promise<NodeStatus | undefined> {
  const answer = await client.ask("node:/api/status", { signal });
  if (answer.status === 401 || answer.status === 403)
    throw new OmniError("acceptance.refused", `${client.origin}: ${answer.status} ${refusalText(answer)}`);
  const status = STATUS.safeParse(answer.json);
  return answer.status === 200 && status.success ? status.data : undefined;
}

/** The node's cards; none where it has none, is no node, or the key may not see them. Throws OmniError `acceptance.no-server`. */
export async function nodeHardware(
  client: AcceptanceClient,
  signal: AbortSignal,
): Promise<readonly CardSeen[]> {
  const { status, json } = await client.ask("node:/api/hardware", { signal });
  const hardware = HARDWARE.safeParse(json);
  return status === 200 && hardware.success ? (hardware.data.reading?.cards ?? []) : [];
}
