import type { Client } from "@modelcontextprotocol/client";
import { ProtocolError, ProtocolErrorCode, SseError } from "@modelcontextprotocol/client";

import type { AskMethod } from "./call.ts";
import { AS_IT_IS } from "./link.ts";
import type { Link, Profile } from "./link.ts";

/** Who hears what a server says outside of its answers. */
export interface LinkListeners {
  readonly onList: (kind: "tools" | "resources" | "prompts") => void;
  readonly onUpdated: (uri: string) => void;
  /** The connection ended by itself; its `reason` is there where the transport knows one. */
  readonly onLost: (link: Link) => void;
  /** The server has asked a client something. */
  readonly onAsk: () => void;
}

/**
 * Registers everything before the connection, so that nothing is missed; the returned function names the link once there
 * is one. A method without a handler, as `roots/list` is unless its owner lets the server ask, is refused by the SDK.
 */
export function listenTo(
  client: Client,
  profile: Profile,
  methods: readonly AskMethod[],
  listeners: LinkListeners,
  reason: () => string | undefined,
): (link: Link) => void {
  let link: Link | undefined;
  Object.assign(client, {
    onerror: (error: Error): void => {
      // The SDK's event source connects anew by itself, to a session that was never initialized.
      if (error instanceof SseError && link !== undefined) void client.close();
    },
    onclose: (): void => {
      if (link === undefined || link.gone) return;
      link.gone = true;
      link.reason = reason();
      listeners.onLost(link);
    },
  } satisfies Pick<Client, "onerror" | "onclose">);
  client.setNotificationHandler("notifications/tools/list_changed", () => listeners.onList("tools"));
  client.setNotificationHandler("notifications/resources/list_changed", () => listeners.onList("resources"));
  client.setNotificationHandler("notifications/prompts/list_changed", () => listeners.onList("prompts"));
  client.setNotificationHandler("notifications/resources/updated", ({ params }) =>
    listeners.onUpdated(params.uri),
  );
  client.setNotificationHandler("notifications/message", ({ params }) => link?.subject()?.log(params));
  if (profile === "asking") {
    const ask = async (
      method: AskMethod,
      params: Record<string, unknown>,
      signal: AbortSignal,
    ): Promise<unknown> => {
      listeners.onAsk();
      const call = await link?.asker();
      if (call === undefined) {
        throw new ProtocolError(
          ProtocolErrorCode.InvalidRequest,
          "It is not certain which call this belongs to, so nobody is asked; call again.",
        );
      }
      return call.ask(method, params, signal);
    };
    for (const method of methods) {
      // The SDK has checked the question before, and checks the answer behind, by the schemas of the connection's era.
      client.setRequestHandler(method, { params: AS_IT_IS }, async (params, context) => {
        const answer = await ask(method, membersOf(params), context.mcpReq.signal);
        return membersOf(answer);
      });
    }
  }
  return (opened) => {
    link = opened;
  };
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? { ...value } : {};
