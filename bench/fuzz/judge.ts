import type { Played } from "./engines.ts";
import type { FuzzCase, SentRequest } from "./fuzz-case.ts";
import { KEYS, LIMITS, REMOTE_SECRET } from "./fuzzed-node.ts";
import type { ReadAnswer } from "./parse-answers.ts";
import { readChunks } from "./parse-answers.ts";
import type { Seen } from "./raw-client.ts";

const SECRETS = [...KEYS, REMOTE_SECRET] as const;

/** A secret that a text holds as a word of its own: a mutation may put one into the id that the client itself chose. */
export const secretIn = (text: string): string | undefined =>
  SECRETS.find((secret) => text.includes(secret) && new RegExp(`(?<![\\w.:-])${secret}`).test(text));

/** What an engine said, without its head and chunks, as far as it can be told. */
function bodySaid(sent: string): string {
  const end = sent.indexOf("\r\n\r\n");
  if (end < 0) return "";
  if (!/\r\ntransfer-encoding: chunked/i.test(sent.slice(0, end))) return sent.slice(end + 4);
  const read = readChunks(sent, end + 4);
  return "fault" in read ? sent.slice(end + 4) : read.text;
}

/** By any of these an engine says that its answer has come to its end. */
const END = /\[DONE\]|"finish_reason"\s*:\s*\[?\s*"|"stop_reason"\s*:\s*"|message_stop/;
const ERROR_EVENT =
  /(?:^|\n)(?:event: error|data: ?\{"(?:error"|type":"(?:error"|response\.failed"))|event: response\.failed)/;

/** What is wrong with what a client saw; nothing of it depends on when things happened. */
export function judge(fuzzed: FuzzCase, seen: Seen, played: readonly Played[]): string | undefined {
  const leaked = secretIn(seen.text);
  if (leaked !== undefined) return `the answer holds the secret ${leaked}`;
  if (seen.late) return "the connection did not come to an end";
  if (seen.hungUp) return undefined;
  if (seen.fault !== undefined)
    return isTorn(fuzzed, played) ? undefined : `the answer is no HTTP: ${seen.fault}`;
  const plain = fuzzed.requests.every(({ raw }) => raw === undefined);
  if (
    plain &&
    seen.answers.length < fuzzed.requests.length &&
    !closedEarly(seen) &&
    !isTorn(fuzzed, played)
  ) {
    return `${fuzzed.requests.length} requests got ${seen.answers.length} answers`;
  }
  for (const [k, answer] of seen.answers.entries()) {
    const asked = askedFor(answer, fuzzed) ?? fuzzed.requests[k];
    if (asked === undefined) return plain ? "more answers than requests" : undefined;
    const wrong = wrongWith(asked, answer, played, isTorn(fuzzed, played));
    if (wrong !== undefined) return `${wrong}; the answer ends ${JSON.stringify(answer.body.slice(-1_500))}`;
  }
  return undefined;
}

/** The request that an answer names: one whose head does not end swallows the next ones. */
const askedFor = ({ headers }: ReadAnswer, { requests }: FuzzCase): SentRequest | undefined =>
  requests.find((sent) =>
    sent.headers.some(([name, value]) => name === "x-request-id" && value === headers["x-request-id"]),
  );

/** An answer that closes the connection, or breaks it off, is the last, whatever was pipelined behind its request. */
const closedEarly = ({ answers }: Seen): boolean =>
  answers.some(({ headers, body }) => headers["connection"] === "close" || ERROR_EVENT.test(body));

/** Where answers are passed on while they come, a cut one can only be told by breaking the connection. */
const isTorn = ({ requests }: FuzzCase, played: readonly Played[]): boolean =>
  requests.some(
    ({ target, raw }) => target.startsWith("/upstream/") || raw?.includes("/upstream/") === true,
  ) ||
  played.some(
    ({ sent }) =>
      sent.length > LIMITS.holdBytes || /\r\ncontent-type: (?:audio\/|application\/octet)/i.test(sent),
  );

function wrongWith(
  asked: SentRequest,
  answer: ReadAnswer,
  played: readonly Played[],
  torn: boolean,
): string | undefined {
  const { status, headers, body, complete } = answer;
  if (!complete && !torn) return `the answer ${status} is cut, and nothing says so`;
  if (status === 500 && !played.some(({ sent }) => /HTTP\/1\.1 500/.test(sent)))
    return `500: ${body.slice(0, 300)}`;
  if (asked.raw !== undefined || asked.target.startsWith("/upstream/") || asked.method === "HEAD")
    return undefined;
  if (status === 204 || status === 304) return undefined;
  // Rounds of tools that run on this side are asked under ids of their own, and without the case's id nobody knows either
  // what an engine said.
  const known = asked.headers.some(([name, value]) => name === "x-request-id" && value.startsWith("case-"));
  if (!known || asked.body.includes('"mcp"')) return undefined;
  const type = headers["content-type"] ?? "";
  const said = played.map(({ sent }) => bodySaid(sent));
  if (said.some((text) => text.trim() !== "" && body.trim() === text.trim())) return undefined;
  if (type.startsWith("text/event-stream")) return wrongStream(answer, said);
  if (type.startsWith("application/json")) return wrongJson(asked, status, body, said, torn);
  return undefined;
}

function wrongStream({ body, complete }: ReadAnswer, said: readonly string[]): string | undefined {
  const error = ERROR_EVENT.exec(body);
  if (error === null) {
    // One that broke off with its connection, because of another request that was sent ahead on it, has no end.
    return !complete || said.some((text) => END.test(text))
      ? undefined
      : "a stream whose engine did not end it ended as if it were whole";
  }
  const after = body.slice(error.index);
  return /(?:^|\n)data: ?\[DONE\]|"type":"message_stop"|"type":"response\.completed"/.test(after)
    ? "a stream goes on to a good end behind its error"
    : undefined;
}

function wrongJson(
  { target }: SentRequest,
  status: number,
  body: string,
  said: readonly string[],
  torn: boolean,
): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body, "latin1").toString());
  } catch {
    return torn ? undefined : `JSON that is none: ${body.slice(0, 200)}`;
  }
  if (status < 400) return undefined;
  const anthropic = /^\/v1\/messages(?:\/|\?|$)/.test(target);
  // Of what could not be read as HTTP nobody knows the path.
  if (isEnvelope(value, anthropic) || /"code":"(?:invalid_http|request_timeout)"/.test(body))
    return undefined;
  // An engine of the same dialect is heard in its own words.
  return !anthropic && said.some((text) => text === body)
    ? undefined
    : `an error in a foreign shape: ${body.slice(0, 200)}`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function isEnvelope(value: unknown, anthropic: boolean): boolean {
  if (!isObject(value) || !isObject(value["error"])) return false;
  const { message, type } = value["error"];
  if (typeof message !== "string" || typeof type !== "string") return false;
  return anthropic ? value["type"] === "error" && "request_id" in value : "code" in value["error"];
}
