import { MIB } from "../../../core/bytes.ts";
import type { Engine } from "../engine.ts";
import { sumOf } from "../../board/holdings.ts";

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** The line as llama-server writes it since 0.4: minutes, seconds, milliseconds and microseconds since its start, level, text. */
export function llamaLine(level: "I" | "W" | "E", text: string): string {
  const micros = Math.round(performance.now() * 1000);
  const [minutes, seconds] = [Math.floor(micros / 6e7), Math.floor(micros / 1e6) % 60];
  return `${minutes}.${pad(seconds, 2)}.${pad(Math.floor(micros / 1000) % 1000, 3)}.${pad(micros % 1000, 3)} ${level} ${text}`;
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(2).padStart(8);

const whole = (bytes: number): number => Math.floor(bytes / MIB);

/** Detail that llama-server 0.5 tells from `--log-verbosity 4` on; older builds always do. */
export const isVerbose = ({ line }: Engine): boolean =>
  Number(
    line.value("-lv", "--verbosity", "--log-verbosity") ?? process.env["LLAMA_ARG_LOG_VERBOSITY"] ?? 3,
  ) >= 4 || line.has("-v", "--verbose", "--log-verbose");

/** Cards by the names of the CUDA backend, and main memory. */
export const deviceName = (card: number): string => (card < 0 ? "CPU" : `CUDA${card}`);

/** `ggml_cuda_init: found …`, one line a card that is reached. */
export function cudaLines(engine: Engine): readonly string[] {
  const cards = engine.cards.flatMap((uuid) => engine.board?.cards.find((card) => card.uuid === uuid) ?? []);
  const total = cards.reduce((sum, { memoryTotal, reserved = 0 }) => sum + memoryTotal - reserved, 0);
  return [
    `ggml_cuda_init: found ${cards.length} CUDA devices (Total VRAM: ${whole(total)} MiB):`,
    ...cards.map(
      ({ name, computeCapability, memoryTotal, reserved = 0 }, i) =>
        `  Device ${i}: ${name}, compute capability ${computeCapability ?? "8.9"}, VMM: yes, VRAM: ${whole(memoryTotal - reserved)} MiB`,
    ),
  ].map((text) => llamaLine("I", text));
}

/** `load_tensors: CUDA0 model buffer size = …` and its kin for the cache and for computing. */
export function bufferLines(engine: Engine, term: "weights" | "kvCache" | "compute"): readonly string[] {
  const [who, what] = WORDS[term];
  return Object.entries(engine.settings.memory)
    .filter(([, terms]) => (terms[term] ?? 0) > 0)
    .map(([device, terms]) => {
      const name = deviceName(onProcessor(engine) ? -1 : engine.cards.indexOf(device));
      const label = term === "weights" && name === "CPU" ? "CPU_Mapped" : name;
      return llamaLine("I", `${who}: ${label.padStart(10)} ${what} size = ${mib(terms[term] ?? 0)} MiB`);
    });
}

const WORDS = {
  weights: ["load_tensors", "model buffer"],
  kvCache: ["llama_kv_cache", "KV buffer"],
  compute: ["sched_reserve", "compute buffer"],
} as const;

export const onProcessor = (engine: Engine): boolean => engine.faults.find("on-processor") !== undefined;

/** `common_memory_breakdown_print`, at the end. */
export function breakdownLines(engine: Engine): readonly string[] {
  const rows = Object.entries(engine.settings.memory).map(([device, terms]) => {
    const { weights = 0, kvCache = 0, compute = 0 } = terms;
    const self = whole(sumOf(terms));
    return `common_memory_breakdown_print: |   - ${deviceName(engine.cards.indexOf(device)).padEnd(18)} | ${self} = ${whole(weights)} + ${whole(kvCache)} + ${whole(compute)} |`;
  });
  return [
    "common_memory_breakdown_print: | memory breakdown [MiB] | total   free    self   model   context   compute    unaccounted |",
    ...rows,
  ].map((text) => llamaLine("I", text));
}
