/** How one request of a client ended, as the client saw it. */
export type Outcome =
  /** Whole: finish reason or `[DONE]` of a stream, or whole JSON. */
  | "answered"
  /** An honest refusal before the answer: 429, 502, 503, 504. */
  | "refused"
  /** A part, then an error event or a broken connection: the client knows that it is not all. */
  | "cut"
  /** A part that looks like all. Never to happen. */
  | "truncated"
  /** No answer within the client's patience. */
  | "silent";

export interface ClientAnswer {
  readonly stream: boolean;
  /** Milliseconds of the clock that only grows. */
  readonly began: number;
  readonly firstByte?: number;
  readonly ended: number;
  readonly outcome: Outcome;
  /** Service that answered, by the gateway's header. */
  readonly service?: string;
  readonly attempts?: number;
  /** What was wrong, for a person. */
  readonly detail?: string;
}

/** What the body of a finished stream says about how it ended. */
export function streamOutcome(text: string): { readonly outcome: Outcome; readonly detail?: string } {
  const events = text.split("\n\n").flatMap((block) => {
    const data = /^data: ?(.*)$/m.exec(block)?.[1];
    return data === undefined ? [] : [data];
  });
  const last = events.at(-1);
  if (last === undefined) return { outcome: "truncated", detail: "the stream ended without an event" };
  const error = events.find((data) => /^\{\s*"error"/.test(data));
  if (error !== undefined) {
    const refused = events.length === 1;
    return { outcome: refused ? "refused" : "cut", detail: error.slice(0, 200) };
  }
  const whole = last === "[DONE]" || events.some((data) => /"finish_reason"\s*:\s*"/.test(data));
  return whole
    ? { outcome: "answered" }
    : { outcome: "truncated", detail: `it ended after ${events.length} events without an end` };
}

/** What a finished answer that is no stream says. */
export function wholeOutcome(
  status: number,
  text: string,
): { readonly outcome: Outcome; readonly detail?: string } {
  if (status !== 200) return { outcome: "refused", detail: `${status} ${text.slice(0, 200)}` };
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && "choices" in parsed
      ? { outcome: "answered" }
      : { outcome: "truncated", detail: "200 without choices" };
  } catch {
    return { outcome: "truncated", detail: "200 with half a JSON document" };
  }
}
