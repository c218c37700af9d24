import { parseInvocation } from "../../src/cli/command.ts";
import type { Command } from "../../src/cli/command.ts";
import { reportError } from "../../src/cli/report.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { OmniError } from "../../src/core/index.ts";
import type { Finished } from "../e2e/run-node.ts";

const plain = (_style: unknown, text: string): string => text;

/** Runs a command in this process, on a terminal where nobody sits; `onErr` is told of lines about its answer as they come. */
export async function inProcess(
  command: Command,
  args: readonly string[],
  onErr: (text: string) => void = () => {},
): Promise<Finished> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal: Terminal = {
    out: (text) => void out.push(`${text}\n`),
    err: (text) => {
      err.push(`${text}\n`);
      onErr(text);
    },
    interactive: false,
    columns: 80,
    style: plain,
    styleErr: plain,
  };
  const done = (code: number): Finished => ({ code, stdout: out.join(""), stderr: err.join("") });
  try {
    return done(await command.run(parseInvocation(command, args), terminal));
  } catch (thrown) {
    if (!(thrown instanceof OmniError)) throw thrown;
    reportError(thrown, terminal);
    return done(thrown.exitCode);
  }
}
