import { hashComment, shellWord } from "../../escape/shell.ts";
import { factoryUrl } from "../images.ts";
import type { Schematic } from "../schematic.ts";
import type { TalosGuest } from "../talos-guest.ts";

/** `schematic-id.sh`: posts the schematic, which the factory must have seen once before it builds images of it. */
export function schematicIdScript(own: TalosGuest, { id }: Schematic): string {
  const url = `${factoryUrl(own)}/schematics`;
  const check =
    id === undefined
      ? []
      : [
          `expected=${id}`,
          'if [ "$id" != "$expected" ]; then',
          "  printf '%s\\n' \"The factory answers $id, computed was $expected: do not use images.env.\" >&2",
          "  exit 1",
          "fi",
        ];
  return `${[
    "#!/bin/sh",
    hashComment(
      `Posts schematic.yaml to the image factory and prints the id that it answers. Rendered by Omni from omni.yaml (guest ${own.name}).`,
    ),
    hashComment(
      id === undefined
        ? "Run it before all else; the id cannot be computed without the factory."
        : "Run it once before all else: the factory builds images only of schematics that somebody posted. The answer must be the computed id.",
    ),
    hashComment("  --dry-run: print the command, run nothing"),
    "set -eu",
    'here=$(CDPATH=\'\' cd -- "$(dirname -- "$0")" && pwd)',
    `url=${shellWord(url)}`,
    'case "${1:-}" in',
    "  '') ;;",
    "  --dry-run)",
    '    printf \'+ curl --fail --request POST --data-binary @%s %s\\n\' "$here/schematic.yaml" "$url"',
    "    exit 0 ;;",
    "  *) printf '%s\\n' 'usage: schematic-id.sh [--dry-run]' >&2; exit 2 ;;",
    "esac",
    "answer=$(curl --fail --silent --show-error --request POST --header 'Content-Type: application/yaml' \\",
    '  --data-binary "@$here/schematic.yaml" -- "$url")',
    'id=$(printf \'%s\' "$answer" | sed -n \'s/.*"id": *"\\([0-9a-f]\\{64\\}\\)".*/\\1/p\')',
    'if [ -z "$id" ]; then',
    "  printf '%s\\n' \"No id in the factory's answer: $answer\" >&2",
    "  exit 1",
    "fi",
    ...check,
    "printf '%s\\n' \"$id\"",
  ].join("\n")}\n`;
}
