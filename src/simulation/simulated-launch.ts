import { fileURLToPath } from "node:url";
import { OmniError } from "../core/error.ts";
import { siblingProgram } from "../core/sibling-program.ts";
import type { LaunchSpec } from "../engines/engine.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Board } from "./board/board.ts";
import type { TermBytes } from "./board/holdings.ts";
import { compileCache } from "./compile-cache.ts";
import type { EngineSettings } from "./engine/engine-settings.ts";
import type { Fault } from "./faults/fault.ts";

const MAIN = fileURLToPath(siblingProgram(import.meta.url, "./engine/main"));

/** What a simulated engine stands for. */
export interface SimulationOf {
  /** Kind of engine in the catalog. */
  readonly kind: string;
  readonly service: PlannedService;
  /** UUID on the board by the name of the device in the plan. */
  readonly uuids: Readonly<Record<string, string>>;
  /** Loading time as a share of what the real engine is likely to take; 0.05 when absent: seconds, not minutes. */
  readonly pace?: number;
  readonly tokensPerSecond?: number;
  readonly promptTokensPerSecond?: number;
  /** Faults of every start. */
  readonly faults?: readonly Fault[];
  readonly modelMustExist?: boolean;
}

const PACE = 0.05;
/** What a disk of the fast kind gives, bytes a second. */
const DISK = 2e9;
const SHORTEST = 50;
/** Start, compilation and graphs of engines over PyTorch, and the bare start of llama-server, ms. */
const FIXED: Readonly<Record<string, number>> = { "llama.cpp": 2000, comfyui: 8000, openai: 500 };
const FIXED_TORCH = 40_000;

/**
 * The same launch on the process runtime with the simulated program: the real command line goes along and is checked as the
 * real engine would. The address must be one of this machine.
 */
export function simulatedLaunch(launch: LaunchSpec, about: SimulationOf, board: Board): LaunchSpec {
  const { address } = launch;
  if (address.kind === "url")
    throw new OmniError(
      "engine.not-started",
      `${launch.service}: a simulated engine listens on this machine.`,
    );
  const { memoryFraction, kvBytes } = about.service.settings ?? {};
  const settings: EngineSettings = {
    kind: about.kind,
    service: launch.service,
    model: about.service.model.name,
    address,
    contextTokens: Math.max(1, about.service.contextTokens),
    parallel: about.service.parallel,
    memory: memoryOf(about),
    ...(about.service.kvCache === undefined ? {} : { kvBytesPerToken: about.service.kvCache.bytesPerToken }),
    ...(memoryFraction === undefined ? {} : { memoryFraction }),
    ...(kvBytes === undefined ? {} : { kvBytes }),
    loadTime: loadTimeOf(about),
    tokensPerSecond: about.tokensPerSecond ?? 60,
    promptTokensPerSecond: about.promptTokensPerSecond ?? 4000,
    board: board.folder,
    ...(about.faults === undefined ? {} : { faults: about.faults }),
    ...(about.modelMustExist === undefined ? {} : { modelMustExist: about.modelMustExist }),
  };
  return {
    service: launch.service,
    command: [process.execPath, MAIN, "--simulate", JSON.stringify(settings), "--", ...launch.command],
    environment: { ...compileCache(), ...launch.environment },
    address,
    loadTimeout: launch.loadTimeout,
    digest: `simulated ${launch.digest}`,
  };
}

function memoryOf({ service, uuids }: SimulationOf): Readonly<Record<string, TermBytes>> {
  const terms = service.memory.map(({ device, weights, kvCache, compute, overhead }) => {
    const uuid = device === "cpu" ? "cpu" : uuids[device];
    return uuid === undefined ? undefined : ([uuid, { weights, kvCache, compute, overhead }] as const);
  });
  return Object.fromEntries(terms.filter((term) => term !== undefined));
}

function loadTimeOf({ kind, service, pace = PACE }: SimulationOf): number {
  const real = (FIXED[kind] ?? FIXED_TORCH) + (service.model.sizeBytes / DISK) * 1000;
  return Math.max(SHORTEST, Math.round(real * pace));
}
