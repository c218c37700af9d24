import { createInterface } from "node:readline/promises";
import { z } from "zod";

import { nearest, OmniError } from "../../core/index.ts";
import type { Terminal } from "../terminal.ts";
import { table } from "../terminal.ts";
import { argument, instant, tell } from "./mcp-action.ts";
import type { McpAction, RunAction } from "./mcp-action.ts";
import { pinDiff } from "./pin-diff.ts";

const PIN = z.object({
  server: z.string(),
  tool: z.string(),
  hash: z.string(),
  definition: z.string(),
  accepted: z.number(),
  by: z.string(),
  offered: z.object({ hash: z.string(), definition: z.string(), seen: z.number() }).optional(),
});
const PINS = z.object({ pins: z.array(PIN) });
type ShownPin = z.infer<typeof PIN>;
type Offered = ShownPin & { readonly offered: NonNullable<ShownPin["offered"]> };

const SHORT = 12;

/** `omni mcp pins [--server NAME]`: accepted definitions, and what changed of those in quarantine. */
export const showPins: RunAction = async (action) => {
  const { invocation, terminal, api } = action;
  const server = invocation.value("server");
  const all = await api.get("pins", PINS);
  const pins = all.pins.filter((pin) => server === undefined || pin.server === server);
  return tell(action, { pins }, () => {
    if (pins.length === 0) return "No tool is pinned yet: definitions are pinned when they are first seen.";
    const { style } = terminal;
    const head = ["SERVER", "TOOL", "HASH", "ACCEPTED", "BY", "STATE"].map((cell) => style("dim", cell));
    const rows = pins.map((pin) => [
      pin.server,
      style("bold", pin.tool),
      pin.hash.slice(0, SHORT),
      instant(pin.accepted),
      pin.by,
      pin.offered === undefined ? "in force" : style("red", "quarantined: it changed"),
    ]);
    return [table([head, ...rows]), ...pins.filter(isOffered).map((pin) => changeText(pin, terminal))].join(
      "\n",
    );
  });
};

const isOffered = (pin: ShownPin): pin is Offered => pin.offered !== undefined;

/** What changed, with the command that accepts it. */
function changeText({ server, tool, definition, offered }: Offered, { style }: Terminal): string {
  const lines = pinDiff(definition, offered.definition).map(({ kind, text }) =>
    kind === "added"
      ? style("green", `+ ${text}`)
      : kind === "removed"
        ? style("red", `- ${text}`)
        : `  ${text}`,
  );
  const title = style("bold", `${server} ${tool} changed at ${instant(offered.seen)}`);
  return ["", title, ...lines, `./omni mcp accept ${server} ${tool} takes it.`].join("\n");
}

const ACCEPTED = z.object({ server: z.string(), tool: z.string(), hash: z.string(), message: z.string() });

/** `omni mcp accept SERVER TOOL`: shows what changed, asks, and accepts exactly what was shown. */
export const acceptPin: RunAction = async (action) => {
  const { invocation, terminal, api } = action;
  const server = argument(action, 1, "SERVER");
  const tool = argument(action, 2, "TOOL");
  const { pins } = await api.get("pins", PINS);
  const pin = pins.find((one) => one.server === server && one.tool === tool);
  if (pin === undefined) throw unknownPin(pins, server, tool);
  if (!isOffered(pin)) {
    return tell(
      action,
      { server, tool, hash: pin.hash, changed: false },
      () => `${tool} of ${server} is in force as it was accepted; there is nothing to decide.`,
    );
  }
  const { hash } = pin.offered;
  if (invocation.flag("dry-run")) {
    return tell(
      action,
      { dryRun: true, server, tool, hash, accepted: pin.definition, offered: pin.offered.definition },
      () => `${changeText(pin, terminal)}\nWould accept it: ${hash}`,
    );
  }
  if (!invocation.flag("yes")) {
    terminal.err(changeText(pin, terminal));
    if (!(await saysYes(action))) {
      throw new OmniError("mcp.unconfirmed", `${tool} of ${server} stays in quarantine.`);
    }
  }
  const answer = await api.post("pins/accept", { server, tool, hash }, ACCEPTED);
  return tell(action, answer, () => answer.message);
};

/** Asks on the terminal; nobody there means no. */
async function saysYes({ terminal }: McpAction): Promise<boolean> {
  if (!terminal.interactive || !process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await lines.question("Accept this definition? [y/N] ")).trim());
  } finally {
    lines.close();
  }
}

function unknownPin(pins: readonly ShownPin[], server: string, tool: string): OmniError {
  const meant = nearest(
    `${server} ${tool}`,
    pins.map((pin) => `${pin.server} ${pin.tool}`),
  );
  return new OmniError("mcp.unknown-pin", `No tool ${tool} of ${server} is pinned.`, {
    hint: meant === undefined ? "./omni mcp pins lists them." : `Did you mean ./omni mcp accept ${meant}?`,
  });
}
