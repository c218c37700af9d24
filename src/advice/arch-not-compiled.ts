import type { Rejection } from "../plan/plan.ts";
import type { GateRefusal } from "../plan/gates/gate.ts";
import { refuseByArchitecture } from "../plan/gates/compiled-architectures.ts";
import type { Spec } from "../spec/index.ts";
import { cardsOfService } from "./hardware.ts";
import type { Card } from "./hardware.ts";
import { atEngineOfService, rejectionFindings } from "./rejections.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

type Engine = Spec["engines"][string];

/** Where the spec says what the engine is compiled for; nothing where only its release tells. */
function placeOfList(engine: Engine | undefined): readonly string[] | undefined {
  if (engine?.architectures !== undefined) return ["architectures"];
  return engine?.build?.cudaArchitectures === undefined ? undefined : ["build", "cudaArchitectures"];
}

const atArchitectures =
  (input: AdviceInput) =>
  (rejection: Rejection): Finding["at"] => {
    const place = placeOfList(input.spec.engines[rejection.engine]);
    return place === undefined
      ? atEngineOfService(input)(rejection)
      : ["engines", rejection.engine, ...place];
  };

/** Why the engine has no code for cards of one capability, asked once for each; nothing when it has, or nobody knows. */
function refusals(
  engine: Engine,
  cards: readonly Card[],
): { readonly first?: GateRefusal; readonly count: number } {
  const known = new Map<string, GateRefusal | undefined>();
  let first: GateRefusal | undefined;
  let count = 0;
  for (const { name, gpu, capability } of cards) {
    if (capability === undefined) continue;
    const computeCapability = `${capability.major}.${capability.minor}`;
    if (!known.has(computeCapability)) {
      const card = { name, model: gpu.model, computeCapability };
      const [refusal] = refuseByArchitecture({ engine, card, shape: undefined, kvType: "f16" });
      known.set(computeCapability, refusal);
    }
    const refusal = known.get(computeCapability);
    first ??= refusal;
    if (refusal !== undefined) count++;
  }
  return { count, ...(first === undefined ? {} : { first }) };
}

/** Engines that miss a card of a service, where the plan had no need to look: later ones of a chain, or no plan at all. */
function unseen({ spec, plan }: AdviceInput): readonly Finding[] {
  const said = new Set(
    plan.rejected.filter(({ code }) => code === "arch-not-compiled").map(({ engine }) => engine),
  );
  const found = new Map<string, Finding>();
  for (const service of Object.values(spec.services)) {
    const cards = cardsOfService(spec, service);
    for (const name of service.engine) {
      const engine = spec.engines[name];
      if (engine === undefined || said.has(name) || found.has(name)) continue;
      const { first, count } = refusals(engine, cards);
      // Where the planner may choose, one card that the engine runs on is enough.
      if (first === undefined || (service.devices.kind === "auto" && count < cards.length)) continue;
      found.set(name, {
        at: ["engines", name, ...(placeOfList(engine) ?? [])],
        message: `${first.reason} The first kernel fails with "no kernel image is available for execution on device".`,
        hint: first.hint,
        source: first.source,
      });
    }
  }
  return [...found.values()];
}

/** An engine without code for the cards that it is to run on. */
export const archNotCompiled: Rule = {
  code: "arch-not-compiled",
  severity: "error",
  source: "NVIDIA Blackwell Compatibility Guide; https://developer.nvidia.com/cuda-gpus",
  find: (input) => [
    ...rejectionFindings(input, "arch-not-compiled", atArchitectures(input)),
    ...unseen(input),
  ],
};
