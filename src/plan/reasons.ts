import type { Candidate } from "./candidates.ts";
import type { Wanted } from "./fleet.ts";
import { knownShape } from "./known-shape.ts";
import type { PlanMachine } from "./machines.ts";

const words = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** Why a service runs as it does, one sentence a decision, in the order in which the decisions were made. Pure. */
export function reasonsFor(
  { settings, demand }: Wanted,
  candidate: Candidate,
  machine: PlanMachine | undefined,
  turnsWith: readonly string[] = [],
): readonly string[] {
  const { kind, engine, rank, prediction } = candidate;
  const { settings: chosen, kv } = prediction;
  const shape = knownShape(demand.shape);
  const reasons: string[] = [];
  const chain = settings.engine.length;
  reasons.push(
    rank === 0
      ? `${engine} is ${chain === 1 ? "its only engine" : "the first engine of its chain"}.`
      : `${engine} is engine ${rank + 1} of ${chain}: those before it were refused.`,
  );
  if (kind.remote) return [...reasons, "It runs elsewhere and takes nothing of this node."];
  const cards = candidate.cards.flatMap((card) => machine?.cards[card] ?? []);
  const where = cards.map((card) => `${card.id} (${card.model})`).join(" + ");
  if (cards.length === 0)
    reasons.push(
      settings.devices.kind === "cpu"
        ? "The spec puts it on the processor."
        : "It computes on the processor.",
    );
  else if (settings.devices.kind === "gpus") reasons.push(`The spec names ${where}.`);
  else reasons.push(`${where}: worth most of all sets of cards that it fits on.`);
  if (turnsWith.length > 0)
    reasons.push(
      `It takes turns with ${turnsWith.join(" and ")}: they do not fit there together, and one of them is loaded at a time.`,
    );
  if (cards.length > 1 && chosen.tensorParallel > 1)
    reasons.push(
      `Tensor parallel ${chosen.tensorParallel}: every card holds an equal part, so each counts as the smallest.`,
    );
  if (cards.length > 1 && chosen.pipelineParallel > 1)
    reasons.push(`Pipeline parallel ${chosen.pipelineParallel}: the cards take the layers in turn.`);
  if (cards.length > 1 && chosen.tensorSplit !== undefined)
    reasons.push(`Layers are split ${chosen.tensorSplit.join(" : ")}, which balances unequal cards.`);
  if (chosen.cpuExpertLayers > 0 && cards.length > 0)
    reasons.push(
      `The experts of ${words(Math.min(chosen.cpuExpertLayers, shape?.layers.length ?? chosen.cpuExpertLayers), "layer")} stay in main memory${settings.cpuMoe === undefined ? ": the cards do not hold all" : ", as asked"}.`,
    );
  if (shape !== undefined && shape.trainedContext > 0) {
    const trained = `trained for ${shape.trainedContext}`;
    reasons.push(
      settings.context === "auto"
        ? `Context ${chosen.contextTokens} tokens: what fits best of ${trained}.`
        : `Context ${chosen.contextTokens} tokens, as asked; ${trained}.`,
    );
  }
  if (kv.tokens > 0 && kv.bytes > 0)
    reasons.push(
      `The KV cache (${kv.type}, ${kv.bytesPerToken} bytes a token) holds ${kv.tokens} tokens: ${kv.concurrency.toFixed(2)} requests of full context at once.`,
    );
  if (!candidate.resident && cards.length > 0)
    reasons.push("Not all weights are on cards, so generation waits for main memory.");
  return reasons;
}
