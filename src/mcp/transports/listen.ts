import {
  isSpecType,
  type JSONRPCRequest,
  type RequestId,
  SERVER_INFO_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
  type SubscriptionFilter,
} from "@modelcontextprotocol/server";

import type { Asker, HubChange } from "../hub.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import type { Exchange } from "./exchange.ts";
import { serverInfo } from "./hub-server.ts";
import { RPC } from "./json-rpc.ts";

/** Resources that one client may watch at a time. */
export const MAX_WATCHED = 256;
/** Open streams of changes, for all clients together. */
const MAX_STREAMS = 1024;

const NOTIFICATIONS = {
  tools: ["toolsListChanged", "notifications/tools/list_changed"],
  resources: ["resourcesListChanged", "notifications/resources/list_changed"],
  prompts: ["promptsListChanged", "notifications/prompts/list_changed"],
} as const;

/** The part of a filter that asks for anything. */
function honored(filter: SubscriptionFilter): SubscriptionFilter {
  const { toolsListChanged, resourcesListChanged, promptsListChanged, resourceSubscriptions } = filter;
  return {
    ...(toolsListChanged === true ? { toolsListChanged } : {}),
    ...(promptsListChanged === true ? { promptsListChanged } : {}),
    ...(resourcesListChanged === true ? { resourcesListChanged } : {}),
    ...(resourceSubscriptions === undefined || resourceSubscriptions.length === 0
      ? {}
      : { resourceSubscriptions: [...new Set(resourceSubscriptions)] }),
  };
}

/** What of a change a filter wants, as a notification. */
function wanted(
  filter: SubscriptionFilter,
  change: HubChange,
): { readonly method: string; readonly params: Record<string, unknown> } | undefined {
  if (change.kind === "updated") {
    return filter.resourceSubscriptions?.includes(change.uri) === true
      ? { method: "notifications/resources/updated", params: { uri: change.uri } }
      : undefined;
  }
  const [member, method] = NOTIFICATIONS[change.kind];
  return filter[member] === true ? { method, params: {} } : undefined;
}

/** The streams of changes (`subscriptions/listen`) that clients of the stateless era hold open. */
export class Listeners {
  readonly #context: EndpointContext;
  readonly #open = new Set<(gracefully: boolean) => void>();

  constructor(context: EndpointContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Tells every client that its stream ends, and ends it. */
  close(): void {
    for (const end of this.#open) end(true);
  }

  async serve(message: JSONRPCRequest, asker: Asker, exchange: Exchange): Promise<void> {
    const { id } = message;
    const refuse = (code: number, text: string) => exchange.refuse({ status: 200, code, message: text, id });
    if (this.#open.size >= MAX_STREAMS) {
      refuse(RPC.internal, `Subscription limit reached: ${MAX_STREAMS} streams are open`);
      return;
    }
    const asked = message.params?.["notifications"];
    if (!isSpecType.SubscriptionFilter(asked)) {
      refuse(
        RPC.invalidParams,
        "Invalid params: 'notifications' is required and must be a valid SubscriptionFilter",
      );
      return;
    }
    const filter = honored(asked);
    const uris = filter.resourceSubscriptions ?? [];
    if (uris.length > MAX_WATCHED) {
      refuse(RPC.invalidParams, `Invalid params: ${uris.length} resources, the bound is ${MAX_WATCHED}`);
      return;
    }
    await this.#stream(id, filter, uris, asker, exchange);
  }

  async #stream(
    id: RequestId,
    filter: SubscriptionFilter,
    uris: readonly string[],
    asker: Asker,
    exchange: Exchange,
  ): Promise<void> {
    const { hub, version } = this.#context;
    const ends: (() => void)[] = [];
    let over = false;
    const stamp = { [SUBSCRIPTION_ID_META_KEY]: id };
    const end = (gracefully: boolean): void => {
      if (over) return;
      over = true;
      this.#open.delete(end);
      for (const stop of ends.splice(0)) stop();
      if (!gracefully) return;
      const meta = { ...stamp, [SERVER_INFO_META_KEY]: serverInfo(version) };
      exchange.event(JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", _meta: meta } }));
      exchange.end();
    };
    const notify = (method: string, params: Record<string, unknown>): void =>
      exchange.event(JSON.stringify({ jsonrpc: "2.0", method, params: { ...params, _meta: stamp } }));
    exchange.onGone = () => end(false);
    this.#open.add(end);
    const watched: string[] = [];
    for (const uri of uris) {
      try {
        const stop = await hub.watch(uri, asker);
        if (over) stop();
        else {
          ends.push(stop);
          watched.push(uri);
        }
      } catch {
        // Left out of what is acknowledged: what it may not read, or what is not there.
      }
    }
    if (over || exchange.done) {
      end(false);
      return;
    }
    const kept = honored({ ...filter, resourceSubscriptions: watched });
    notify("notifications/subscriptions/acknowledged", { notifications: kept });
    if (Object.keys(kept).length === 0) {
      end(true);
      return;
    }
    ends.push(
      hub.onChange(asker, (change) => {
        const told = wanted(kept, change);
        if (told !== undefined) notify(told.method, told.params);
      }),
    );
  }
}
