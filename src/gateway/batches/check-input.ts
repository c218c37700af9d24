import { readBatchLine, markOf } from "./batch-line.ts";
import type { BatchLimits } from "./batch-limits.ts";
import { MOST_FAULTS } from "./batch-limits.ts";
import type { BatchFault } from "./batch-record.ts";
import { readLines } from "./read-lines.ts";

/** Reads an input file once before anything of it is asked: how many requests, and every fault up to a bound. */
export async function checkInput(
  path: string,
  endpoint: string,
  limits: BatchLimits,
  signal: AbortSignal,
): Promise<{ readonly total: number; readonly faults: readonly BatchFault[] }> {
  const faults: BatchFault[] = [];
  const seen = new Set<string>();
  let total = 0;
  for await (const line of readLines(path, limits.lineBytes)) {
    signal.throwIfAborted();
    if (++total > limits.lines) {
      faults.push(fileFault("too_many_requests", `The file has more than ${limits.lines} requests.`));
      break;
    }
    const read = readBatchLine(line, endpoint, limits.lineBytes);
    if ("code" in read) faults.push(read);
    else if (seen.has(markOf(read.customId))) {
      const message = `Line ${read.number}: custom_id ${JSON.stringify(read.customId)} stands twice in the file.`;
      faults.push({ code: "duplicate_custom_id", message, line: read.number, param: "custom_id" });
    } else seen.add(markOf(read.customId));
    if (faults.length >= MOST_FAULTS) break;
  }
  if (total === 0) faults.push(fileFault("empty_file", "The file holds no request."));
  return { total, faults };
}

const fileFault = (code: string, message: string): BatchFault => ({ code, message, line: null, param: null });
