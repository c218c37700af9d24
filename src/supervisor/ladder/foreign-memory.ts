import { MIB, formatBytes } from "../../core/index.ts";
import type { CardReading } from "../../watch/reading.ts";

/** Below this a card's own needs and the error of prediction explain the difference; bytes. */
const NOTABLE = 512 * MIB;

/**
 * Who holds memory of a card that Omni did not plan, in words; `undefined` when what Omni's own engines take explains it.
 * `planned` is what the services that are loaded there should take, bytes; `own` their processes, where known. Pure.
 */
export function foreignMemory(
  card: Pick<CardReading, "holders" | "memoryUsed">,
  planned: number,
  own: ReadonlySet<number> | undefined,
): string | undefined {
  if (own !== undefined && own.size > 0 && card.holders !== undefined) {
    const others = card.holders
      .filter(({ pid }) => !own.has(pid))
      .toSorted((one, other) => other.bytes - one.bytes);
    const [largest] = others;
    const bytes = others.reduce((sum, holder) => sum + holder.bytes, 0);
    if (largest === undefined || bytes < NOTABLE) return undefined;
    const more = others.length === 1 ? "" : ` and ${others.length - 1} more`;
    return `another program (process ${largest.pid}${more}) holds ${formatBytes(bytes)}`;
  }
  const unexplained = (card.memoryUsed ?? 0) - planned;
  return unexplained < Math.max(NOTABLE, planned / 10)
    ? undefined
    : `about ${formatBytes(unexplained)} is held by something that is not in the plan`;
}
