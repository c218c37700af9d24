import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { messageOf } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { AskInside, InsideAnswer } from "../inside-call.ts";
import type { BatchJournal } from "./batch-journal.ts";
import { lineId } from "./batch-journal.ts";
import type { BatchLine } from "./batch-line.ts";
import { answerLine } from "./batch-line.ts";
import type { BatchLimits } from "./batch-limits.ts";
import type { BatchPlaces } from "./batch-places.ts";
import type { BatchRecord } from "./batch-record.ts";

/** What asking needs, of all batches. */
export interface BatchAsking {
  readonly ask: AskInside;
  readonly places: BatchPlaces;
  readonly limits: BatchLimits;
  /** Who a key is now; `undefined` once it is none any more. */
  readonly caller: (key: string) => Caller | undefined;
}

/** The key of a batch is revoked or deleted. */
export class KeyGone extends Error {
  override readonly name = "KeyGone";
}

/**
 * Asks for one request of a batch until there is an answer that stays, and writes it down. `leave` gives back the place
 * that it begins with: once the answer is on the disk, so that no more requests than there are places have to be asked
 * again after a kill. Rejects when `signal` aborts, with nothing written, and with KeyGone.
 */
export async function askForLine(
  asking: BatchAsking,
  batch: BatchRecord,
  journal: BatchJournal,
  line: BatchLine,
  leave: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { places, limits } = asking;
  let release = leave;
  try {
    for (let attempt = 1; ;) {
      const answer = await askOnce(asking, batch, line, signal);
      const { status } = answer;
      if (status >= 200 && status < 300) {
        places.succeeded(line.model);
        return await journal.append("output", line.customId, lineOf(batch, line, answer));
      }
      // A refusal is no try: there is no room, for anybody, and it is waited for until the batch's window ends.
      const refused = status === 429 || status === 503;
      if (!refused && (status < 500 || attempt >= limits.attempts))
        return await journal.append("error", line.customId, lineOf(batch, line, answer));
      if (refused) places.refused(line.model, pauseOf(answer) ?? limits.retryPause);
      // Only now: the place is not for the next one where the model takes no more.
      release();
      if (!refused) await sleep(limits.retryPause * 2 ** attempt++, undefined, { signal });
      release = await places.enter(line.model, signal);
    }
  } finally {
    release();
  }
}

interface Answered extends InsideAnswer {
  readonly requestId: string;
}

async function askOnce(
  { ask, caller }: BatchAsking,
  batch: BatchRecord,
  { body }: BatchLine,
  signal: AbortSignal,
): Promise<Answered> {
  const who = caller(batch.owner);
  if (who === undefined) throw new KeyGone();
  const id = `req_${randomUUID()}`;
  try {
    const answer = await ask({ path: batch.endpoint, body, caller: who, id, priority: 0, signal });
    signal.throwIfAborted();
    return { ...answer, requestId: answer.headers["x-request-id"] ?? id };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = { message: messageOf(thrown), type: "server_error", param: null, code: "internal_error" };
    return { status: 502, headers: {}, body: Buffer.from(JSON.stringify({ error })), requestId: id };
  }
}

const lineOf = (batch: BatchRecord, { customId }: BatchLine, answer: Answered): string =>
  answerLine(
    lineId(batch.id, customId),
    customId,
    { status: answer.status, requestId: answer.requestId, body: bodyOf(answer.body) },
    null,
  );

function bodyOf(body: Buffer): unknown {
  const text = body.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `Retry-After` in milliseconds, where it names seconds. */
function pauseOf({ headers }: InsideAnswer): number | undefined {
  const seconds = Number(headers["retry-after"] ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
