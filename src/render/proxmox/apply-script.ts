import { shellCommand, shellWord } from "../escape/shell.ts";
import { fileHeader, HEADER_MARK } from "./file-header.ts";
import type { KernelChoice } from "./kernel-choice.ts";
import { knownIds } from "./known-ids.ts";
import { typedIds } from "./module-files.ts";
import type { ProxmoxHost } from "./proxmox-host.ts";
import { BOOT_STEPS } from "./shell/boot-step.ts";
import { FILES } from "./shell/files.ts";
import { KERNEL_STEP } from "./shell/kernel-step.ts";
import { MODULE_STEPS } from "./shell/module-step.ts";
import { HOST_CHECK, PRELUDE } from "./shell/prelude.ts";

/** One step: its name for --skip, its title, and the function that does it. Help and run order come from this list. */
interface Step {
  readonly name: string;
  readonly title: string;
  readonly run: string;
}

const STEPS = {
  kernel: { name: "kernel", title: "Kernel: install and pin", run: "kernel_step" },
  boot: { name: "boot", title: "Boot line", run: "boot_line_step" },
  refresh: { name: "refresh", title: "Boot files", run: "refresh_step" },
  modules: { name: "modules", title: "Kernel modules", run: "modules_step" },
  initramfs: { name: "initramfs", title: "Initramfs of all kernels", run: "initramfs_step" },
  switch: { name: "switch", title: "GPU switch script", run: "switch_step" },
} as const satisfies Record<string, Step>;

/** What the apply script of a host is made of. */
interface ApplyParts {
  readonly kernel: KernelChoice | undefined;
  /** Files below the script's folder that it installs at the same place of the host, without a leading slash. */
  readonly files: readonly string[];
  /** Whether the switch script stands beside it. */
  readonly switchScript: boolean;
}

const variables = (values: readonly (readonly [name: string, value: string])[]): string =>
  values.map(([name, value]) => `${name}=${shellWord(value)}`).join("\n");

function settings(
  { host, bind }: ProxmoxHost,
  parts: ApplyParts & { steps: string },
  ids: readonly string[],
): string {
  const { kernel } = parts;
  return variables([
    ["HOST", host.name],
    ["ADDRESS", host.address ?? ""],
    ["OWN", HEADER_MARK],
    ["STEPS", parts.steps],
    ["FILES", parts.files.join(" ")],
    ["LOADER", host.boot?.loader ?? "auto"],
    ["BIND", bind ?? "none"],
    ["TYPED_IDS", ids.join(",")],
    ...(kernel === undefined
      ? []
      : ([
          ["KERNEL_PACKAGE", kernel.package ?? ""],
          ["KERNEL_PIN", kernel.pin ?? ""],
          ["KERNEL_AT_MOST", kernel.atMost ?? ""],
          ["KERNEL_REFUSED", kernel.refused ?? ""],
        ] as const)),
    ...(parts.switchScript ? [["SWITCH", scriptPath(host)] as const] : []),
  ]);
}

/** Where the switch script goes on the host. */
export const scriptPath = (host: ProxmoxHost["host"]): string =>
  host.passthrough?.script ?? "/usr/local/bin/omni-switch";

/** `read_cards` asks for the ids of each card; a card without an address is refused, because no other can be guessed. */
function readCards({ cards }: ProxmoxHost): string {
  const lines = cards.map(
    (card) => `  ${shellCommand(["card_ids", card.name, card.gpu.pci ?? "", knownIds(card).join(" ")])}`,
  );
  return `\nread_cards() {\n${lines.length === 0 ? "  :" : lines.join("\n")}\n}\n`;
}

const SWITCH_STEP = `
switch_step() { place "$HERE/omni-switch" "$ROOT$SWITCH" 0755 ''; }
`;

const OPTIONS = `
HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
elsewhere=no
changed=no
reboot=no
pending=''
skip=''

usage() {
  cat <<'USAGE'
Usage: ./apply.sh [--dry-run] [--skip STEP]... [--elsewhere]
  --dry-run    say what would change, change nothing
  --skip STEP  leave a step out: STEPNAMES
  --elsewhere  the address in omni.yaml is not this machine's any more
Changes files of this host and keeps a copy of each in /var/backups/omni. Never reboots. Run it again after a failure.
USAGE
}

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=yes ;;
  --elsewhere) elsewhere=yes ;;
  --skip)
    [ $# -ge 2 ] || { usage >&2; exit 2; }
    case " $STEPS " in *" $2 "*) skip="$skip $2 " ;; *) printf 'no such step: %s\\n' "$2" >&2; exit 2 ;; esac
    shift
    ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done

skipped() {
  case $skip in *" $1 "*) say '  left out'; return 0 ;; esac
  return 1
}

check_folder() {
  for file in $FILES; do
    [ -f "$HERE/$file" ] || refuse "$HERE/$file is missing." 'Copy the whole folder to the host: the script installs what lies beside it.'
  done
}
`;

/** What stops everything before the first change, as long as the kernel step is not left out. */
const KERNEL_REFUSAL = `
check_kernel() {
  [ -n "$KERNEL_REFUSED" ] || return 0
  case $skip in *' kernel '*) return 0 ;; esac
  refuse "The kernel that omni.yaml asks for contradicts itself. $KERNEL_REFUSED" 'Correct kernel: in omni.yaml and render again.' 'Or leave the kernel as it is: --skip kernel'
}
`;

const END = `
step 'Done'
if [ "$changed" = no ]; then
  say '  Nothing has changed.'
elif [ "$dry_run" = yes ]; then
  say '  This was a dry run: nothing has changed.'
elif [ "$reboot" = yes ]; then
  say '  Reboot this host when nobody needs it: boot line and modules count from the next boot. This script never reboots.'
fi
`;

/** The script that brings a host to what the spec says: idempotent, numbered, each step verified. POSIX sh. */
export function applyScript(parts: ProxmoxHost, made: ApplyParts): string {
  const ids = typedIds(parts) ?? [];
  const steps = [
    ...(made.kernel === undefined ? [] : [STEPS.kernel]),
    STEPS.boot,
    STEPS.refresh,
    STEPS.modules,
    STEPS.initramfs,
    ...(made.switchScript ? [STEPS.switch] : []),
  ];
  const names = steps.map(({ name }) => name).join(" ");
  const checks = [
    "check_host",
    "check_folder",
    "check_cards",
    ...(made.kernel === undefined ? [] : ["check_kernel"]),
  ];
  return [
    "#!/bin/sh\n",
    fileHeader(
      parts.deployment,
      `Brings the Proxmox host ${parts.host.name} to what the spec says: ${steps.map(({ title }) => title.toLowerCase()).join(", ")}. Copy this folder to the host and run ./apply.sh --dry-run, then ./apply.sh. Needs nothing but what Proxmox VE has.`,
    ),
    "\nset -eu\n\n",
    settings(parts, { ...made, steps: names }, ids),
    "\n",
    PRELUDE,
    OPTIONS.replaceAll("STEPNAMES", names),
    HOST_CHECK,
    FILES,
    ...(made.kernel === undefined ? [] : [KERNEL_REFUSAL, KERNEL_STEP]),
    BOOT_STEPS,
    MODULE_STEPS,
    readCards(parts),
    ...(made.switchScript ? [SWITCH_STEP] : []),
    "\nstep 'This host'\n",
    ...checks.map((check) => `${check}\n`),
    "find_loaders\n",
    ...steps.flatMap(({ name, title, run }) => [
      `\nstep ${shellWord(title)}\n`,
      `if ! skipped ${name}; then ${run}; fi\n`,
    ]),
    END,
  ].join("");
}
