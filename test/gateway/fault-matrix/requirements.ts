/**
 * The faults that a gateway has to come through, and what a client sees of each: one row a fault, for streams and for
 * whole answers, where another service can take over (`another`), where the one that failed is back at once (`itself`)
 * and where nobody is left (`nobody`). `fault-matrix.test.ts` runs every row in every dialect.
 */
import type { Dialect } from "./client.ts";

export type Outcome =
  /** As if nothing was: the first service, one try. */
  | "untouched"
  /** Another try from the beginning, unseen. */
  | "replaced"
  /** The rest comes from a second try, behind exactly what was said. */
  | "continued"
  /** The dialect's error event with this code behind what was said, and no good end. */
  | { readonly told: "upstream_cut" | "upstream_timeout" }
  /** Omni's refusal. */
  | { readonly refused: number; readonly code: string; readonly attempts: number }
  /** The engine's own refusal, in the client's words. */
  | { readonly passed: number; readonly attempts: number }
  /** A destroyed connection: nothing else in HTTP says that a whole answer is not all. */
  | "broken off";

export type Variant = "another" | "itself" | "nobody";
type Outcomes = Readonly<Partial<Record<Variant, Outcome>>>;

export interface Fault {
  /** Orders for the first engine. Breaks of a stream come before the token of their number. */
  readonly orders: readonly string[];
  /** Nobody listens where the first service should. */
  readonly refuses?: true;
  /** What was said is not remembered, so that its tokens are guessed, and rather too low. */
  readonly guessed?: true;
  /** Tokens that a client has of a stream when it breaks. */
  readonly said?: number;
  readonly stream?: Outcomes;
  readonly whole?: Outcomes;
  /** All when absent. */
  readonly dialects?: readonly Dialect[];
}

const AT = 5;
const always = (outcome: Outcome): Outcomes => ({ another: outcome, itself: outcome, nobody: outcome });
const UNTOUCHED = always("untouched");
const DOWN = { refused: 503, code: "model_unavailable", attempts: 1 } as const;
const FAILED = { refused: 502, code: "upstream_failed", attempts: 3 } as const;
const SILENT = { refused: 504, code: "upstream_timeout", attempts: 1 } as const;
const MENDED: Outcomes = { another: "continued", itself: "continued", nobody: { told: "upstream_cut" } };
const REPLACED: Outcomes = { another: "replaced", itself: FAILED, nobody: DOWN };
const AFTER_SILENCE: Outcomes = { another: "replaced", itself: SILENT, nobody: SILENT };

/** A fault in the middle of an answer. */
const broken = (...orders: readonly string[]): Fault => ({
  orders,
  said: AT,
  stream: MENDED,
  whole: REPLACED,
});
const harmless = (...orders: readonly string[]): Fault => ({ orders, stream: UNTOUCHED, whole: UNTOUCHED });
/** The answer of a stream goes on whatever its events looked like before. */
const mended = (...orders: readonly string[]): Fault => ({ orders, said: AT, stream: MENDED });

/** Event of this size is larger than the limit of the matrix, this answer larger than what is held. */
const GIANT_EVENT = "giant 200000";
const GIANT_ANSWER = "giant 100000";
const SAME: readonly Dialect[] = ["chat", "completions"];
const TRANSLATED: readonly Dialect[] = ["responses", "messages"];

