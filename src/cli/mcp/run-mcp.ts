import { existsSync } from "node:fs";

import { nearest, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import type { Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { callTool } from "./call-tool.ts";
import { clientConfig } from "./client-config.ts";
import { decideApproval, showApprovals } from "./decide-approvals.ts";
import { loginServer } from "./login-server.ts";
import type { McpAction, RunAction } from "./mcp-action.ts";
import { mcpApi } from "./mcp-api.ts";
import { showAudit } from "./show-audit.ts";
import { acceptPin, showPins } from "./show-pins.ts";
import { retryServer, showServers } from "./show-servers.ts";
import { showTools } from "./show-tools.ts";

interface Action {
  /** Arguments behind its name at most. */
  readonly takes: number;
  readonly run: RunAction;
}

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ["servers", { takes: 0, run: showServers }],
  ["tools", { takes: 0, run: showTools }],
  ["pins", { takes: 0, run: showPins }],
  ["accept", { takes: 2, run: acceptPin }],
  ["approvals", { takes: 0, run: showApprovals }],
  ["approve", { takes: 1, run: decideApproval(true) }],
  ["deny", { takes: 1, run: decideApproval(false) }],
  ["audit", { takes: 0, run: showAudit }],
  ["retry", { takes: 1, run: retryServer }],
  ["call", { takes: 2, run: callTool }],
  ["login", { takes: 1, run: loginServer }],
  ["config", { takes: 1, run: clientConfig }],
]);

/** Runs `omni mcp`: an action, or MCP over stdio. Throws `OmniError`. */
export async function runMcp(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const [word, ...rest] = invocation.positionals;
  const action = word === undefined ? undefined : ACTIONS.get(word);
  if (action === undefined) {
    refuseStray(word, rest);
    return (await import("./serve-stdio.ts")).serveStdio(invocation, terminal);
  }
  if (rest.length > action.takes) {
    throw new OmniError(
      "cli.bad-argument",
      `mcp ${word ?? ""} takes no ${JSON.stringify(rest[action.takes])}.`,
      {
        hint: "./omni mcp --help shows what each action takes.",
      },
    );
  }
  return action.run(actionOf(invocation, terminal));
}

/** The node is looked for with the first question to it: some actions have none. */
function actionOf(invocation: Invocation, terminal: Terminal): McpAction {
  return {
    invocation,
    terminal,
    get api() {
      return mcpApi(invocation);
    },
  };
}

function refuseStray(word: string | undefined, rest: readonly string[]): void {
  if (word === undefined || (existsSync(word) && rest.length === 0)) return;
  const meant = nearest(word, [...ACTIONS.keys()]);
  throw new OmniError(
    "cli.bad-argument",
    existsSync(word)
      ? `mcp serves one spec; ${JSON.stringify(rest[0])} is too much.`
      : `${JSON.stringify(word)} is no action of mcp, and no spec either.`,
    {
      hint:
        meant === undefined
          ? `One of: ${[...ACTIONS.keys()].join(", ")}; or the path of a spec.`
          : `Did you mean ./omni mcp ${meant}?`,
    },
  );
}
