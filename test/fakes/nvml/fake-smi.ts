import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Answers from the files beside it, again and again with `--loop-ms`, as nvidia-smi does; a shell and awk. */
const PROGRAM = String.raw`#!/bin/sh
S=$(dirname "$0")
fields= loop= apps= only=
for a in "$@"; do
  case "$a" in
    --query-gpu=*) fields=${"$"}{a#--query-gpu=} ;;
    --query-compute-apps=*) apps=1 ;;
    --loop-ms=*) loop=${"$"}{a#--loop-ms=} ;;
    --id=*) only=${"$"}{a#--id=} ;;
  esac
done
echo "$$ $*" >>"$S/calls"
[ -e "$S/hang" ] && exec sleep 1000
if [ -n "$apps" ]; then [ -e "$S/apps" ] && cat "$S/apps"; exit 0; fi
if [ -e "$S/refused" ]; then
  while read -r field; do
    case ",$fields," in *",$field,"*) echo "Field \"$field\" is not a valid field to query."; exit 2 ;; esac
  done <"$S/refused"
fi
show() {
  if [ -z "$only" ] && [ -e "$S/words" ]; then cat "$S/words"; exit 15; fi
  awk -F'|' -v fields="$fields" -v only="$only" '{
    for (i = 1; i <= NF; i++) { at = index($i, "="); v[substr($i, 1, at - 1)] = substr($i, at + 1) }
    if (only != "" && index("," only ",", "," v["uuid"] ",") == 0) next
    n = split(fields, f, ","); line = ""
    for (i = 1; i <= n; i++) line = line (i > 1 ? ", " : "") (f[i] in v ? v[f[i]] : "[N/A]")
    print line; split("", v)
  }' "$S/cards"
}
show
[ -n "$loop" ] || exit 0
while [ ! -e "$S/die" ]; do
  sleep 0.1
  [ -e "$S/silent" ] || show
done
exit 7
`;

export interface FakeSmi {
  readonly program: string;
  /** Sets the cards: fields of nvidia-smi with their texts. */
  cards(...cards: readonly Readonly<Record<string, string>>[]): void;
  /** Makes a file that changes how it behaves (`hang`, `words`, `refused`, `apps`, `die`, `silent`), or removes it. */
  set(name: string, text: string | undefined): void;
  /** Command lines it was started with, with the process in front. */
  calls(): string[];
  remove(): void;
}

export function fakeSmi(): FakeSmi {
  const folder = mkdtempSync(join(tmpdir(), "omni-smi-"));
  const program = join(folder, "nvidia-smi");
  const replace = (name: string, text: string): void => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  writeFileSync(program, PROGRAM);
  chmodSync(program, 0o755);
  replace("cards", "");
  return {
    program,
    cards: (...cards) =>
      replace(
        "cards",
        cards
          .map((card) =>
            Object.entries(card)
              .map(([field, text]) => `${field}=${text}`)
              .join("|"),
          )
          .map((line) => `${line}\n`)
          .join(""),
      ),
    set: (name, text) =>
      text === undefined ? rmSync(join(folder, name), { force: true }) : replace(name, text),
    calls: () => {
      const path = join(folder, "calls");
      return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A card with everything told. */
export const smiCard = (
  n: number,
  changes: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  uuid: `GPU-0000000${n}-1111-2222-3333-444444444444`,
  "pci.bus_id": `00000000:0${n}:00.0`,
  name: "NVIDIA GeForce RTX 3090",
  "memory.total": "24576",
  "memory.used": "6144",
  "memory.free": "18176",
  "memory.reserved": "256",
  "utilization.gpu": "37",
  "temperature.gpu": "61",
  "temperature.memory": "[N/A]",
  "power.draw": "215.50",
  "enforced.power.limit": "350.00",
  "clocks_event_reasons.active": "0x0000000000000024",
  "clocks_throttle_reasons.active": "0x0000000000000004",
  "ecc.errors.uncorrected.volatile.total": "[N/A]",
  "pcie.link.gen.current": "4",
  "pcie.link.width.current": "16",
  ...changes,
});
