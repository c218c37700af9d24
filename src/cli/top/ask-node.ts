import type { z } from "zod";
import { OPERATIONS } from "../../api/contract/index.ts";
import type { Answer } from "../../api/contract/index.ts";
import { authorization, readJson, request } from "../node-client.ts";
import type { NodeState } from "./node-state.ts";

/** Milliseconds within which a node that is well answers. */
const PATIENCE = 10_000;
/** Statuses that say: not for this key, or not in this version. */
const NOT_HERE: readonly number[] = [403, 404, 405];
const LOG_LINES = 200;

/** Everything that a node tells who asks once; what is not for this key or not in its version is left out. Throws `OmniError` `cli.no-node`. */
export async function askNode(base: string, signal: AbortSignal): Promise<NodeState> {
  const ask = asker(base, signal);
  const [status, session, hardware, events, requests, plan] = await Promise.all([
    readJson(await ask.response("/api/status", []), OPERATIONS["GET /api/status"].answer),
    ask.part("/api/session", OPERATIONS["GET /api/session"].answer),
    ask.part("/api/hardware", OPERATIONS["GET /api/hardware"].answer),
    ask.part("/api/events?limit=200", OPERATIONS["GET /api/events"].answer),
    ask.part("/api/requests?limit=1000", OPERATIONS["GET /api/requests"].answer),
    askPlan(base, signal),
  ]);
  return {
    status,
    ...(session === undefined ? {} : { session }),
    ...(hardware === undefined ? {} : { hardware }),
    ...(plan === undefined ? {} : { plan }),
    events: events?.events ?? [],
    ...(requests === undefined ? {} : { requests: requests.requests.toReversed() }),
    untold: [],
  };
}

/** The plan that the node runs, where it tells. */
export const askPlan = async (
  base: string,
  signal: AbortSignal,
): Promise<Answer<"GET /api/plan">["plan"] | undefined> =>
  (await asker(base, signal).part("/api/plan", OPERATIONS["GET /api/plan"].answer))?.plan;

/** The end of a service's log; a node that has none for this key says so. */
export async function askLog(
  base: string,
  service: string,
  signal: AbortSignal,
): Promise<Answer<"GET /api/services/{name}/log">> {
  const log = await asker(base, signal).part(
    `/api/services/${encodeURIComponent(service)}/log?lines=${LOG_LINES}`,
    OPERATIONS["GET /api/services/{name}/log"].answer,
  );
  return log ?? { lines: [], available: false, why: "not for this key, or the node is of an older version" };
}

interface Asker {
  response(path: string, expected: readonly number[]): Promise<Response>;
  part<T>(path: string, shape: z.ZodType<T>): Promise<T | undefined>;
}

function asker(base: string, signal: AbortSignal): Asker {
  const response = (path: string, expected: readonly number[]): Promise<Response> =>
    request(
      `${base}${path}`,
      { headers: authorization(), signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]) },
      expected,
    );
  return {
    response,
    part: async (path, shape) => {
      const answered = await response(path, NOT_HERE);
      if (answered.ok) return readJson(answered, shape);
      await answered.body?.cancel();
      return undefined;
    },
  };
}
