import { request } from "undici";
import type { Dispatcher } from "undici";
import type { NodeEvent } from "../core/index.ts";
import { messageOf, OmniError } from "../core/index.ts";
import type { ServiceView } from "../supervisor/backends.ts";

/** What chaos needs to know of a node at one moment. */
export interface NodeState {
  readonly services: readonly ServiceView[];
  readonly routes: readonly { readonly name: string; readonly services: readonly string[] }[];
}

/** A node as its clients and its operator reach it. */
export interface NodeApi {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  state(): Promise<NodeState>;
  /** Calls `listener` with every event from now on, with the moment of its arrival; the returned function ends that. */
  follow(listener: (event: NodeEvent, at: number) => void): Promise<() => void>;
  /** Events with a greater number, oldest first. */
  since(seq: number): Promise<readonly NodeEvent[]>;
  /** Number of the newest event, 0 for none. */
  lastEvent(): Promise<number>;
  order(service: string, action: string): Promise<void>;
}

type Options = Partial<Pick<Dispatcher.RequestOptions, "method" | "bodyTimeout">> & {
  readonly signal?: AbortSignal;
};

/** A node at a base URL without `/v1`. Every call throws OmniError `cli.no-node` when the node does not answer as one does. */
export function nodeApi(url: string, key: string | undefined): NodeApi {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const ask = async (path: string, options: Options = {}): Promise<Dispatcher.ResponseData> => {
    try {
      return await request(`${url}${path}`, { headers, ...options });
    } catch (thrown) {
      throw new OmniError("cli.no-node", `Nothing answers at ${url}: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
  };
  const refused = (path: string, status: number): OmniError =>
    new OmniError("cli.no-node", `${url}${path} answered ${status}.`, {
      hint: status === 401 ? "Set OMNI_KEY to one of the node's keys." : undefined,
    });
  const read = async (path: string): Promise<string> => {
    const { statusCode, body } = await ask(path);
    const text = await body.text();
    if (statusCode !== 200) throw refused(path, statusCode);
    return text;
  };
  return {
    url,
    headers,
    state: async (): Promise<NodeState> => JSON.parse(await read("/api/status")),
    async follow(listener): Promise<() => void> {
      const abort = new AbortController();
      const path = "/api/events/stream";
      const { body, statusCode } = await ask(path, { signal: abort.signal, bodyTimeout: 0 });
      if (statusCode !== 200) {
        await body.dump();
        throw refused(path, statusCode);
      }
      void readEvents(body, listener);
      return () => abort.abort();
    },
    async since(seq): Promise<readonly NodeEvent[]> {
      const { events }: { events: readonly NodeEvent[] } = JSON.parse(
        await read(`/api/events?after=${seq}&limit=1000`),
      );
      return events;
    },
    async lastEvent(): Promise<number> {
      const { last }: { last: number } = JSON.parse(await read("/api/events?limit=1"));
      return last;
    },
    async order(service, action): Promise<void> {
      const { statusCode, body } = await ask(`/api/services/${encodeURIComponent(service)}/${action}`, {
        method: "POST",
      });
      const text = await body.text();
      if (statusCode >= 400) throw new OmniError("chaos.failed", `${action} of ${service}: ${text}`);
    },
  };
}

async function readEvents(
  body: AsyncIterable<Buffer>,
  listener: (event: NodeEvent, at: number) => void,
): Promise<void> {
  let rest = "";
  try {
    for await (const chunk of body) {
      const blocks = (rest + chunk.toString()).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) listener(JSON.parse(data), performance.now());
      }
    }
  } catch {
    // Whoever follows has ended that, or the node is gone: its events are read again once it is back.
  }
}
