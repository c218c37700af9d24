import { Agent } from "undici";
import type { Dispatcher } from "undici";
import { messageOf, OmniError } from "../core/index.ts";
import { firstOf, getFollowing } from "./get-following.ts";
import { abandon, BrokenAnswer, readBody } from "./range-request.ts";
import { displayName } from "./shown.ts";

export interface HubAnswer {
  readonly status: number;
  /** `x-error-code` of the hub: RepoNotFound, RevisionNotFound, GatedRepo, … */
  readonly errorCode: string | undefined;
  readonly body: Uint8Array;
}

const ATTEMPTS = 3;
const RETRY_DELAY_MS = 300;
const CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_REQUEST_MS = 60_000;
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
        const { response, url: end } = await getFollowing(url, {
          agent,
          headers: { ...headers, accept: "application/json", "accept-encoding": "identity" },
          timeout: LONGEST_REQUEST_MS,
        });
        const answer = await answerOf(response, end);
        if (!TEMPORARY.has(answer.status) || attempt === ATTEMPTS) return answer;
      } catch (thrown) {
        if (thrown instanceof OmniError) throw thrown;
        if (attempt === ATTEMPTS)
          throw unreachable(url, `tried ${attempt} times: ${messageOf(thrown)}`, thrown);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS * attempt));
    }
  } finally {
    await agent.destroy();
  }
}

async function answerOf(response: Dispatcher.ResponseData, url: URL): Promise<HubAnswer> {
  const body = await readBody(response.body, LARGEST_ANSWER).catch((thrown: unknown) => {
    abandon(response.body);
    if (thrown instanceof BrokenAnswer) throw unreachable(url, "it answers more than any hub would");
    throw thrown;
  });
  return {
    status: response.statusCode,
    errorCode: displayName(firstOf(response.headers["x-error-code"]) ?? ""),
    body,
  };
}

function unreachable(url: URL, why: string, cause?: unknown): OmniError {
  return new OmniError("hub.unreachable", `Cannot read ${url.host}${url.pathname}: ${why}.`, { cause });
}
