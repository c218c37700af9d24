import { findEngineRelease } from "../../catalog/index.ts";
import type { EngineRelease } from "../../catalog/index.ts";
import {
  distinctArchitectures,
  formatCudaArchitecture,
  parseComputeCapability,
  parseCudaArchitectureList,
  runsOn,
} from "../../core/index.ts";
import type { ComputeCapability, CudaArchitecture } from "../../core/index.ts";
import { engineKind } from "./engine-kind.ts";
import type { GateInput, GateRefusal } from "./gate.ts";

const RULE = "NVIDIA Blackwell Compatibility Guide";

interface CompiledList {
  readonly architectures: readonly CudaArchitecture[];
  /** Where the list stands, for a person: `engines: architectures`. */
  readonly stated: string;
  readonly source: string;
  readonly note?: string;
}

/**
 * Gate 1: the engine carries code that this card can start. Silent when nothing tells what it carries, because an
 * engine that was built elsewhere may carry anything.
 */
export function refuseByArchitecture(input: GateInput): readonly GateRefusal[] {
  const device = parseComputeCapability(input.card.computeCapability);
  const compiled = compiledArchitectures(input.engine);
  if (device === undefined || compiled === undefined) return [];
  if (compiled.architectures.some((architecture) => runsOn(architecture, device))) return [];
  const list = distinctArchitectures(compiled.architectures).map(formatCudaArchitecture).join(", ");
  const note = compiled.note === undefined ? "" : `; ${compiled.note}`;
  return [
    {
      code: "arch-not-compiled",
      reason:
        `${input.card.name} (${input.card.model}) is compute capability ${input.card.computeCapability}; ` +
        `${compiled.stated} carries ${list}, and ${whyNot(compiled.architectures, device)}${note}.`,
      hint: rebuildHint(input.engine, device),
      source: compiled.source,
    },
  ];
}

/** What an engine of the spec carries: what it says itself, else what it is built for, else what its release is known to hold. */
function compiledArchitectures(engine: GateInput["engine"]): CompiledList | undefined {
  return statedList(engine) ?? builtList(engine) ?? releaseList(engine);
}

function statedList(engine: GateInput["engine"]): CompiledList | undefined {
  const architectures = parseCudaArchitectureList((engine.architectures ?? []).join(" "));
  return architectures === undefined
    ? undefined
    : { architectures, stated: "the engine (architectures)", source: RULE };
}

const BUILD_FLAGS = ["CMAKE_CUDA_ARCHITECTURES", "TORCH_CUDA_ARCH_LIST", "CPUINFER_CUDA_ARCHS"] as const;

function builtList(engine: GateInput["engine"]): CompiledList | undefined {
  const { build } = engine;
  if (build === undefined) return undefined;
  const listed = parseCudaArchitectureList((build.cudaArchitectures ?? []).join(" "));
  if (listed !== undefined) {
    return {
      architectures: asBuilt(engine, listed),
      stated: "its build (cudaArchitectures)",
      source: RULE,
    };
  }
  const environment: Readonly<Record<string, unknown>> = build.environment ?? {};
  for (const name of BUILD_FLAGS) {
    const value = build.flags?.[name] ?? environment[name];
    const architectures =
      typeof value === "string" || typeof value === "number"
        ? parseCudaArchitectureList(String(value))
        : undefined;
    if (architectures !== undefined) {
      return { architectures: asBuilt(engine, architectures), stated: `its build (${name})`, source: RULE };
    }
  }
  return undefined;
}

/** llama.cpp turns every plain 12x into 12xa (ggml-cuda/CMakeLists.txt), which serves that one card only. */
function asBuilt(
  engine: GateInput["engine"],
  list: readonly CudaArchitecture[],
): readonly CudaArchitecture[] {
  if (engineKind(engine) !== "llama.cpp") return list;
  return list.map((entry) => (entry.major === 12 && entry.suffix === "" ? { ...entry, suffix: "a" } : entry));
}

function releaseList(engine: GateInput["engine"]): CompiledList | undefined {
  const release = engineRelease(engine);
  const architectures = parseCudaArchitectureList((release?.architectures ?? []).join(" "));
  if (release === undefined || architectures === undefined) return undefined;
  return {
    architectures,
    stated: engine.image ?? `${engine.kind} ${engine.version ?? ""}`.trim(),
    source: release.source,
    ...(release.note === undefined ? {} : { note: release.note }),
  };
}

/** The published release that an engine of the spec is; none for one that is built, or is a program of the owner's. */
export function engineRelease(engine: GateInput["engine"]): EngineRelease | undefined {
  if (engine.build !== undefined || engine.binary !== undefined) return undefined;
  return findEngineRelease(engineKind(engine), engine.version, engine.image);
}

function whyNot(list: readonly CudaArchitecture[], device: ComputeCapability): string {
  const own = list.filter((entry) => entry.major === device.major);
  if (own.length > 0) {
    const names = distinctArchitectures(own).map(formatCudaArchitecture).join(", ");
    return own.some((entry) => entry.suffix === "a")
      ? `${names} runs on no other card than its own`
      : `${names} needs a newer card of the same generation`;
  }
  const ptx = list.some((entry) => entry.form === "ptx" && entry.suffix === "");
  return ptx
    ? "its PTX is for newer cards"
    : `machine code runs only within its own major version, so none of it starts on ${device.major}.x, and there is no PTX to compile`;
}

function rebuildHint(engine: GateInput["engine"], device: ComputeCapability): string {
  const target = `${device.major}.${device.minor}`;
  if (engine.build !== undefined) return `Build it with cudaArchitectures: ["${target}"].`;
  if (engine.architectures !== undefined)
    return `Use a build that carries ${target}, and correct architectures if the list is old.`;
  return `Use a release that carries ${target}, or build one: build: { cudaArchitectures: ["${target}"] }.`;
}
