import type { Rejection } from "../plan/plan.ts";
import type { GateRefusal } from "../plan/gates/gate.ts";
import { refuseByArchitecture } from "../plan/gates/compiled-architectures.ts";
import type { Spec } from "../spec/index.ts";
import { cardsOfService } from "./hardware.ts";
import type { Card } from "./hardware.ts";
import { atEngineOfService, isPlaced, rejectionFindings } from "./rejections.ts";
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

interface Sort {
  readonly card: Card;
  readonly computeCapability: string;
  readonly count: number;
}

/** Cards by compute capability, each with the first of its sort; those of unknown capability left out. */
function sortsOf(cards: readonly Card[]): readonly Sort[] {
  const groups = Map.groupBy(cards, (card) => card.gpu.computeCapability ?? card.gpu.model);
  return [...groups.values()].flatMap(([card, ...others]) =>
    card?.capability === undefined
      ? []
      : [
          {
            card,
            computeCapability: `${card.capability.major}.${card.capability.minor}`,
            count: others.length + 1,
          },
        ],
  );
}

/** Why the engine has no code for some of these cards, and for how many; nothing when it has, or nobody knows. */
function refusals(
  engine: Engine,
  sorts: readonly Sort[],
): { readonly first: GateRefusal | undefined; readonly count: number } {
  const refused = sorts.flatMap(({ card: { name, gpu }, computeCapability, count }) => {
    const card = { name, model: gpu.model, computeCapability };
    const [refusal] = refuseByArchitecture({ engine, card, shape: undefined, kvType: "f16" });
    return refusal === undefined ? [] : [{ refusal, count }];
  });
  return { first: refused[0]?.refusal, count: refused.reduce((sum, { count }) => sum + count, 0) };
}

/** Engines that miss a card of a service, where the plan had no need to look: later ones of a chain, or no plan at all. */
function unseen(input: AdviceInput): readonly Finding[] {
  const { spec, plan } = input;
  const said = new Set(
    plan.rejected
      .filter(({ code, alternative }) => code === "arch-not-compiled" && alternative !== true)
      .map(({ engine }) => engine),
  );
  const found = new Map<string, Finding>();
  // Services that leave the choice share one list of cards.
  const sorted = new Map<readonly Card[], readonly Sort[]>();
  for (const [user, service] of Object.entries(spec.services)) {
    const cards = cardsOfService(spec, service);
    const sorts = sorted.get(cards) ?? sortsOf(cards);
    sorted.set(cards, sorts);
    for (const name of service.engine) {
      const engine = spec.engines[name];
      if (engine === undefined || said.has(name) || found.has(name)) continue;
      const { first, count } = refusals(engine, sorts);
      // Where the planner may choose, one card that the engine runs on is enough.
      if (first === undefined || (service.devices.kind === "auto" && count < cards.length)) continue;
      found.set(name, {
        at: ["engines", name, ...(placeOfList(engine) ?? [])],
        message: `${first.reason} The first kernel fails with "no kernel image is available for execution on device".`,
        hint: first.hint,
        severity: isPlaced(input, user) ? "warning" : "error",
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
