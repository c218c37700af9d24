import { request } from "undici";
import type { NodeEvent } from "../core/index.ts";
import { OmniError } from "../core/index.ts";
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

/** A node at a base URL without `/v1`. */
export function nodeApi(url: string, key: string | undefined): NodeApi {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return {
    url,
    headers,
    async state(): Promise<NodeState> {
      const { statusCode, body } = await request(`${url}/api/status`, { headers });
      if (statusCode !== 200) throw new OmniError("cli.no-node", `${url}/api/status answered ${statusCode}.`);
      return JSON.parse(await body.text());
    },
    async follow(listener): Promise<() => void> {
      const abort = new AbortController();
      const { body, statusCode } = await request(`${url}/api/events/stream`, {
        headers,
        signal: abort.signal,
        bodyTimeout: 0,
      });
      if (statusCode !== 200)
        throw new OmniError("cli.no-node", `${url}/api/events/stream answered ${statusCode}.`);
      void readEvents(body, listener);
      return () => abort.abort();
    },
    async since(seq): Promise<readonly NodeEvent[]> {
      const { body } = await request(`${url}/api/events?after=${seq}&limit=1000`, { headers });
      const { events }: { events: readonly NodeEvent[] } = JSON.parse(await body.text());
      return events;
    },
    async lastEvent(): Promise<number> {
      const { body } = await request(`${url}/api/events?limit=1`, { headers });
      const { last }: { last: number } = JSON.parse(await body.text());
      return last;
    },
    async order(service, action): Promise<void> {
      const path = `${url}/api/services/${encodeURIComponent(service)}/${action}`;
      const { statusCode, body } = await request(path, { method: "POST", headers });
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
