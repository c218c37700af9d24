import { z } from "zod";

import { formatBytes } from "../../core/index.ts";
import { hardwareFacts } from "./hardware-facts.ts";
import type { CardFacts } from "./hardware-facts.ts";
import type { NodeAccess } from "./node-access.ts";
import type { NodeTool } from "./node-tool.ts";
import { nodeTool, READS } from "./node-tool.ts";

/** `gpu_telemetry`: each card as the driver shows it now. */
export const gpuTelemetry = (access: NodeAccess): NodeTool =>
  nodeTool({
    name: "gpu_telemetry",
    title: "GPUs of this node",
    description:
      "Each card as its driver shows it now: memory used and free, load, temperature, power, why it is slowed down and faults (Xid). What the driver does not tell is absent.",
    arguments: z.strictObject({}),
    annotations: READS,
    run() {
      const { source, reading } = hardwareFacts(access.hardware());
      if (reading === null) {
        return {
          text: "The cards were not looked at yet; ask again in a moment.",
          data: { source, cards: [] },
        };
      }
      const time = new Date(reading.time).toISOString();
      const none =
        source === "none"
          ? "This machine has no NVIDIA driver: no card is seen."
          : `No card is seen by ${source}.`;
      return {
        text: reading.cards.length === 0 ? none : reading.cards.map(line).join("\n"),
        data: { source, time, cards: reading.cards.map(cardData) },
      };
    },
  });

/** Names carry their units. */
const cardData = (card: CardFacts): Readonly<Record<string, unknown>> => ({
  uuid: card.uuid,
  name: card.name,
  memory_total_bytes: card.memoryTotal,
  memory_used_bytes: card.memoryUsed,
  memory_free_bytes: card.memoryFree,
  utilization_share: card.utilization,
  temperature_celsius: card.temperature,
  memory_temperature_celsius: card.memoryTemperature,
  power_watts: card.power,
  power_limit_watts: card.powerLimit,
  throttled: card.throttled,
  ecc_errors: card.eccErrors,
  last_xid: card.lastXid,
  recovery: card.recovery,
  lost:
    card.lost === undefined ? undefined : { ...card.lost, since: new Date(card.lost.since).toISOString() },
  read_at: card.asOf === undefined ? undefined : new Date(card.asOf).toISOString(),
});

function line(card: CardFacts): string {
  const { memoryUsed, memoryTotal, utilization, temperature, power, powerLimit, throttled, lastXid } = card;
  const said = [
    ...(memoryUsed === undefined || memoryTotal === undefined
      ? []
      : [`${formatBytes(memoryUsed)} of ${formatBytes(memoryTotal)} used`]),
    ...(utilization === undefined ? [] : [`${Math.round(utilization * 100)} % busy`]),
    ...(temperature === undefined ? [] : [`${temperature} °C`]),
    ...(power === undefined
      ? []
      : [`${Math.round(power)} W${powerLimit === undefined ? "" : ` of ${powerLimit} W`}`]),
    ...(throttled === undefined || throttled.length === 0 ? [] : [`slowed by ${throttled.join(", ")}`]),
    ...(lastXid === undefined ? [] : [`last fault Xid ${lastXid}`]),
    ...(card.recovery === undefined ? [] : [`its driver asks for ${card.recovery}`]),
  ];
  const lost = card.lost === undefined ? "" : `LOST (${card.lost.reason}); last seen: `;
  return `${card.index} ${card.name}: ${lost}${said.join(", ") || "its driver tells nothing"}`;
}
