import { EXIT, messageOf, nearest, OmniError } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import { parseInvocation } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { commandHelp, overview } from "./help.ts";
import { reportError } from "./report.ts";
import { processTerminal } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

async function dispatch(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const about = COMMANDS.find((command) => command.name === rest[0]);
    terminal.out(about === undefined ? overview(COMMANDS, terminal) : commandHelp(about, terminal));
    return EXIT.done;
  }
  if (name === "--version" || name === "-V") {
    terminal.out(`omni ${VERSION}`);
    return EXIT.done;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const near = nearest(
      name,
      COMMANDS.map((candidate) => candidate.name),
    );
    throw new OmniError("cli.unknown-command", `There is no command ${JSON.stringify(name)}.`, {
      hint: near === undefined ? undefined : `Did you mean ./omni ${near}?`,
    });
  }
  const invocation = parseInvocation(command, rest);
  if (invocation.flag("help")) {
    terminal.out(commandHelp(command, terminal));
    return EXIT.done;
  }
  return command.run(invocation, terminal);
}

/** Runs one command line and reports what went wrong. Returns the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<ExitCode> {
  const terminal = processTerminal();
  try {
    return await dispatch(args, terminal);
  } catch (thrown) {
    const error =
      thrown instanceof OmniError
        ? thrown
        : new OmniError("cli.internal", messageOf(thrown), { cause: thrown });
    reportError(error, terminal);
    if (error.code === "cli.internal" && thrown instanceof Error) terminal.err(thrown.stack ?? "");
    return error.exitCode;
  }
}
