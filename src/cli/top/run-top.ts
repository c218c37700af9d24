import { EXIT } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { integerOption } from "../command.ts";
import type { Invocation } from "../command.ts";
import { nodeUrl } from "../node-client.ts";
import type { Terminal } from "../terminal.ts";
import { askNode } from "./ask-node.ts";
import { NO_ADMIN } from "./follow-node.ts";
import { printedLines } from "./frame-lines.ts";
import { liveTop, painted } from "./live-top.ts";
import type { NodeState } from "./node-state.ts";
import { topModel } from "./top-model.ts";
import type { TopModel } from "./top-model.ts";

/** Columns that a frame is printed in. */
const NARROWEST = 40;
const WIDEST = 1000;

/** Shows the node at a glance until somebody quits, or once. Throws `OmniError` `cli.no-node` when none answers. */
export async function runTop(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const width = integerOption(invocation, "width", [NARROWEST, WIDEST]);
  const base = (): string => nodeUrl(invocation);
  const state = await askNode(base(), AbortSignal.timeout(30_000));
  if (invocation.flag("json")) {
    terminal.out(JSON.stringify(askedModel(state), null, 2));
    return EXIT.done;
  }
  const hindrance = invocation.flag("once") ? undefined : hindranceOf();
  if (hindrance !== undefined) terminal.err(`${hindrance}, so this is one frame and no more.`);
  if (invocation.flag("once") || hindrance !== undefined) {
    printFrame(state, width ?? columnsGiven() ?? terminal.columns, terminal);
    return EXIT.done;
  }
  await liveTop(state, base, terminal);
  return EXIT.done;
}

/** Why this terminal cannot be drawn on. */
function hindranceOf(): string | undefined {
  if (!process.stdout.isTTY) return "The output is no terminal";
  if (!process.stdin.isTTY) return "The input is no terminal, and keys could not be read";
  if (process.env["TERM"] === "dumb") return "This terminal cannot place text (TERM=dumb)";
  return undefined;
}

function columnsGiven(): number | undefined {
  const columns = Number(process.env["COLUMNS"]);
  return Number.isInteger(columns) && columns >= NARROWEST && columns <= WIDEST ? columns : undefined;
}

/** What was told to who asked once. */
const askedModel = (state: NodeState): TopModel =>
  topModel(
    state,
    state.session?.admin === false ? { state: "polled", why: NO_ADMIN } : { state: "live" },
    Date.now(),
  );

function printFrame(state: NodeState, width: number, terminal: Terminal): void {
  for (const line of printedLines(askedModel(state), width))
    terminal.out(painted(line, terminal.style).trimEnd());
}
