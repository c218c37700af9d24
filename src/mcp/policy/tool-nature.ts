import type { Tool } from "@modelcontextprotocol/server";
import type { ServerPolicy } from "./server-policy.ts";

/**
 * Whether a tool's hints may be believed. Those of Omni's own servers are facts. Those of an upstream server are claims
 * (MCP, "Tool annotations"): they count only where the definition that makes them is pinned and is the accepted one, so that
 * a server cannot change its word behind its owner's back.
 */
export const believesHints = (upstream: boolean, { pin }: ServerPolicy): boolean => !upstream || pin;

/** Says of itself that it changes nothing, and is believed. A tool that claims to be read-only and destructive is not. */
export const isReadOnly = ({ annotations }: Tool, believed: boolean): boolean =>
  believed && annotations?.readOnlyHint === true && annotations.destructiveHint !== true;

/** Whether it may destroy: what says nothing may (the default of `destructiveHint` is true). */
const mayDestroy = (tool: Tool, believed: boolean): boolean =>
  !isReadOnly(tool, believed) && !(believed && tool.annotations?.destructiveHint === false);

/** Whether a person must approve each call of it. */
export const needsApproval = (tool: Tool, { approval }: ServerPolicy, believed: boolean): boolean =>
  approval === "always" || (approval === "destructive" && mayDestroy(tool, believed));
