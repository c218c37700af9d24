import { findEngineKind } from "../../catalog/index.ts";
import type { ParsedSpec } from "../schema.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import type { Report, Rule } from "./rule.ts";

type Service = NonNullable<ParsedSpec["services"]>[string];

const ON_CARDS = ["memoryFraction", "tensorSplit", "cpuMoe", "gpuExperts"] as const;

function deviceConflicts(service: Service, at: SpecPath, report: Report): void {
  const conflict = (key: string, message: string, hint: string): void =>
    report({ code: "spec.conflict", path: [...at, key], message, hint, at: "key" });
  const { devices, tensorParallel, pipelineParallel, gpuLayers, tensorSplit } = service;
  if (devices?.kind === "cpu") {
    const needless = ON_CARDS.filter((key) => service[key] !== undefined && service[key] !== false);
    if (typeof gpuLayers === "number" && gpuLayers > 0)
      conflict("gpuLayers", "devices: cpu leaves no card for layers", "gpuLayers: 0");
    for (const key of needless)
      conflict(key, `${key} is about cards, and devices: cpu uses none`, `remove ${key}`);
    if (typeof tensorParallel === "number" && tensorParallel > 1)
      conflict("tensorParallel", "devices: cpu leaves no cards to split over", "remove tensorParallel");
  }
  if (devices?.kind !== "gpus") return;
  const cards = devices.gpus.length;
  devices.gpus.forEach((gpu, i) => {
    if (devices.gpus.indexOf(gpu) !== i)
      report({
        code: "spec.duplicate-identity",
        path: [...at, "devices", i],
        message: `${gpu} stands in the list twice`,
        hint: "remove one of the two",
      });
  });
  const wanted =
    (typeof tensorParallel === "number" ? tensorParallel : 1) *
    (typeof pipelineParallel === "number" ? pipelineParallel : 1);
  if (wanted > cards) {
    const key =
      typeof tensorParallel === "number" && tensorParallel > 1 ? "tensorParallel" : "pipelineParallel";
    conflict(
      key,
      `${wanted} cards are needed for the split, and devices names ${cards}`,
      `name ${wanted} devices`,
    );
  }
  if (tensorSplit !== undefined && tensorSplit.length !== cards)
    conflict("tensorSplit", `${tensorSplit.length} shares for ${cards} cards`, `give ${cards} shares`);
}

function lifeConflicts(service: Service, at: SpecPath, report: Report): void {
  const conflict = (key: string, message: string, hint: string): void =>
    report({ code: "spec.conflict", path: [...at, key], message, hint, at: "key" });
  if (service.pinned === true && typeof service.ttl === "number")
    conflict("ttl", "a pinned service is never unloaded", "remove ttl or pinned");
  if (service.tensorSplit?.every((share) => share === 0) === true)
    conflict("tensorSplit", "all shares are 0", "[1, 1]");
  const batch = service.batch;
  if (batch?.tokens !== undefined && batch.micro !== undefined && batch.micro > batch.tokens) {
    report({
      code: "spec.conflict",
      path: [...at, "batch", "micro"],
      message: `${batch.micro} tokens at once are more than the ${batch.tokens} of a step`,
      hint: `micro: ${batch.tokens}`,
    });
  }
  for (const [i, step] of (service.ladder ?? []).entries()) {
    const takesOver =
      step.step === "cpu-executor" || step.step === "remote-fallback" || step.step === "route-long-prompts";
    if (step.to !== undefined && !takesOver)
      report({
        code: "spec.conflict",
        path: [...at, "ladder", i, "to"],
        message: `the step ${step.step} hands nothing over`,
        hint: "remove to",
      });
  }
}

/** Settings of a service that cannot both hold. */
export const serviceConflicts: Rule = ({ spec, wasFaulty }, report) => {
  for (const [name, service] of Object.entries(spec.services ?? {})) {
    const at = ["services", name];
    deviceConflicts(service, at, report);
    lifeConflicts(service, at, report);
    if (service.nodePort !== undefined && (service.nodePort < 30_000 || service.nodePort > 32_767))
      report({
        code: "spec.bad-value",
        path: [...at, "nodePort"],
        message: `node ports lie between 30000 and 32767; ${service.nodePort} does not`,
        hint: "30001",
      });
    if (service.model !== undefined || wasFaulty([...at, "model"])) continue;
    const kinds = (service.engine ?? []).map((engine) =>
      findEngineKind(spec.engines?.[engine]?.kind ?? engine),
    );
    const needsModel =
      kinds.length === 0 ||
      kinds.some((kind) => kind !== undefined && (kind.formats.length > 0 || kind.remote));
    if (needsModel && !wasFaulty(at) && service.command === undefined)
      report({
        code: "spec.missing-key",
        path: [...at, "model"],
        message: `${name} needs the key model`,
        hint: `model: ${Object.keys(spec.models ?? {})[0] ?? "…"}`,
        at: "key",
      });
  }
  const { gateway } = spec;
  if (gateway?.nodePort !== undefined && (gateway.nodePort < 30_000 || gateway.nodePort > 32_767))
    report({
      code: "spec.bad-value",
      path: ["gateway", "nodePort"],
      message: `node ports lie between 30000 and 32767; ${gateway.nodePort} does not`,
      hint: "30080",
    });
};
