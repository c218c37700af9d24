import type { ExitCode } from "../../core/index.ts";
import { EXIT, OmniError } from "../../core/index.ts";
import type { Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import type { McpApi } from "./mcp-api.ts";

/** What an action of `omni mcp` works with. */
export interface McpAction {
  readonly invocation: Invocation;
  readonly terminal: Terminal;
  readonly api: McpApi;
}

export type RunAction = (action: McpAction) => Promise<ExitCode>;

/** Prints the document for programs, or the text for a person. */
export function tell({ invocation, terminal }: McpAction, document: unknown, text: () => string): ExitCode {
  terminal.out(invocation.flag("json") ? JSON.stringify(document, null, 2) : text());
  return EXIT.done;
}

/** The argument at a place behind the action. Throws `OmniError` `cli.bad-argument` when it is missing. */
export function argument({ invocation }: McpAction, place: number, name: string): string {
  const given = invocation.positionals[place];
  if (given !== undefined && given !== "") return given;
  const [action = ""] = invocation.positionals;
  throw new OmniError("cli.bad-argument", `mcp ${action} needs ${name}.`, {
    hint: "./omni mcp --help shows what each action takes.",
  });
}

/** `2026-11-22 12:00:00Z` */
export const instant = (time: number): string =>
  `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
