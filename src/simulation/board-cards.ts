import { createHash } from "node:crypto";
import { findGpu } from "../catalog/gpus.ts";
import type { LedgerDevice, PlannedService } from "../plan/plan.ts";
import type { BoardCard } from "./board/board-card.ts";

/** What of a plan tells the cards of its machines: a whole `Plan` will do. */
export interface SimulatedNode {
  readonly ledger?: readonly LedgerDevice[];
  readonly services: readonly Pick<PlannedService, "devices" | "uuids">[];
}

/** A card of a board and the name of its device in the plan. */
export interface SimulatedCard extends BoardCard {
  readonly device: string;
}

/**
 * The cards of a plan as a board has them: names and memory of the catalog, the spec's UUIDs where it names them and else
 * made-up ones, always the same for the same device. What a program sees of a card is what the plan counts with.
 */
export function boardCards({ ledger = [], services }: SimulatedNode): readonly SimulatedCard[] {
  const known = new Map(
    services.flatMap(({ devices, uuids = [] }) =>
      devices
        .filter((device) => device !== "cpu")
        .flatMap((device, i) => (uuids[i] === undefined ? [] : [[device, uuids[i]] as const])),
    ),
  );
  return ledger
    .filter(({ kind }) => kind === "gpu")
    .map(({ device, label, capacity }, index) => {
      const model = findGpu(label);
      const total = Math.max(capacity, model?.reportedMemory ?? model?.memory ?? 0);
      return {
        device,
        uuid: known.get(device) ?? madeUpUuid(device),
        index,
        name: label.startsWith("NVIDIA") ? label : `NVIDIA ${label}`,
        memoryTotal: total,
        reserved: total - capacity,
        pci: `0000:${(index + 1).toString(16).padStart(2, "0")}:00.0`,
        ...(model === undefined ? {} : { computeCapability: model.computeCapability }),
      };
    });
}

function madeUpUuid(device: string): string {
  const hex = createHash("sha256").update(`omni simulated card ${device}`).digest("hex");
  return `GPU-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
