import { findEngineMetrics } from "../../catalog/index.ts";
import type { EngineMetrics } from "../../catalog/index.ts";
import type { EngineDriver, EngineLoad, EngineRequest } from "../engine.ts";
import { type PrometheusSamples, readPrometheusText } from "./prometheus-text.ts";

type Samples = ReadonlyMap<string, PrometheusSamples>;

/** How the figures of a kind of engine are asked for and read, by the names that the catalog knows for it. */
export function metricsLoad(kind: string, request: EngineRequest): NonNullable<EngineDriver["load"]> {
  const metrics = findEngineMetrics(kind);
  if (metrics === undefined) return { request, read: () => ({}) };
  const names = new Set(namesOf(metrics));
  return { request, read: (body) => loadOf(metrics, readPrometheusText(body, names)) };
}

const namesOf = (metrics: EngineMetrics): readonly string[] =>
  [
    metrics.running,
    metrics.waiting,
    ...kvNames(metrics),
    metrics.prompt,
    metrics.generated,
    metrics.preempted?.name,
    metrics.progress,
    ...(metrics.steps ?? []),
  ].filter((name) => name !== undefined);

const kvNames = ({ kvUsed, former }: EngineMetrics): readonly string[] => [
  ...(kvUsed ?? []),
  ...(former?.kvUsed === undefined ? [] : [former.kvUsed]),
];

function loadOf(metrics: EngineMetrics, samples: Samples): EngineLoad {
  const sum = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : samples.get(name)?.sum;
  const { preempted } = metrics;
  // Of several caches the fullest is the one that makes requests wait.
  const kvUsed = kvNames(metrics)
    .map((name) => samples.get(name)?.max)
    .find((used) => used !== undefined);
  return present({
    running: sum(metrics.running),
    waiting: sum(metrics.waiting),
    kvUsed: kvUsed === undefined ? undefined : Math.min(1, Math.max(0, kvUsed)),
    promptTokens: sum(metrics.prompt),
    generatedTokens: sum(metrics.generated),
    preempted: preempted?.type === "counter" ? sum(preempted.name) : undefined,
    progress: progressOf(metrics, samples),
  });
}

/**
 * The sum of everything that moves with work: it stands still only when all of it does. Absent where nothing of it moves
 * before the end of a request: standing still would mean nothing then.
 */
function progressOf(
  { progress, prompt, generated, countsAtEnd, steps = [] }: EngineMetrics,
  samples: Samples,
): number | undefined {
  const counters = [progress, prompt, generated].filter((name) => name !== undefined);
  const decisive = countsAtEnd === true ? steps : [...counters, ...steps];
  if (!decisive.some((name) => samples.has(name))) return undefined;
  return [...new Set([...counters, ...steps])].reduce((sum, name) => sum + (samples.get(name)?.sum ?? 0), 0);
}

type Figures = { readonly [Name in keyof EngineLoad]-?: number | undefined };

/** Without the figures that the engine does not tell. */
export function present(figures: Figures): EngineLoad {
  const told: { -readonly [Name in keyof EngineLoad]: number } = {};
  for (const name of NAMES) {
    const value = figures[name];
    if (value !== undefined && Number.isFinite(value)) told[name] = value;
  }
  return told;
}

const NAMES = [
  "running",
  "waiting",
  "kvUsed",
  "promptTokens",
  "generatedTokens",
  "preempted",
  "progress",
] as const satisfies readonly (keyof EngineLoad)[];
