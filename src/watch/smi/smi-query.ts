import { runBounded } from "../../inventory/run-bounded.ts";
import { smiLines, withoutRefused } from "../../inventory/nvidia-smi.ts";
import type { CardSample, LostCard } from "../card-sample.ts";
import type { CardReading } from "../reading.ts";
import { ESSENTIAL_FIELDS, readHolderLines, readSmiLine, withOldNames } from "./smi-fields.ts";
import type { WatchField } from "./smi-fields.ts";

/** What one run of nvidia-smi told of the cards. */
export interface SmiAnswer {
  readonly cards: readonly CardSample[];
  readonly lost: readonly LostCard[];
  /** The fields that it accepted. */
  readonly fields: readonly WatchField[];
  /** What it said instead of cards, or why it said nothing. */
  readonly problem?: string;
  readonly why?: "absent" | "timeout" | "other";
}

export interface SmiProgram {
  readonly program: string;
  /** Milliseconds that a run may take. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Cards to ask for; all when absent. */
  readonly only?: readonly string[] | undefined;
}

/** Arguments that every question about cards begins with. */
export const smiArguments = (
  fields: readonly WatchField[],
  only: readonly string[] | undefined,
): string[] => [
  ...(only === undefined ? [] : [`--id=${only.join(",")}`]),
  `--query-gpu=${fields.join(",")}`,
  "--format=csv,noheader,nounits",
];

/** Asks once, with fewer fields for as long as one is refused: one unknown field rejects a whole question. */
export async function queryCards(smi: SmiProgram, first: readonly WatchField[]): Promise<SmiAnswer> {
  const end = performance.now() + smi.timeout;
  let fields = first;
  for (;;) {
    const timeout = Math.max(1, Math.round(end - performance.now()));
    const result = await runBounded(smi.program, smiArguments(fields, smi.only), {
      timeout,
      signal: smi.signal,
    });
    if (!result.ended) {
      const why = result.why === "absent" || result.why === "timeout" ? result.why : "other";
      const problem =
        why === "timeout"
          ? `${smi.program} did not answer within ${smi.timeout / 1000} s; a card or its driver may hang (dmesg | grep -i xid)`
          : result.message;
      return { cards: [], lost: [], fields, problem, why };
    }
    const cards: CardSample[] = [];
    const lost: LostCard[] = [];
    const others: string[] = [];
    for (const line of [...smiLines(result.stdout), ...smiLines(result.stderr)]) {
      const read = readSmiLine(line, fields);
      if (read === undefined) others.push(line);
      else if ("card" in read) cards.push(read.card);
      else lost.push(read.lost);
    }
    const fewer =
      cards.length > 0 ? fields : withOldNames(fields, withoutRefused(fields, others, ESSENTIAL_FIELDS));
    if (fewer.length > 0 && fewer.join() !== fields.join()) {
      fields = fewer;
      continue;
    }
    if (cards.length > 0 || lost.length > 0) return { cards, lost, fields };
    const said = others.slice(0, 3).join(" ").slice(0, 400);
    const problem = said === "" ? `ended with code ${String(result.code)} and printed no card` : said;
    return { cards, lost, fields, problem: `nvidia-smi: ${problem}`, why: "other" };
  }
}

/** What each process holds, by card; `undefined` when nvidia-smi does not tell. */
export async function queryHolders(
  smi: SmiProgram,
): Promise<ReadonlyMap<string, NonNullable<CardReading["holders"]>> | undefined> {
  const result = await runBounded(
    smi.program,
    ["--query-compute-apps=gpu_uuid,pid,used_memory", "--format=csv,noheader,nounits"],
    { timeout: smi.timeout, signal: smi.signal },
  );
  return result.ended && result.code === 0 ? readHolderLines(smiLines(result.stdout)) : undefined;
}
