import type { StreamEvents, StreamTopic } from "../../../src/api/contract/index.ts";
import { ApiError, messageOf } from "../api/api-error.ts";
import { ask } from "../api/ask.ts";
import { NO_STATE, withMessage } from "./live-state.ts";
import type { Connection, LiveState } from "./live-state.ts";
import { readStream } from "./read-stream.ts";

/** Milliseconds before the stream is asked for again: doubled with each failure, up to the most. */
const FIRST_PAUSE = 500;
const MOST_PAUSE = 15_000;
/** Of a key that may not follow the stream. */
const REDUCED_PACE = 15_000;

const TOPICS: ReadonlySet<string> = new Set<StreamTopic>([
  "status",
  "services",
  "hardware",
  "events",
  "requests",
  "open",
  "runs",
]);
const isTopic = (name: string | undefined): name is StreamTopic => name !== undefined && TOPICS.has(name);

let state: LiveState = NO_STATE;
const listeners = new Set<() => void>();
let frame: number | undefined;

export const liveState = (): LiveState => state;

export function subscribeLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes a state over; who listens is told once a frame, however much came in between. */
function take(next: LiveState): void {
  state = next;
  frame ??= requestAnimationFrame(() => {
    frame = undefined;
    for (const listener of listeners) listener();
  });
}

const connected = (connection: Connection): void => take({ ...state, connection });

/** Follows the node until the returned function is called; what was cut goes on where it was. */
export function followNode(admin: boolean): () => void {
  const end = new AbortController();
  take(NO_STATE);
  void (admin ? follow(end.signal) : look(end.signal));
  return () => end.abort();
}

async function follow(signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    const why = await streamOnce(signal, () => {
      pause = FIRST_PAUSE;
    });
    if (signal.aborted) return;
    connected({ kind: "lost", since: lostSince(), why });
    await wait(pause + Math.random() * pause, signal);
    pause = Math.min(pause * 2, MOST_PAUSE);
  }
}

const lostSince = (): number => (state.connection.kind === "lost" ? state.connection.since : Date.now());

/** One connection to its end, and why it ended. */
async function streamOnce(signal: AbortSignal, opened: () => void): Promise<string> {
  const { lastEvent } = state;
  const options = {
    signal,
    opened: (): void => {
      opened();
      connected({ kind: "open" });
    },
    ...(lastEvent === undefined ? {} : { lastId: String(lastEvent) }),
  };
  try {
    await readStream("./api/stream", options, ({ event, data }) => {
      if (!isTopic(event)) return;
      // The node's own tests hold every message to the contract.
      const message: StreamEvents[typeof event] = JSON.parse(data);
      take(withMessage(state, event, message));
    });
    return "The node ended the stream.";
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** For keys that may not change the node: its status, now and then. */
async function look(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const status = await ask("GET /api/status", { signal });
      take({ ...state, status, connection: { kind: "reduced" } });
    } catch (thrown) {
      if (signal.aborted) return;
      const why = thrown instanceof ApiError ? thrown.message : messageOf(thrown);
      connected({ kind: "lost", since: lostSince(), why });
    }
    await wait(REDUCED_PACE, signal);
  }
}

/** Resolves after `milliseconds`, when the tab is looked at again, or when aborted. */
async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    document.addEventListener("visibilitychange", done);
    signal.addEventListener("abort", done);
  });
}
