import type { RequestRow } from "../../store/index.ts";
import type { RunLook, StreamSources } from "./stream-sources.ts";
import type { Topic } from "./topic.ts";
import { messageText } from "./topic.ts";

/** Requests that one message carries at most. */
const MOST = 500;

/** Requests that ended. */
export function requestTopic({ onRequest }: StreamSources): Topic {
  let rows: RequestRow[] = [];
  let skipped = 0;
  return {
    name: "requests",
    open(changed) {
      return onRequest((row) => {
        if (rows.length < MOST) rows.push(row);
        else skipped++;
        changed();
      });
    },
    news() {
      const requests = rows;
      if (requests.length === 0) return undefined;
      const told = { text: messageText("requests", { requests, skipped }), rows: requests.length + skipped };
      rows = [];
      skipped = 0;
      return told;
    },
    // Those that ended before are asked for by their own operation.
    whole: () => undefined,
  };
}

/** Requests that are being answered or wait. */
export function openTopic({ open }: StreamSources): Topic {
  let known: string | undefined;
  return {
    name: "open",
    async news() {
      const now = messageText("open", await open());
      if (now === known) return undefined;
      known = now;
      return { text: now };
    },
    whole: () => (known === undefined ? undefined : { text: known }),
  };
}

/** The newest run of each spec. */
export function runTopic({ openRuns }: StreamSources): Topic {
  let look: RunLook | undefined;
  let all: StreamTopicRuns = [];
  let known = new Map<number, string>();
  return {
    name: "runs",
    open() {
      look = openRuns();
      return () => {
        look?.close();
        look = undefined;
        known = new Map();
      };
    },
    news() {
      const seen = look?.look();
      if (seen === undefined) return undefined;
      all = seen;
      const written = new Map(seen.map((run) => [run.id, JSON.stringify(run)]));
      const runs = seen.filter(({ id }) => known.get(id) !== written.get(id));
      known = written;
      return runs.length === 0 ? undefined : { text: messageText("runs", { runs }) };
    },
    whole: () => ({ text: messageText("runs", { runs: all }) }),
  };
}

type StreamTopicRuns = NonNullable<ReturnType<RunLook["look"]>>;
