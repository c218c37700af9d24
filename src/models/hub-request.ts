import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import { messageOf, OmniError } from "../core/index.ts";
import { abandon, BrokenAnswer, readBody, withoutCredentials } from "./range-request.ts";

export interface HubAnswer {
  readonly status: number;
  /** `x-error-code` of the hub: RepoNotFound, RevisionNotFound, GatedRepo, … */
  readonly errorCode: string | undefined;
  readonly body: Uint8Array;
}

const ATTEMPTS = 3;
const RETRY_DELAY_MS = 300;
const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_MS = 20_000;
const LONGEST_REQUEST_MS = 60_000;
const MOST_REDIRECTS = 5;
/** A repository of a hundred thousand files has a listing of some 20 MiB. */
const LARGEST_ANSWER = 64 << 20;
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * One GET of a hub's interface, redirects followed and passing faults tried again. Credentials go to the first host only.
 * Throws `OmniError` `hub.unreachable` when nothing answers or the answer is larger than 64 MiB.
 */
export async function hubGet(url: URL, headers: Readonly<Record<string, string>>): Promise<HubAnswer> {
  const agent = new Agent({ connections: 2, connect: { timeout: CONNECT_TIMEOUT_MS } });
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await follow(url, headers, agent);
        if (!TEMPORARY.has(answer.status) || attempt === ATTEMPTS) return answer;
      } catch (thrown) {
        if (thrown instanceof OmniError) throw thrown;
        if (attempt === ATTEMPTS)
          throw unreachable(url, `tried ${attempts(attempt)}: ${messageOf(thrown)}`, thrown);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS * attempt));
    }
  } finally {
    await agent.destroy();
  }
}

async function follow(
  start: URL,
  startHeaders: Readonly<Record<string, string>>,
  dispatcher: Dispatcher,
): Promise<HubAnswer> {
  let url = start;
  let headers = startHeaders;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const response = await request(url, {
      dispatcher,
      method: "GET",
      headers: { ...headers, accept: "application/json", "accept-encoding": "identity" },
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      signal: AbortSignal.timeout(LONGEST_REQUEST_MS),
    });
    const location = one(response.headers["location"]);
    if (response.statusCode < 300 || response.statusCode > 399 || location === undefined)
      return answerOf(response, url);
    await response.body.dump();
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    if (next === undefined || (next.protocol !== "https:" && next.protocol !== url.protocol))
      throw unreachable(start, `it redirects to ${next === undefined ? "nowhere" : next.protocol}`);
    if (next.host !== url.host) headers = withoutCredentials(headers);
    url = next;
  }
  throw unreachable(start, `it redirects more than ${MOST_REDIRECTS} times`);
}

async function answerOf(response: Dispatcher.ResponseData, url: URL): Promise<HubAnswer> {
  const body = await readBody(response.body, LARGEST_ANSWER).catch((thrown: unknown) => {
    abandon(response.body);
    if (thrown instanceof BrokenAnswer) throw unreachable(url, "it answers more than any hub would");
    throw thrown;
  });
  return { status: response.statusCode, errorCode: one(response.headers["x-error-code"]), body };
}

const attempts = (count: number): string => `${count} times`;

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

function unreachable(url: URL, why: string, cause?: unknown): OmniError {
  return new OmniError("hub.unreachable", `Cannot read ${url.host}${url.pathname}: ${why}.`, { cause });
}