export const FAULTS = {
  "no fault": harmless(),
  cut: broken(`cut ${AT}`),
  "connection reset": broken(`reset ${AT}`),
  "half-closed": broken(`half-close ${AT}`),
  "ended too soon": broken(`end ${AT}`),
  "malformed event": broken(`malformed ${AT}`),
  "stall past the idle limit": {
    ...broken(`stall ${AT}`),
    stream: { another: "continued", itself: "continued", nobody: { told: "upstream_timeout" } },
    whole: AFTER_SILENCE,
  },
  "the engine's own error event": mended(`error ${AT}`),
  "cut before the first token": {
    orders: ["cut 0"],
    said: 0,
    stream: { another: "continued", nobody: { told: "upstream_cut" } },
    dialects: ["chat"],
  },
  "cut behind the last token": { orders: ["cut 14"], said: 14, stream: MENDED },
  "cut within the first event": { orders: ["half-first"], stream: REPLACED },
  "connection closed before the head": { orders: ["close"], stream: REPLACED, whole: REPLACED },
  "connection refused": { orders: [], refuses: true, stream: REPLACED, whole: REPLACED },
  "slow first byte past the limit": { orders: ["slow 9000"], stream: AFTER_SILENCE, whole: AFTER_SILENCE },
  "slow first byte within the limit": harmless("slow 300"),
  "status 500": {
    orders: ["500"],
    stream: { ...always({ passed: 500, attempts: 1 }), another: "replaced" },
    whole: { ...always({ passed: 500, attempts: 1 }), another: "replaced" },
  },
  "status 429": {
    orders: ["429"],
    stream: { ...always({ passed: 429, attempts: 1 }), another: "replaced" },
    whole: { ...always({ passed: 429, attempts: 1 }), another: "replaced" },
  },
  "status 503 while loading": {
    orders: ["503"],
    stream: { another: "replaced", itself: { passed: 503, attempts: 3 }, nobody: DOWN },
    whole: { another: "replaced", itself: { passed: 503, attempts: 3 }, nobody: DOWN },
  },
  "chunks split inside a character": harmless("split-character"),
  "chunks split inside a line": harmless("split-line"),
  "chunks of one byte": harmless("split-everywhere"),
  "lines that end in CRLF": harmless("crlf"),
  "comments between and within events": harmless("comments"),
  "giant event within the limit": harmless("giant 12000"),
  "cut in chunks split inside a character": mended("split-character", `cut ${AT}`),
  "cut in chunks split inside a line": mended("split-line", `cut ${AT}`),
  "cut in chunks of one byte": mended("split-everywhere", `cut ${AT}`),
  "cut among lines that end in CRLF": mended("crlf", `cut ${AT}`),
  "cut among comments": mended("comments", `cut ${AT}`),
  "cut behind a giant event within the limit": mended("giant 12000", `cut ${AT}`),
  "giant event past the limit": { orders: [GIANT_EVENT], stream: UNTOUCHED, dialects: SAME },
  "giant event past the limit, to be translated": {
    orders: [GIANT_EVENT],
    said: 4,
    stream: MENDED,
    dialects: TRANSLATED,
  },
  "cut behind a giant event past the limit": {
    orders: [GIANT_EVENT, `cut ${AT}`],
    said: AT,
    guessed: true,
    stream: always({ told: "upstream_cut" }),
    dialects: SAME,
  },
  "giant answer": { orders: [GIANT_ANSWER], whole: UNTOUCHED, dialects: SAME },
  "giant answer, to be translated": { orders: [GIANT_ANSWER], whole: REPLACED, dialects: TRANSLATED },
  "giant answer that is cut": {
    orders: ["giant 200000", "cut 0"],
    whole: always("broken off"),
    dialects: SAME,
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** What is required, and the rows of the matrix and the tests beside it that show it. */
export const SHOWN_BY = {
  "a stream that was begun goes on elsewhere, each character once": [
    "no fault",
    "cut",
    "connection reset",
    "half-closed",
    "ended too soon",
    "malformed event",
    "stall past the idle limit",
    "the engine's own error event",
    "cut before the first token",
    "cut behind the last token",
  ],
  "before the first byte the next candidate is asked unseen": [
    "cut within the first event",
    "connection closed before the head",
    "connection refused",
    "slow first byte past the limit",
    "slow first byte within the limit",
    "status 500",
    "status 429",
    "status 503 while loading",
  ],
  "bytes may come in any parts and any lawful form": [
    "chunks split inside a character",
    "chunks split inside a line",
    "chunks of one byte",
    "lines that end in CRLF",
    "comments between and within events",
    "cut in chunks split inside a character",
    "cut in chunks split inside a line",
    "cut in chunks of one byte",
    "cut among lines that end in CRLF",
    "cut among comments",
  ],
  "nothing is too large": [
    "giant event within the limit",
    "cut behind a giant event within the limit",
    "giant event past the limit",
    "giant event past the limit, to be translated",
    "cut behind a giant event past the limit",
    "giant answer",
    "giant answer, to be translated",
    "giant answer that is cut",
  ],
  "several faults in one answer": [
    "is cut three times in a row, and goes on at the first again",
    "goes on at the third when the second fails by %s before it says anything",
    "goes on at the first again when nobody else can",
    "ends with an error event when all are gone for good",
    "goes on with its own answer in %s",
  ],
  "what cannot go on ends with an error event": [
    "the route says so, in %s",
    "%s, in %s",
    "a tool call under way, in %s",
    "several choices, in %s",
    "an engine that goes on with no begun message is not asked to, but continues a prompt",
  ],
  "a client that hangs up is noticed at the engine": [
    "in a stream of %s: the engine knows at once",
    "before a whole answer in %s: the engine knows, nothing is charged",
    "in a stream of which another engine says the rest: that one knows",
    "while the second of two tries is at work: both are free again",
    "has reached the engine within a quarter of a second, mostly",
  ],
  "hedging and the time for the whole answer": [
    "%s %s: the second answers while the first is silent",
    "is no second request where the first is quick enough",
    "the one that answered is cut, and the other goes on",
    "both fail: the client hears of it once",
    "a stream in %s ends with an error event, and nobody goes on",
    "a whole answer in %s is refused with 504",
    "also while nobody is there who goes on",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
