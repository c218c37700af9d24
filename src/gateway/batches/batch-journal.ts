import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, truncate } from "node:fs/promises";
import { z } from "zod";

import { markOf } from "./batch-line.ts";

const answered = z.looseObject({ custom_id: z.string() });
const LF = 0x0a;

/**
 * The answers of a batch as they come, in the two files that clients get in the end; they are the journal too: a request
 * whose line is whole is never asked again. A line that a kill cut in half is taken off when the journal is opened.
 */
export class BatchJournal {
  readonly #output: FileHandle;
  readonly #errors: FileHandle;
  readonly #done: Set<string>;
  completed: number;
  failed: number;
  /** Writes follow one another, so that no line is within another. */
  #last: Promise<void> = Promise.resolve();

  private constructor(
    output: FileHandle,
    errors: FileHandle,
    done: Set<string>,
    counts: readonly [completed: number, failed: number],
  ) {
    this.#output = output;
    this.#errors = errors;
    this.#done = done;
    [this.completed, this.failed] = counts;
  }

  static async open(outputPath: string, errorPath: string): Promise<BatchJournal> {
    const done = new Set<string>();
    const completed = await recover(outputPath, done);
    const failed = await recover(errorPath, done);
    const output = await open(outputPath, "a", 0o600);
    try {
      return new BatchJournal(output, await open(errorPath, "a", 0o600), done, [completed, failed]);
    } catch (thrown) {
      await output.close();
      throw thrown;
    }
  }

  has(customId: string): boolean {
    return this.#done.has(markOf(customId));
  }

  /** Keeps an answer; a second one to the same request is left out. */
  async append(kind: "output" | "error", customId: string, line: string): Promise<void> {
    const mark = markOf(customId);
    if (this.#done.has(mark)) return;
    this.#done.add(mark);
    const write = this.#last.then(() => (kind === "output" ? this.#output : this.#errors).appendFile(line));
    // Behind a write that failed may stand half a line, so that none follows it: all later ones fail as it did.
    this.#last = write;
    await write;
    if (kind === "output") this.completed++;
    else this.failed++;
  }

  /** Waits for what is being written, and makes all of it outlive a power cut. */
  async close(): Promise<void> {
    await this.#last.catch(() => {});
    try {
      await this.#output.datasync();
      await this.#errors.datasync();
    } finally {
      await this.#output.close();
      await this.#errors.close();
    }
  }
}

/** Takes half a line off the end of a file and marks what is answered in it; how many lines that are. */
async function recover(path: string, done: Set<string>): Promise<number> {
  let whole = 0;
  let size = 0;
  let count = 0;
  let rest: Buffer[] = [];
  const file = await open(path, "a+", 0o600);
  await file.close();
  for await (const chunk of createReadStream(path)) {
    const bytes = Buffer.from(chunk);
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      const mark = markIn(Buffer.concat([...rest, bytes.subarray(from, end)]).toString("utf8"));
      rest = [];
      from = end + 1;
      whole = size + from;
      if (mark === undefined) continue;
      done.add(mark);
      count++;
    }
    rest.push(bytes.subarray(from));
    size += bytes.length;
  }
  if (whole < size) await truncate(path, whole);
  return count;
}

function markIn(text: string): string | undefined {
  try {
    const read = answered.safeParse(JSON.parse(text)).data;
    return read === undefined ? undefined : markOf(read.custom_id);
  } catch {
    return undefined;
  }
}

/** An id of a line of an answer: the same for the same request of a batch. */
export const lineId = (batch: string, customId: string): string =>
  `batch_req_${createHash("sha256").update(`${batch}\0${customId}`).digest("hex").slice(0, 32)}`;
