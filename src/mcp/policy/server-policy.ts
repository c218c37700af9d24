import { matches } from "../../keys/tool-scope.ts";
import type { Tool as ToolSpec } from "../../spec/spec.ts";
import { present } from "../../core/index.ts";
import type { Channel } from "../hub.ts";

/** What the owner decided about one server, whatever key asks. */
export interface ServerPolicy {
  readonly enabled: boolean;
  /** Tools that are offered, as globs over their own names; all when absent. */
  readonly allow?: readonly string[];
  /** Wins over `allow`. */
  readonly deny?: readonly string[];
  readonly approval: "never" | "destructive" | "always";
  readonly approver: "client" | "operator" | "either";
  readonly pin: boolean;
  /** It may ask clients for their roots. */
  readonly roots: boolean;
  /** All transports when absent. */
  readonly exposure?: readonly ("http" | "stdio" | "sse")[];
  /** Longest call, milliseconds. */
  readonly timeout: number;
  /** Most bytes of one answer. */
  readonly maxOutput: number;
  /** Most calls a minute of one key. */
  readonly callsPerMinute?: number;
}

/** The policy of a server as its owner wrote it. */
export const serverPolicy = (tool: ToolSpec): ServerPolicy => ({
  enabled: tool.enabled,
  approval: tool.approval,
  approver: tool.approver,
  pin: tool.pin,
  roots: tool.roots,
  timeout: tool.timeout,
  maxOutput: tool.maxOutput,
  ...present({
    allow: tool.allow,
    deny: tool.deny,
    exposure: tool.exposure,
    callsPerMinute: tool.callsPerMinute,
  }),
});

/** Whether it is offered by this way at all. A model's request with hosted tools comes by HTTP. */
export const isExposed = ({ enabled, exposure }: ServerPolicy, channel: Channel): boolean =>
  enabled && (exposure === undefined || exposure.includes(channel === "inside" ? "http" : channel));

/** Whether a tool of that own name is offered. */
export const offersTool = ({ allow, deny }: ServerPolicy, tool: string): boolean =>
  (allow === undefined || allow.some((glob) => matches(glob, tool))) &&
  !(deny?.some((glob) => matches(glob, tool)) ?? false);
