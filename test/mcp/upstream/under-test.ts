import { fileURLToPath } from "node:url";
import type { ClientCapabilities } from "@modelcontextprotocol/server";

import type { Provider, ProviderContext } from "../../../src/mcp/provider.ts";
import { createUpstream } from "../../../src/mcp/upstream/upstream.ts";
import type { HttpUpstream, StdioUpstream } from "../../../src/mcp/upstream/upstream.ts";
import type { FakeMcpSettings } from "../../fakes/mcp-server.ts";
import { MemoryEventLog } from "../../fakes/memory-event-log.ts";

const SERVER = fileURLToPath(new URL("../../fakes/mcp-stdio-server.ts", import.meta.url));

/** The command line of a fake server that behaves as told. */
export const fakeCommand = (settings: FakeMcpSettings): string[] => [
  process.execPath,
  SERVER,
  JSON.stringify(settings),
];

const COMMON = {
  name: "fake",
  version: "0.0.0",
  initTimeout: 10_000,
  timeout: 10_000,
  instances: 1,
  maxMessage: 1024 * 1024,
  parkTime: 10_000,
};

export interface UnderTest {
  readonly provider: Provider;
  readonly events: MemoryEventLog;
}

/** An upstream over stdio whose server behaves as told. */
export function stdioUpstream(settings: FakeMcpSettings = {}, more: Partial<StdioUpstream> = {}): UnderTest {
  const events = new MemoryEventLog();
  const command = fakeCommand(settings);
  return {
    events,
    provider: createUpstream({ ...COMMON, events, kind: "stdio", command, environment: {}, ...more }),
  };
}

export function httpUpstream(url: string, more: Partial<HttpUpstream> = {}): UnderTest {
  const events = new MemoryEventLog();
  const options = {
    ...COMMON,
    events,
    kind: "http" as const,
    url,
    transport: "streamable" as const,
    headers: {},
  };
  return { events, provider: createUpstream({ ...options, ...more }) };
}

/** A request of the caller `key`, whose client can be asked for `capabilities`. */
export function contextOf(
  more: Partial<ProviderContext> = {},
  capabilities: ClientCapabilities = {},
  key = "local",
): ProviderContext {
  const caller = { key, admin: true, upstream: true, priority: 5 };
  return { caller, request: "r1", signal: new AbortController().signal, capabilities, ...more };
}

export const ASKABLE: ClientCapabilities = { elicitation: { form: {}, url: {} }, sampling: {} };

/** The text of a tool's answer, which must be one. */
export function textOf(answer: object): string {
  if ("content" in answer && Array.isArray(answer.content)) {
    const [first]: unknown[] = answer.content;
    if (typeof first === "object" && first !== null && "text" in first) return String(first.text);
  }
  throw new Error(`no text: ${JSON.stringify(answer)}`);
}

/** The ticket of a question, which the answer must be. */
export function stateOf(answer: object): string {
  if ("requestState" in answer && typeof answer.requestState === "string") return answer.requestState;
  throw new Error(`no question: ${JSON.stringify(answer)}`);
}
