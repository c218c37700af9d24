/** Applies the toy runbook below the folder given, with the options of `apply`, and ends with its exit code. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { applyOptions } from "../../src/cli/apply/apply-options.ts";
import { applySource } from "../../src/cli/apply/apply-source.ts";
import { parseInvocation } from "../../src/cli/command.ts";
import { apply } from "../../src/cli/commands/apply.ts";
import { reportError } from "../../src/cli/report.ts";
import { processTerminal } from "../../src/cli/terminal.ts";
import { OmniError } from "../../src/core/index.ts";
import { createRedactor } from "../../src/runbook/index.ts";
import { toyRunbook, toySource } from "./toy-runbook.ts";

const [folder = "", ...args] = process.argv.slice(2);
const terminal = processTerminal();
const world = join(folder, "world");
mkdirSync(world, { recursive: true });
try {
  process.exitCode = await applySource({
    source: toySource((exclusions) => toyRunbook(world, exclusions)),
    name: "toy",
    stateFolder: join(folder, "state"),
    redactor: createRedactor(),
    options: applyOptions(parseInvocation(apply, args)),
    terminal,
  });
} catch (thrown) {
  if (!(thrown instanceof OmniError)) throw thrown;
  reportError(thrown, terminal);
  process.exitCode = thrown.exitCode;
}
