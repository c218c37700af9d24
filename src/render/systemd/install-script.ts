import { shellCommand, shellWord } from "../escape/shell.ts";
import { ETC, LIBRARY, OMNI } from "./names.ts";

export interface Installed {
  /** Units to copy, and those among them that start with the machine. */
  readonly units: readonly string[];
  readonly enabled: readonly string[];
  /** Units whose environment file the owner fills in. */
  readonly environments: readonly string[];
  /** File names beside the script that go to /etc/omni. */
  readonly specs: readonly string[];
  /** Omni itself runs the owner's spec. */
  readonly ownSpec: boolean;
  /** Omni is started by one of the units. */
  readonly omni: boolean;
  /** Scripts that the units call. */
  readonly scripts: readonly string[];
  /** Folders of compose projects, below the output folder. */
  readonly projects: readonly string[];
  readonly logFolder?: string;
  readonly user?: string;
}

/** Installs the units beside it: copies, verifies with systemd's own checker, enables; starts nothing. */
export const installScript = (what: Installed): string =>
  [
    opening(what.ownSpec),
    lines(
      'if [ -z "$root" ] && [ "$dry_run" = no ] && [ "$(id -u)" != 0 ]; then',
      '  fail "only root may write to /etc/systemd/system" "run it with sudo, or look first: sh $0 --dry-run"',
      "fi",
      what.user === undefined ? undefined : userCheck(what.user),
      what.omni ? omniCheck : undefined,
      what.ownSpec ? ownSpec : undefined,
    ),
    lines(
      "# Units, and the scripts that they call.",
      ...what.units.map((unit) => `copy 0644 ${shellWord(unit)} /etc/systemd/system`),
      ...what.scripts.map((name) => `copy 0755 ${shellWord(name)} ${LIBRARY}`),
      ...what.specs.map((name) => `copy 0644 ${shellWord(name)} ${ETC}`),
      ...(what.environments.length === 0 ? [] : [secrets]),
      ...what.environments.map((unit) => `secrets ${shellWord(unit)}`),
      what.logFolder === undefined ? undefined : `run install -d -m 0755 "$root"${shellWord(what.logFolder)}`,
      ...(what.projects.length === 0 ? [] : [projects]),
      ...what.projects.map((folder) => `project ${shellWord(folder)}`),
    ),
    closing(what.enabled),
  ].join("\n");

const lines = (...parts: readonly (string | undefined)[]): string =>
  parts
    .filter((part) => part !== undefined)
    .map((part) => `${part}\n`)
    .join("");

const NEEDS_VALUE = `if [ $# -lt 2 ]; then
        usage >&2
        exit 2
      fi`;

const SPEC_OPTION = `    --spec)
      ${NEEDS_VALUE}
      spec=$2
      shift
      ;;
`;

const opening = (ownSpec: boolean): string => `#!/bin/sh
# install.sh: puts the units beside it into place, lets systemd check them, and enables them. It starts nothing.
# Rendered by Omni from omni.yaml. Run it on the machine itself, as root:
#
#   sh install.sh --dry-run          every command, and none of them run
#   sh install.sh                    install, check, enable
#   sh install.sh --root DIR         the same below another root, such as a mounted image
${ownSpec ? "#   sh install.sh --spec FILE        the omni.yaml that Omni runs here\n" : ""}#
# It may be run again at any time; files with secrets that are there already stay as they are.
set -eu

usage() { echo "usage: sh install.sh [--dry-run] [--root DIR]${ownSpec ? " [--spec FILE]" : ""}"; }

fail() { # what is wrong, what to do
  echo "install.sh: $1" >&2
  echo "  do: $2" >&2
  exit 1
}

dry_run=no
root=
${ownSpec ? "spec=\n" : ""}while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --root)
      ${NEEDS_VALUE}
      root=\${2%/}
      shift
      ;;
${ownSpec ? SPEC_OPTION : ""}    --help | -h)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

run() {
  echo "+ $*"
  if [ "$dry_run" = no ]; then "$@"; fi
}

copy() { # mode, file beside this script, folder
  run install -D -m "$1" "$here/$2" "$root$3/$2"
}
`;

const userCheck = (user: string): string => `user=${shellWord(user)}
if [ -z "$root" ] && [ "$dry_run" = no ] && ! id -u "$user" >/dev/null 2>&1; then
  fail "the user $user does not exist, and the engines run as it" "useradd --system --no-create-home $user"
fi`;

const omniCheck = `if [ "$dry_run" = no ] && [ ! -x "$root${OMNI}" ]; then
  fail "$root${OMNI} is not there, and a unit starts it" "ln -s /opt/omni/omni ${OMNI}   # the launcher of Omni's repository, readable for all"
fi`;

const ownSpec = `# What Omni runs: the owner's spec. Relative paths in it count from ${ETC}.
if [ -n "$spec" ]; then
  run install -D -m 0644 "$spec" "$root${ETC}/omni.yaml"
elif [ "$dry_run" = no ] && [ ! -e "$root${ETC}/omni.yaml" ]; then
  fail "$root${ETC}/omni.yaml is not there" "sh $0 --spec omni.yaml"
fi`;

const secrets = `# Secrets: made once with mode 0600, then the owner's.
secrets() { # unit
  if [ ! -e "$root${ETC}/$1.env" ]; then
    run install -D -m 0600 "$here/$1.env.example" "$root${ETC}/$1.env"
    echo "write the secrets into $root${ETC}/$1.env before you start $1"
  fi
}`;

const projects = `# Compose projects; an .env that lies there already is the owner's and stays.
project() { # folder
  if [ ! -f "$here/../$1/compose.yaml" ]; then
    fail "$here/../$1/compose.yaml is not there" "render both: ./omni render --target compose --target systemd"
  fi
  run mkdir -p "$root${ETC}/$1"
  run cp -R "$here/../$1/." "$root${ETC}/$1/"
}`;

const closing = (
  enabled: readonly string[],
): string => `# systemd's own checker, once everything that the units name is in place.
if [ -z "$root" ] && command -v systemd-analyze >/dev/null 2>&1; then
  run systemd-analyze verify ${shellCommand(enabled.map((unit) => `/etc/systemd/system/${unit}`))} ||
    fail "systemd found a unit wrong (see above); nothing was enabled" "install what is missing, or correct omni.yaml and render again"
fi

if [ -n "$root" ]; then
  run systemctl --root="$root" enable ${shellCommand(enabled)}
else
  run systemctl daemon-reload
  run systemctl enable ${shellCommand(enabled)}
fi
echo "installed; start everything: systemctl start omni.target"
`;
