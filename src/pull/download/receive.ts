import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, OmniError } from "../../core/index.ts";
import { firstOf } from "../../models/get-following.ts";
import { abandon, BrokenAnswer } from "../../models/range-request.ts";
import type { RangeAnswer } from "../../models/range-request.ts";
import { BusyOrigin } from "./origin.ts";
import type { Origin } from "./origin.ts";

/** Bytes that one connection is to bring; `to` may come down meanwhile, when another one takes over the rest. */
export interface Piece {
  /** Where the next byte belongs. */
  at: number;
  to: number;
}

/** How bytes are taken in. */
export interface Sink {
  /** An answer began at `from` that brings everything up to `to`. */
  answered?(answer: RangeAnswer, from: number, to: number): void;
  /** Bytes that belong at `offset`, in order within a piece; the next are read when it resolves. */
  take(bytes: Buffer, offset: number): Promise<void>;
  /** The answer broke off at `offset`, in its middle, or anything else went wrong there. */
  broke?(offset: number): void;
}

/** The server sends whole files only. */
export class WholeFilesOnly extends Error {
  override readonly name = "WholeFilesOnly";
}

export interface Reception {
  readonly origin: Origin;
  /** Bytes of the whole file, as the hub states it. */
  readonly size: number;
  readonly signal: AbortSignal;
  /** Milliseconds before a fruitless request is sent again, doubled each time. */
  readonly retryDelay: number;
  /** A piece that begins the file may be an answer with all of it. */
  readonly whole?: boolean;
}

/** Requests in a row that bring nothing before the line is given up. */
const FRUITLESS = 8;
const LONGEST_DELAY = 15_000;

/**
 * Brings a piece, in as many answers as it takes: what has arrived before a cut is kept and the next request begins behind
 * it. Throws `OmniError` `hub.*` when nothing comes any more, `WholeFilesOnly`, or the signal's reason.
 */
export async function receive(reception: Reception, piece: Piece, sink: Sink): Promise<void> {
  const { origin, signal, retryDelay } = reception;
  let fruitless = 0;
  while (piece.at < piece.to) {
    const before = piece.at;
    try {
      await readAnswer(reception, piece, sink);
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isPassing(thrown)) throw thrown;
      sink.broke?.(piece.at);
      fruitless = piece.at > before && reception.whole !== true ? 0 : fruitless + 1;
      if (fruitless === FRUITLESS)
        throw new OmniError(
          "hub.unreachable",
          `Cannot read ${origin.name}, tried ${FRUITLESS} times without a byte: ${messageOf(thrown)}.`,
          { hint: "Run the same command again later: it goes on from here.", cause: thrown },
        );
      if (reception.whole === true) piece.at = 0;
      const usual = fruitless === 0 ? 0 : Math.min(retryDelay * 2 ** (fruitless - 1), LONGEST_DELAY);
      const delay = thrown instanceof BusyOrigin ? (thrown.wait ?? usual) : usual;
      if (delay > 0) await sleep(delay, undefined, { signal });
    }
  }
}

/** Errors of the disk and refusals of the hub do not pass; everything about a connection may. */
const isPassing = (thrown: unknown): boolean =>
  thrown instanceof BrokenAnswer ||
  thrown instanceof BusyOrigin ||
  (thrown instanceof Error &&
    "code" in thrown &&
    typeof thrown.code === "string" &&
    /^(?:UND_ERR|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|HPE_|ERR_SSL|ERR_TLS|ERR_STREAM_PREMATURE)/.test(
      thrown.code,
    )) ||
  (thrown instanceof Error && thrown.name === "TimeoutError");

async function readAnswer(reception: Reception, piece: Piece, sink: Sink): Promise<void> {
  const { origin, signal } = reception;
  const from = piece.at;
  const answer = await origin.ask(from, piece.to, signal);
  const end = checkedEnd(answer, reception, from, piece.to);
  sink.answered?.(answer, from, end);
  let at = from;
  for await (const received of answer.body) {
    const bytes: Buffer = received;
    at += bytes.length;
    if (at > end) {
      abandon(answer.body);
      throw new BrokenAnswer(`the answer is longer than the ${end - from} bytes it announced`);
    }
    const kept = Math.min(bytes.length, piece.to - piece.at);
    if (kept > 0) await sink.take(kept === bytes.length ? bytes : bytes.subarray(0, kept), piece.at);
    piece.at += kept;
    if (piece.at >= piece.to && at < end) {
      // Another connection has the rest.
      abandon(answer.body);
      return;
    }
  }
  if (at < end) throw new BrokenAnswer(`the answer ended ${end - at} bytes too early`);
}

/** Where an answer ends, after everything about it that can be wrong was looked at. */
function checkedEnd(
  answer: RangeAnswer,
  { size, whole, origin }: Reception,
  from: number,
  to: number,
): number {
  const { status, range, length } = answer;
  const refuse = (what: string): BrokenAnswer => {
    abandon(answer.body);
    return new BrokenAnswer(what);
  };
  if (status === 200) {
    const type = firstOf(answer.headers["content-type"]) ?? "";
    if (length !== size)
      throw refuse(`it answers with a page of its own (${type.slice(0, 60)}) or another file`);
    if (whole === true && from === 0) return size;
    abandon(answer.body);
    throw new WholeFilesOnly(`${origin.name} is sent whole only.`);
  }
  if (range === undefined) throw refuse("it answers with a part and does not say which");
  if (range.total !== size) {
    abandon(answer.body);
    throw new OmniError(
      "pull.corrupt",
      `${origin.name} has ${range.total} bytes; the hub's listing says ${size}.`,
      { hint: "The mirror has another version of the file, or the listing is wrong; use another endpoint." },
    );
  }
  if (range.first !== from || range.last >= to || range.last < range.first)
    throw refuse(
      `it answers bytes ${range.first} to ${range.last} where ${from} to ${to - 1} were asked for`,
    );
  if (length !== undefined && length !== range.last - range.first + 1)
    throw refuse(`it announces ${length} bytes for the range ${range.first} to ${range.last}`);
  return range.last + 1;
}
