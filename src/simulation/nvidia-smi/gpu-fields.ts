import { MIB } from "../../core/bytes.ts";
import type { Board } from "../board/board.ts";
import type { BoardCard } from "../board/board-card.ts";

/** A field of --query-gpu: its value without a unit, and the unit. */
interface GpuField {
  readonly unit?: string;
  value(card: BoardCard, board: Board): string;
}

const mib = (bytes: number): string => String(Math.round(bytes / MIB));
const text = (value: (card: BoardCard, board: Board) => string): GpuField => ({ value });
const memory = (value: (card: BoardCard, board: Board) => number): GpuField => ({
  unit: "MiB",
  value: (card, board) => mib(value(card, board)),
});

const IDLE_DEGREES = 34;
const HOT = 90;
const IDLE_WATTS = 18;
const POWER_LIMIT = 450;

/** How much of the card is held, 0 to 1: a card that holds a model is taken to be at work in proportion. */
const load = (card: BoardCard, board: Board): number =>
  card.memoryTotal === 0 ? 0 : board.used(card.uuid) / card.memoryTotal;

const temperature = (card: BoardCard, board: Board): number =>
  board.state(card.uuid).temperature ?? Math.round(IDLE_DEGREES + 30 * load(card, board));

/** Bits as NVML gives them: 0x1 idle, 0x40 slowdown by heat. */
const throttle = (card: BoardCard, board: Board): string => {
  const bits = temperature(card, board) >= HOT ? 0x40 : board.used(card.uuid) === 0 ? 0x1 : 0;
  return `0x${bits.toString(16).toUpperCase().padStart(16, "0")}`;
};

const none = text(() => "[N/A]");
export const DRIVER = "580.95.05";
export const CUDA = "13.0";

/** Source: nvidia-smi --help-query-gpu. */
export const GPU_FIELDS: Readonly<Record<string, GpuField>> = {
  index: text(({ index }) => String(index)),
  count: text((_card, { cards }) => String(cards.length)),
  uuid: text(({ uuid }) => uuid),
  gpu_uuid: text(({ uuid }) => uuid),
  name: text(({ name }) => name),
  gpu_name: text(({ name }) => name),
  "pci.bus_id": text(({ pci }) => `0000${pci}`),
  gpu_bus_id: text(({ pci }) => `0000${pci}`),
  "pci.device_id": none,
  serial: none,
  compute_cap: text(({ computeCapability }) => computeCapability ?? "[N/A]"),
  driver_version: text(() => DRIVER),
  timestamp: text(() => new Date().toISOString().replaceAll("-", "/").replace("T", " ").replace("Z", "")),
  "memory.total": memory(({ memoryTotal }) => memoryTotal),
  "memory.used": memory(({ uuid }, board) => board.used(uuid)),
  "memory.free": memory(({ uuid }, board) => board.free(uuid)),
  "memory.reserved": memory(({ reserved = 0 }) => reserved),
  "utilization.gpu": { unit: "%", value: (card, board) => String(Math.round(60 * load(card, board))) },
  "utilization.memory": { unit: "%", value: (card, board) => String(Math.round(40 * load(card, board))) },
  "temperature.gpu": text((card, board) => String(temperature(card, board))),
  "temperature.memory": text((card, board) => String(temperature(card, board) + 6)),
  "power.draw": { unit: "W", value: (card, board) => (IDLE_WATTS + 300 * load(card, board)).toFixed(2) },
  "power.draw.instant": {
    unit: "W",
    value: (card, board) => (IDLE_WATTS + 300 * load(card, board)).toFixed(2),
  },
  "power.limit": { unit: "W", value: () => POWER_LIMIT.toFixed(2) },
  "enforced.power.limit": { unit: "W", value: () => POWER_LIMIT.toFixed(2) },
  pstate: text(({ uuid }, board) => (board.used(uuid) > 0 ? "P0" : "P8")),
  "clocks.current.sm": { unit: "MHz", value: ({ uuid }, board) => (board.used(uuid) > 0 ? "2610" : "210") },
  "clocks.sm": { unit: "MHz", value: ({ uuid }, board) => (board.used(uuid) > 0 ? "2610" : "210") },
  "clocks_event_reasons.active": text(throttle),
  "clocks_throttle_reasons.active": text(throttle),
  "pcie.link.gen.max": text(() => "5"),
  "pcie.link.gen.current": text(({ uuid }, board) => (board.used(uuid) > 0 ? "5" : "1")),
  "pcie.link.gen.gpucurrent": text(({ uuid }, board) => (board.used(uuid) > 0 ? "5" : "1")),
  "pcie.link.width.max": text(() => "16"),
  "pcie.link.width.current": text(() => "16"),
  "ecc.mode.current": none,
  "ecc.errors.uncorrected.volatile.total": text(({ uuid }, board) =>
    [48, 95].includes(board.state(uuid).lastXid ?? 0) ? "1" : "0",
  ),
  "ecc.errors.uncorrected.aggregate.total": none,
  "mig.mode.current": none,
  "fan.speed": { unit: "%", value: () => "30" },
  persistence_mode: text(() => "Enabled"),
  compute_mode: text(() => "Default"),
};
