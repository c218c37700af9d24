import { EXIT, OmniError } from "../../core/index.ts";
import { HELP } from "../command.ts";
import type { Command } from "../command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Takes the commands lazily, because it is one of them. */
export const completion = (commands: () => readonly Command[]): Command => ({
  name: "completion",
  summary: "Print shell completion for bash, zsh or fish.",
  positionals: [{ name: "SHELL", required: true, completes: "none" }],
  options: {},
  examples: [
    ["completion bash > ~/.local/share/bash-completion/completions/omni", "bash"],
    ["completion zsh > ~/.zfunc/_omni", "zsh, with ~/.zfunc in fpath"],
    ["completion fish > ~/.config/fish/completions/omni.fish", "fish"],
  ],
  run: (invocation, terminal) => {
    const shell = invocation.positionals[0] ?? "";
    const write = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell];
    if (write === undefined) {
      throw new OmniError("cli.bad-argument", `No completion for ${JSON.stringify(shell)}.`, {
        hint: `One of: ${SHELLS.join(", ")}`,
      });
    }
    terminal.out(write(commands()));
    return Promise.resolve(EXIT.done);
  },
});

const optionNames = (command: Command): string[] =>
  [...Object.keys(command.options), "help"].map((name) => `--${name}`);

function bashScript(commands: readonly Command[]): string {
  const cases = commands.map(
    (command) => `    ${command.name}) words='${optionNames(command).join(" ")}' ;;`,
  );
  return [
    "_omni() {",
    "  local words current=${COMP_WORDS[COMP_CWORD]}",
    "  case ${COMP_WORDS[1]} in",
    ...cases,
    `    *) words='${commands.map((command) => command.name).join(" ")} --help --version' ;;`,
    "  esac",
    `  [ "$COMP_CWORD" -eq 1 ] && words='${commands.map((command) => command.name).join(" ")} --help --version'`,
    "  case $current in",
    '    -*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;',
    '    *) if [ "$COMP_CWORD" -eq 1 ]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"); else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;',
    "  esac",
    "}",
    "complete -o filenames -F _omni omni ./omni",
  ].join("\n");
}

// Summaries are ours and hold no quotes, brackets or colons beyond those escaped here.
const zshText = (text: string): string =>
  text.replaceAll(/[[\]:'\\]/g, String.raw`\$&`).replaceAll(String.raw`\'`, "");

function zshScript(commands: readonly Command[]): string {
  const described = commands.map((command) => `    '${command.name}:${zshText(command.summary)}'`);
  const cases = commands.map((command) => {
    const options = Object.entries({ ...command.options, help: HELP }).map(
      ([name, option]) =>
        `'--${name}${option.kind === "value" ? "=" : ""}[${zshText(option.about)}]${option.kind === "value" ? ":value:_files" : ""}'`,
    );
    return `    ${command.name}) _arguments ${options.join(" ")} '*:file:_files' ;;`;
  });
  return [
    "#compdef omni",
    "_omni() {",
    "  local -a commands",
    "  commands=(",
    ...described,
    "  )",
    "  if (( CURRENT == 2 )); then _describe command commands; return; fi",
    "  local name=$words[2]",
    "  shift words; (( CURRENT-- ))",
    "  case $name in",
    ...cases,
    "  esac",
    "}",
    '_omni "$@"',
  ].join("\n");
}

const fishText = (text: string): string => text.replaceAll(/['\\]/g, String.raw`\$&`);

function fishScript(commands: readonly Command[]): string {
  const lines = ["complete -c omni -f"];
  for (const command of commands) {
    lines.push(
      `complete -c omni -n __fish_use_subcommand -a ${command.name} -d '${fishText(command.summary)}'`,
    );
    for (const [name, option] of Object.entries({ ...command.options, help: HELP })) {
      lines.push(
        `complete -c omni -n '__fish_seen_subcommand_from ${command.name}' -l ${name}${option.kind === "value" ? " -r -F" : ""} -d '${fishText(option.about)}'`,
      );
    }
    if (command.positionals.some((positional) => positional.completes === "file")) {
      lines.push(`complete -c omni -n '__fish_seen_subcommand_from ${command.name}' -F`);
    }
  }
  return lines.join("\n");
}
