import { hashComment, shellWord } from "../../escape/shell.ts";
import type { TalosNode } from "../nodes.ts";
import type { TalosGuest } from "../talos-guest.ts";

/**
 * Folder of the secrets and generated configs, below the owner's home: the same from wherever a script is started, and
 * never in the repository.
 */
const secretsFolder = ({ deployment, name }: TalosGuest): string => `omni/talos/${deployment}/${name}`;

/** Address of a node as a shell word: what the spec says, or a variable that must be set. */
export function addressWord(node: TalosNode): string {
  if (node.address !== undefined) return shellWord(node.address);
  return `"\${${addressVariable(node)}:?the address of this node, which the spec does not name}"`;
}

/** Variable that stands for an address that the spec does not name. */
export const addressVariable = ({ name }: TalosNode): string =>
  `TALOS_NODE_${name.toUpperCase().replaceAll(/\W/g, "_")}`;

/** Options of a script besides `--dry-run`: shell variable by option, with what it is for. */
interface Option {
  readonly option: string;
  readonly variable: string;
  readonly about: string;
}

/** Head of a script: what it is, its options, `run` that only prints with --dry-run, and the names of the images. */
export function scriptHead(
  own: TalosGuest,
  file: string,
  about: string,
  options: readonly Option[],
  needsId: boolean,
): string {
  const all = [
    ...options,
    { option: "--dry-run", variable: "dry_run", about: "print the commands, run none" },
  ];
  const usage = `usage: ${file} ${all.map(({ option }) => `[${option}]`).join(" ")}`;
  return [
    "#!/bin/sh",
    hashComment(about),
    ...all.map(({ option, about: what }) => hashComment(`  ${option}: ${what}`)),
    hashComment(
      `Secrets and generated configs are kept in OMNI_TALOS_SECRETS (~/.local/state/${secretsFolder(own)} when unset): keep that folder, and keep it out of any repository.`,
    ),
    "set -eu",
    "",
    ...all.map(({ variable }) => `${variable}=false`),
    'for argument in "$@"; do',
    '  case "$argument" in',
    ...all.map(({ option, variable }) => `    ${option}) ${variable}=true ;;`),
    `    *) printf '%s\\n' ${shellWord(usage)} >&2; exit 2 ;;`,
    "  esac",
    "done",
    "",
    'here=$(CDPATH=\'\' cd -- "$(dirname -- "$0")" && pwd)',
    `secrets=\${OMNI_TALOS_SECRETS:-\${XDG_STATE_HOME:-$HOME/.local/state}/${secretsFolder(own)}}`,
    ...(needsId ? ['if "$dry_run"; then TALOS_SCHEMATIC=${TALOS_SCHEMATIC:-ID-OF-THE-FACTORY}; fi'] : []),
    "# shellcheck source=/dev/null",
    '. "$here/images.env"',
    "",
    "run() {",
    '  if "$dry_run"; then',
    "    printf '%s' '+'",
    "    printf ' %s' \"$@\"",
    "    printf '\\n'",
    "  else",
    '    "$@"',
    "  fi",
    "}",
    "",
  ].join("\n");
}
