import { GIB } from "../../src/core/index.ts";
import type { LadderRung, Plan, PlannedService } from "../../src/plan/plan.ts";
import type { CardReading, Reading } from "../../src/watch/reading.ts";
import { fakePlan, fakeService } from "./fake-driver.ts";

export const SETTINGS: NonNullable<PlannedService["settings"]> = {
  contextTokens: 8192,
  parallel: 2,
  kvKeyType: "f16",
  kvValueType: "f16",
  kvOnHost: false,
  kvUnified: false,
  tensorParallel: 1,
  pipelineParallel: 1,
  gpuLayers: 99,
  cpuExpertLayers: 0,
  batchTokens: 2048,
  microBatchTokens: 512,
  flashAttention: true,
  cudaGraphs: false,
  threads: 4,
};

const on = (device: string, bytes: number) => (bytes === 0 ? [] : [{ device, bytes }]);

/** The ladder that the defaults make of a service on one card; bytes that the first two steps free. */
export function ladderOn(device: string, quantized: number, halved: number): readonly LadderRung[] {
  const settings = { ...SETTINGS, kvKeyType: "q8_0", kvValueType: "q8_0" } as const;
  return [
    { step: "offload-kv-cache", change: "KV cache to main memory", frees: [], noEffect: "vLLM keeps it" },
    { step: "quantize-kv-cache", change: "KV cache f16 → q8_0", frees: on(device, quantized), settings },
    {
      step: "halve-context",
      change: "context 8192 → 4096",
      frees: on(device, halved),
      settings: { ...settings, contextTokens: 4096 },
      contextTokens: 4096,
    },
    {
      step: "route-long-prompts",
      change: "prompts above 2048 tokens go to worker",
      frees: [],
      to: "worker",
      above: 2048,
    },
    {
      step: "evict-others",
      change: "unload helper",
      frees: on(device, 2 * GIB),
      unloads: ["helper"],
    },
    { step: "next-engine", change: "run on llama.cpp", frees: [], to: "llama.cpp" },
    {
      step: "remote-fallback",
      change: "requests go to cloud and oracle is unloaded",
      frees: on(device, 12 * GIB),
      to: "cloud",
    },
  ];
}

export function ladderService(
  name: string,
  device: string,
  ladder: readonly LadderRung[],
  priority = 5,
): PlannedService {
  return fakeService(
    name,
    {},
    {
      devices: [device],
      contextTokens: 8192,
      settings: SETTINGS,
      ladder,
      memory: [
        {
          device,
          weights: 10 * GIB,
          kvCache: 4 * GIB,
          compute: GIB,
          overhead: GIB,
          total: 16 * GIB,
          capacity: 24 * GIB,
        },
      ],
      lifecycle: {
        priority,
        pinned: false,
        after: [],
        drainTimeout: 30_000,
        warmUp: false,
        strategy: "recreate",
      },
    },
  );
}

/** A plan of these services on `gpu0` and `gpu1`, 24 GiB each, of which 1 GiB is kept free. */
export const ladderPlan = (services: readonly PlannedService[]): Plan => ({
  ...fakePlan(services),
  ledger: ["gpu0", "gpu1", "cpu"].map((device) => ({
    device,
    machine: "box",
    kind: device === "cpu" ? ("memory" as const) : ("gpu" as const),
    label: "a card",
    capacity: 24 * GIB,
    headroom: GIB,
    entries: [],
    free: 0,
  })),
});

export const CARDS: ReadonlyMap<string, string> = new Map([
  ["gpu0", "GPU-0"],
  ["gpu1", "GPU-1"],
]);

/** A look at both cards; what is not given is free and cool. */
export function readingOf(
  time: number,
  cards: Readonly<Record<string, Partial<CardReading>>>,
  available = 8 * GIB,
): Reading {
  return {
    time,
    cards: [...CARDS].map(([device, uuid], index) => ({
      uuid,
      index,
      name: "a card",
      memoryTotal: 24 * GIB,
      memoryFree: 6 * GIB,
      temperature: 60,
      ...cards[device],
    })),
    host: { memoryTotal: 24 * GIB, memoryAvailable: available, disks: [] },
  };
}
