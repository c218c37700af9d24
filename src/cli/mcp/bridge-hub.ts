import type { Hub } from "../../mcp/index.ts";
import { createHub } from "../../mcp/hub/create-hub.ts";
import { createUpstream } from "../../mcp/upstream/upstream.ts";
import type { Terminal } from "../terminal.ts";
import { VERSION } from "../version.ts";
import { bearer } from "./presented-key.ts";
import { toldEvents } from "./told-events.ts";

interface Bridge {
  /** Of the node's MCP endpoint. */
  readonly address: string;
  readonly key: string | undefined;
  readonly terminal: Terminal;
}

/** Milliseconds; the node bounds calls itself, and one may wait for a person. */
const CALL_TIME = 60 * 60_000;
const INIT_TIME = 10_000;
/** A message that clients still take has to hold what stands around an answer. */
const MOST_OUTPUT = 9 * 1024 * 1024;
const MOST_MESSAGE = 32 * 1024 * 1024;

/**
 * The servers of a running node as one, under the names that it gives them: it decides, approves, pins and keeps the audit,
 * so that nothing of this is done a second time here. A node that ends is connected to again with the next request.
 */
export function bridgeHub({ address, key, terminal }: Bridge): Hub {
  const events = toldEvents(terminal);
  const provider = createUpstream({
    kind: "http",
    name: "node",
    version: VERSION,
    events,
    initTimeout: INIT_TIME,
    timeout: CALL_TIME,
    instances: 1,
    maxMessage: MOST_MESSAGE,
    parkTime: CALL_TIME,
    roots: true,
    url: address,
    transport: "streamable",
    headers: bearer(key),
  });
  const shown = key === undefined ? ", without a key: none is set in OMNI_KEY" : "";
  terminal.err(`omni mcp: leads to the node at ${address}${shown}.`);
  const hub = createHub({
    servers: [
      {
        name: "node",
        provider,
        upstream: false,
        policy: {
          enabled: true,
          approval: "never",
          approver: "client",
          pin: false,
          // The node knows which of its servers may ask for them.
          roots: true,
          timeout: CALL_TIME,
          maxOutput: MOST_OUTPUT,
        },
      },
    ],
    prefix: false,
    searchAbove: Number.MAX_SAFE_INTEGER,
    approvalTimeout: CALL_TIME,
    auditArguments: false,
    events,
  });
  // The node speaks for itself: there is no other server here.
  hub.instructions = async () => (await provider.offers(AbortSignal.timeout(INIT_TIME))).instructions ?? "";
  return hub;
}
