#!/bin/sh
# install.sh: puts the units beside it into place, lets systemd check them, and enables them. It starts nothing.
# Rendered by Omni from omni.yaml. Run it on the machine itself, as root:
#
#   sh install.sh --dry-run          every command, and none of them run
#   sh install.sh                    install, check, enable
#   sh install.sh --root DIR         the same below another root, such as a mounted image
#   sh install.sh --spec FILE        the omni.yaml that Omni runs here
#
# It may be run again at any time; files with secrets that are there already stay as they are.
set -eu

usage() { echo "usage: sh install.sh [--dry-run] [--root DIR] [--spec FILE]"; }

fail() { # what is wrong, what to do
  echo "install.sh: $1" >&2
  echo "  do: $2" >&2
  exit 1
}

dry_run=no
root=
spec=
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=yes ;;
    --root)
      if [ $# -lt 2 ]; then
        usage >&2
        exit 2
      fi
      root=${2%/}
      shift
      ;;
    --spec)
      if [ $# -lt 2 ]; then
        usage >&2
        exit 2
      fi
      spec=$2
      shift
      ;;
    --help | -h)
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

if [ -z "$root" ] && [ "$dry_run" = no ] && [ "$(id -u)" != 0 ]; then
  fail "only root may write to /etc/systemd/system" "run it with sudo, or look first: sh $0 --dry-run"
fi
if [ "$dry_run" = no ] && [ ! -x "$root/usr/local/bin/omni" ]; then
  fail "$root/usr/local/bin/omni is not there, and a unit starts it" "ln -s /opt/omni/omni /usr/local/bin/omni   # the launcher of Omni's repository, readable for all"
fi
# What Omni runs: the owner's spec. Relative paths in it count from /etc/omni.
if [ -n "$spec" ]; then
  run install -D -m 0644 "$spec" "$root/etc/omni/omni.yaml"
elif [ "$dry_run" = no ] && [ ! -e "$root/etc/omni/omni.yaml" ]; then
  fail "$root/etc/omni/omni.yaml is not there" "sh $0 --spec omni.yaml"
fi

# Units, and the scripts that they call.
copy 0644 omni.service /etc/systemd/system
copy 0644 omni.target /etc/systemd/system
copy 0644 omni.slice /etc/systemd/system
copy 0755 wait-ready /usr/local/lib/omni
# Secrets: made once with mode 0600, then the owner's.
secrets() { # unit
  if [ ! -e "$root/etc/omni/$1.env" ]; then
    run install -D -m 0600 "$here/$1.env.example" "$root/etc/omni/$1.env"
    echo "write the secrets into $root/etc/omni/$1.env before you start $1"
  fi
}
secrets omni

# systemd's own checker, once everything that the units name is in place.
if [ -z "$root" ] && command -v systemd-analyze >/dev/null 2>&1; then
  run systemd-analyze verify /etc/systemd/system/omni.service /etc/systemd/system/omni.target ||
    fail "systemd found a unit wrong (see above); nothing was enabled" "install what is missing, or correct omni.yaml and render again"
fi

if [ -n "$root" ]; then
  run systemctl --root="$root" enable omni.service omni.target
else
  run systemctl daemon-reload
  run systemctl enable omni.service omni.target
fi
echo "installed; start everything: systemctl start omni.target"
