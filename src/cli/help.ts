import { HELP, usage } from "./command.ts";
import type { Command, Option } from "./command.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

const EXITS =
  "Exit codes: 0 done, 1 failed while running, 2 the input or the spec is wrong, 3 refused for safety.";

export function overview(commands: readonly Command[], terminal: Terminal): string {
  const { style } = terminal;
  return [
    `${style("bold", "omni")}: the sovereign AI node. One file describes it; Omni runs it.`,
    "",
    `${style("bold", "Usage")}  ./omni COMMAND [options]`,
    "",
    style("bold", "Commands"),
    indent(table(commands.map((command) => [style("cyan", command.name), command.summary]))),
    "",
    style("bold", "Examples"),
    indent(
      table([
        ["./omni up", "the demo, with nothing else installed"],
        ["./omni up --model ~/models/chat.gguf", "your own model"],
        ["./omni init", "a spec for this machine, with comments"],
        ["./omni up omni.yaml", "the node that a file describes"],
        ["./omni chat", "talk to the running node"],
      ]),
    ),
    "",
    "./omni COMMAND --help tells more about each.",
    EXITS,
  ].join("\n");
}

export function commandHelp(command: Command, terminal: Terminal): string {
  const { style } = terminal;
  const options = Object.entries({ ...command.options, help: HELP });
  return [
    command.summary,
    "",
    `${style("bold", "Usage")}  ./omni ${usage(command)}`,
    "",
    style("bold", "Options"),
    indent(table(options.map(([name, option]) => [style("cyan", optionSyntax(name, option)), option.about]))),
    "",
    style("bold", "Examples"),
    indent(table(command.examples.map(([line, about]) => [`./omni ${line}`.trimEnd(), about]))),
    "",
    EXITS,
  ].join("\n");
}

export function optionSyntax(name: string, option: Option): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${name}${option.kind === "flag" ? "" : ` ${option.placeholder ?? "VALUE"}`}`;
}

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, "  ");
