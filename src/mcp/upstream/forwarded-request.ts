import { CLIENT_CAPABILITIES_META_KEY, LOG_LEVEL_META_KEY } from "@modelcontextprotocol/client";

import type { ProviderContext } from "../provider.ts";

/** Members of `_meta` that belong to one connection and not to the request. */
const OURS = "io.modelcontextprotocol/";
const SUBSCRIPTION = "progressToken";

/**
 * The parameters of a request as the server gets them. In the modern era `_meta` says what the client of this very request
 * can be asked instead of what this node could; and the answers to what the server asked before go with it.
 */
export function forwarded(
  params: Readonly<Record<string, unknown>>,
  context: ProviderContext,
  modern: boolean,
): Record<string, unknown> {
  const meta: Record<string, unknown> = {};
  if (context.meta !== undefined) {
    for (const [name, value] of Object.entries(context.meta)) {
      if (!name.startsWith(OURS) && name !== SUBSCRIPTION) meta[name] = value;
    }
  }
  if (!modern) return Object.keys(meta).length === 0 ? { ...params } : { ...params, _meta: meta };
  meta[CLIENT_CAPABILITIES_META_KEY] = context.capabilities;
  if (context.logLevel !== undefined) meta[LOG_LEVEL_META_KEY] = context.logLevel;
  const sent: Record<string, unknown> = { ...params, _meta: meta };
  if (context.inputResponses !== undefined) sent["inputResponses"] = context.inputResponses;
  if (context.requestState !== undefined) sent["requestState"] = context.requestState;
  return sent;
}
