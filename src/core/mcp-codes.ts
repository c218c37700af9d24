/** Codes of the tool gateway: MCP servers, policy, pins, approvals; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const MCP_CODES = {
  "mcp.closed": entry(1, "The tool gateway has ended.", "Start the node again."),
  "mcp.unreachable": entry(
    1,
    "An MCP server cannot be started or reached.",
    "./omni mcp servers shows its state and why; the other servers go on.",
  ),
  "mcp.timeout": entry(
    1,
    "An MCP server did not answer in time.",
    "Give it more time (tools.NAME.timeout, initTimeout), or look at what it waits for.",
  ),
  "mcp.unknown-server": entry(2, "The node has no such MCP server.", "./omni mcp servers lists them."),
  "mcp.unknown-pin": entry(2, "No tool of that name is pinned.", "./omni mcp pins lists them."),
  "mcp.pin-moved": entry(
    3,
    "The tool's definition is another one now than the one that was shown.",
    "Look at the new difference with ./omni mcp pins and accept that.",
  ),
  "mcp.unknown-approval": entry(
    2,
    "No call of that id waits for approval.",
    "It was decided, ended or timed out; ./omni mcp approvals lists those that wait.",
  ),
  "mcp.login-needed": entry(
    3,
    "An MCP server asks for a login, and the node has none that is good.",
    "Run ./omni mcp login NAME on this machine; the other servers go on.",
  ),
  "mcp.login-failed": entry(
    1,
    "Logging in to an MCP server failed.",
    "Run ./omni mcp login NAME again; where the server registers no clients, set tools.NAME.http.oauth.clientId.",
  ),
  "mcp.issuer-unreachable": entry(
    1,
    "The authorization server of an MCP server cannot be reached, so there is no token for it.",
    "Look at its address and the network; the next request tries again.",
  ),
  "mcp.issuer-changed": entry(
    3,
    "An MCP server names another authorization server than the one that its credentials belong to.",
    "Nothing was sent to it. Where the server really moved, run ./omni mcp login NAME to accept the new one.",
  ),
  "mcp.arguments-refused": entry(
    3,
    "The key may not call the tool with these arguments.",
    "Call it with arguments that keys.NAME.mcp.arguments allows, or ask the node's owner to widen that.",
  ),
  "mcp.arguments-too-large": entry(
    2,
    "The arguments of a call are too large or too deep.",
    "Send less in one call; files and long texts go in several.",
  ),
  "mcp.rate-limited": entry(
    1,
    "A key has used up its calls of this minute.",
    "Wait as long as the answer says, or raise callsPerMinute of the key or of the tool server.",
  ),
  "mcp.quarantined": entry(
    3,
    "The definition of a tool is another one than the one that was accepted.",
    "./omni mcp pins shows the difference; ./omni mcp accept SERVER TOOL takes the new one.",
  ),
  "mcp.pins-unreadable": entry(
    1,
    "The accepted definitions of tools cannot be read, so that no pinned tool is offered.",
    "Look at the state folder's database and its rights; pin: false offers a server's tools without.",
  ),
  "mcp.approval-denied": entry(3, "A person refused the call.", "Ask that person, or do without the call."),
  "mcp.approval-timeout": entry(
    1,
    "Nobody decided on the call in time.",
    "./omni mcp approvals lists calls that wait; gateway.mcp.approvalTimeout is how long they do.",
  ),
  "mcp.approval-unavailable": entry(
    1,
    "The call needs a person's approval, and nobody can be asked here.",
    "Use a client that can ask (elicitation), or let the operator decide: tools.NAME.approver: either.",
  ),
  "mcp.approvals-full": entry(
    1,
    "Too many calls wait for a person already.",
    "Decide on those that wait (./omni mcp approvals), then call again.",
  ),
  "mcp.too-large": entry(
    1,
    "An MCP server's answer is larger than the gateway passes on.",
    "Ask it for less, or raise tools.NAME.maxOutput.",
  ),
  "mcp.roots-refused": entry(
    3,
    "An MCP server asked for the client's folders, which the gateway never passes on.",
    "Give the server its folders in omni.yaml.",
  ),
  "mcp.server-failed": entry(
    1,
    "An MCP server failed in a way that it should not.",
    "./omni mcp servers shows its state; look at its own log.",
  ),
  "mcp.postgres-role": entry(
    3,
    "The role of a PostgreSQL tool could do more than the tool is for.",
    "Make a role for it alone; the message shows the statements. Or set tools.NAME.postgres.allowSuperuser.",
  ),
  "mcp.postgres-address": entry(
    2,
    "The connection string of a PostgreSQL tool is not one.",
    "It looks like postgres://user:password@host:5432/database; tools.NAME.postgres.dsn refers to it.",
  ),
  "mcp.unconfirmed": entry(
    3,
    "A changed definition of a tool is not accepted without a yes.",
    "Read the difference, then answer y, or run it again with --yes.",
  ),
  "mcp.node-refused": entry(
    1,
    "The node refused a command about its MCP servers.",
    "The message is the node's own; ./omni status shows whether it is well.",
  ),
} as const;
