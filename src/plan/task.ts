import type { Wanted } from "./fleet.ts";
import { knownShape } from "./known-shape.ts";

/** What a service answers; only one of the same can take requests over. */
export type Task = "text" | "vectors" | "other";

/** What a model is for, by what its owner says it can do, or by its kind: encoders keep nothing between tokens. */
export function taskOf(
  { settings, demand }: Pick<Wanted, "settings" | "demand">,
  capabilities: readonly string[] | undefined,
  hasTokens: boolean,
): Task {
  const said = settings.capabilities ?? capabilities;
  if (said !== undefined)
    return said.some((one) => one === "chat" || one === "completion")
      ? "text"
      : said.some((one) => one === "embeddings" || one === "rerank")
        ? "vectors"
        : hasTokens
          ? "text"
          : "other";
  const shape = knownShape(demand.shape);
  if (!hasTokens) return "other";
  if (shape === undefined) return "text";
  return shape.layers.some(({ caches }) => caches.length > 0) ? "text" : "vectors";
}
