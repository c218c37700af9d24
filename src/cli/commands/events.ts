import { z } from "zod";
import { EXIT, OmniError } from "../../core/index.ts";
import type { NodeEvent } from "../../core/index.ts";
import { readEvents, readNodeRecord } from "../../store/index.ts";
import { integerOption } from "../command.ts";
import type { Command, Invocation } from "../command.ts";
import { getJson, nodeUrl, URL_OPTION } from "../node-client.ts";
import { stateFolder } from "../state-folder.ts";
import type { Terminal } from "../terminal.ts";

const EVENTS = z.object({
  events: z.array(
    z.custom<NodeEvent>((value) => typeof value === "object" && value !== null && "seq" in value),
  ),
});
/** Milliseconds between two looks while following. */
const FOLLOW_INTERVAL = 500;
const FOLLOW_BATCH = 500;

export const events: Command = {
  name: "events",
  summary: "Show what happened on the node, and why.",
  positionals: [],
  options: {
    json: { kind: "flag", about: "Print one JSON object a line." },
    follow: { kind: "flag", short: "f", about: "Keep printing new events until Ctrl-C." },
    limit: { kind: "value", placeholder: "N", about: "How many of the newest to show; default 50." },
    url: URL_OPTION,
  },
  examples: [
    ["events", "the newest 50, oldest first; works after the node has stopped, too"],
    ["events --follow", "watch as it happens"],
    ["events --json --limit 1000", "for a program"],
  ],
  run: async (invocation, terminal) => {
    const limit = integerOption(invocation, "limit", [1, 10_000]) ?? 50;
    const read = source(invocation);
    let last = 0;
    const show = (batch: readonly NodeEvent[]): void => {
      for (const event of batch) {
        terminal.out(invocation.flag("json") ? JSON.stringify(event) : eventLine(event, terminal));
        last = Math.max(last, event.seq);
      }
    };
    show(await read.latest(limit));
    while (invocation.flag("follow")) {
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_INTERVAL));
      show(await read.after(last, FOLLOW_BATCH));
    }
    return EXIT.done;
  },
};

interface EventSource {
  latest(limit: number): Promise<readonly NodeEvent[]>;
  after(seq: number, limit: number): Promise<readonly NodeEvent[]>;
}

/** A node elsewhere is asked over HTTP; this machine's own events are read from the state folder, running or not. */
function source(invocation: Invocation): EventSource {
  const remote = invocation.value("url") ?? process.env["OMNI_URL"];
  if (remote === undefined) {
    const folder = stateFolder();
    const read = (
      query: { latest: number } | { after: number; limit: number },
    ): Promise<readonly NodeEvent[]> => {
      const found = readEvents(folder, query);
      if (found === undefined && readNodeRecord(folder) === undefined) {
        throw new OmniError("cli.no-node", `No node has run with the state folder ${folder}.`);
      }
      return Promise.resolve(found ?? []);
    };
    return { latest: (limit) => read({ latest: limit }), after: (seq, limit) => read({ after: seq, limit }) };
  }
  const base = nodeUrl(invocation);
  const get = async (query: string): Promise<readonly NodeEvent[]> =>
    (await getJson(base, `/api/events?${query}`, EVENTS)).events;
  return {
    latest: (limit) => get(`limit=${limit}`),
    after: (seq, limit) => get(`after=${seq}&limit=${limit}`),
  };
}

function eventLine(event: NodeEvent, terminal: Terminal): string {
  const { style } = terminal;
  const time = new Date(event.time).toLocaleString("sv-SE", { timeZoneName: undefined });
  const colour = event.severity === "error" ? "red" : event.severity === "warning" ? "yellow" : "cyan";
  return `${style("dim", time)}  ${style(colour, event.kind.padEnd(20))} ${event.message}`;
}
