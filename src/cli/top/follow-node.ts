import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../core/index.ts";
import { authorization, request } from "../node-client.ts";
import { askNode, askPlan } from "./ask-node.ts";
import { withMessage } from "./node-state.ts";
import type { NodeState } from "./node-state.ts";
import { sseEvents } from "./sse-events.ts";
import type { Link } from "./top-model.ts";

const TOPICS = "status,services,hardware,events,requests,open";
/** Milliseconds of silence after which a connection is given up; a node says something every 15 seconds. */
const SILENCE = 45_000;
/** Milliseconds between two questions to a node that has no stream for this reader. */
const POLL = 2000;
/** Milliseconds to the first and at most to any new attempt. */
const FIRST_RETRY = 500;
const LONGEST_RETRY = 8000;

/** Where a node is followed to. */
export interface Follower {
  /** The node's base URL as it is now: one that restarts may come back at another port. Throws where none runs. */
  readonly base: () => string;
  /** Called at every change with all that is known. */
  readonly tell: (state: NodeState, link: Link) => void;
  readonly signal: AbortSignal;
}

/** Follows a node until the signal, through its restarts; `first` is what it told when it was asked. */
export async function followNode(first: NodeState, { base, tell, signal }: Follower): Promise<void> {
  let state = first;
  let pause = FIRST_RETRY;
  let asked = true;
  let lost: number | undefined;
  const hear = (heard: NodeState, link: Link): void => {
    [state, pause, lost] = [heard, FIRST_RETRY, undefined];
    tell(heard, link);
  };
  while (!signal.aborted) {
    let why = "the node ended the stream";
    try {
      const url = base();
      if (!asked) state = await askNode(url, signal);
      asked = false;
      await followOnce(url, state, hear, signal);
    } catch (thrown) {
      why = messageOf(thrown);
    }
    lost ??= Date.now();
    if (signal.aborted) return;
    tell(state, { state: "lost", since: lost, why });
    await sleep(pause, undefined, { signal }).catch(() => undefined);
    pause = Math.min(pause * 2, LONGEST_RETRY);
  }
}

type Hear = (state: NodeState, link: Link) => void;

/** Follows one connection to its end. Rejects when it breaks. */
async function followOnce(base: string, known: NodeState, hear: Hear, signal: AbortSignal): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(
    () => silence.abort(new Error(`nothing was heard for ${SILENCE / 1000} s`)),
    SILENCE,
  );
  try {
    const after = known.events.at(-1)?.seq;
    const response = await request(
      `${base}/api/stream?topics=${TOPICS}${after === undefined ? "" : `&after=${after}`}`,
      { headers: authorization(), signal: AbortSignal.any([signal, silence.signal]) },
      [403, 404],
    );
    if (response.body === null || !response.ok) {
      await response.body?.cancel();
      await pollNode(base, known, hear, refusal(response.status, known), signal);
      return;
    }
    hear(known, { state: "live" });
    await followStream(response.body, known, {
      hear: (state) => hear(state, { state: "live" }),
      alive: () => timer.refresh(),
      plan: () => askPlan(base, signal),
    });
  } finally {
    clearTimeout(timer);
  }
}

interface Heard {
  readonly hear: (state: NodeState) => void;
  readonly alive: () => void;
  readonly plan: () => Promise<NodeState["plan"]>;
}

async function followStream(body: AsyncIterable<Uint8Array>, known: NodeState, heard: Heard): Promise<void> {
  let state = known;
  let statuses = 0;
  for await (const message of sseEvents(body, heard.alive)) {
    state = withMessage(state, message, Date.now());
    // The first one belongs to the connection; later ones say that routes and findings are others, and so may the plan be.
    if (message.event === "status" && ++statuses > 1) {
      const plan = await heard.plan();
      if (plan !== undefined) state = { ...state, plan };
    }
    heard.hear(state);
  }
}

/** Asks again and again what this reader may know. */
async function pollNode(
  base: string,
  first: NodeState,
  hear: Hear,
  why: string,
  signal: AbortSignal,
): Promise<void> {
  let state = first;
  while (!signal.aborted) {
    hear(state, { state: "polled", why });
    await sleep(POLL, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) state = await askNode(base, signal);
  }
}

/** What a reader without admin is told. */
export const NO_ADMIN =
  "This key may not change the node, so cards, events and requests are not shown; set OMNI_KEY to an admin's.";

const refusal = (status: number, { status: { version } }: NodeState): string =>
  status === 403
    ? NO_ADMIN
    : `The node is of version ${version} and has no stream yet: it is asked every ${POLL / 1000} seconds. Update it for all there is.`;
