/**
 * What both scripts of a host begin with: talking, refusing, changing files with a backup, and dry runs that change
 * nothing. POSIX sh. OMNI_ROOT puts another folder before every path of the host, for trying a script out.
 */
export const PRELUDE = `
ROOT=\${OMNI_ROOT:-}
BACKUPS=$ROOT/var/backups/omni
dry_run=no
number=0

say() { printf '%s\\n' "$*"; }
warn() { printf 'warning: %s\\n' "$*" >&2; }

# The host or the request is not as it has to be: nothing more is changed.
refuse() {
  printf 'refused: %s\\n' "$1" >&2
  shift
  for hint in "$@"; do printf '  -> %s\\n' "$hint" >&2; done
  exit 3
}

# Something that was begun did not work. What is done stays done; the next run goes on from there.
fail() {
  printf 'failed: %s\\n' "$*" >&2
  exit 1
}

step() {
  number=$((number + 1))
  printf '\\n%s. %s\\n' "$number" "$1"
}

# Runs a command that changes something; a dry run prints it.
run() {
  if [ "$dry_run" = yes ]; then
    say "  would run: $*"
    return 0
  fi
  say "  $*"
  "$@" || fail "$* (exit $?)"
}

back_up() {
  [ -f "$1" ] || return 0
  copy=$BACKUPS\${1#"$ROOT"}
  mkdir -p "\${copy%/*}"
  count=1
  while [ -e "$copy.$count" ]; do count=$((count + 1)); done
  cp -p "$1" "$copy.$count" || fail "no backup of $1 could be made"
  say "  backup: $copy.$count"
}
`;

/** Both scripts change the host, so both look first whether they are where they belong. */
export const HOST_CHECK = `
check_host() {
  [ "$(id -u)" -eq 0 ] || refuse 'This changes the host and must run as root.' 'Run it in a root shell on the Proxmox host.'
  command -v pveversion >/dev/null 2>&1 || refuse 'This is no Proxmox VE host: there is no pveversion.'
  version=$(pveversion) || refuse 'pveversion does not work.'
  say "  $version"
  if [ -n "$ADDRESS" ] && [ "$elsewhere" = no ]; then
    mine="$(hostname -I 2>/dev/null || true) $(hostname 2>/dev/null || true) $(hostname -f 2>/dev/null || true)"
    case " $(printf '%s' "$mine" | tr -s '[:space:]' ' ') " in
    *" $ADDRESS "*) ;;
    *) refuse "omni.yaml says that $HOST is $ADDRESS, and this machine is $mine." 'Run it on that host, or pass --elsewhere when its address has changed.' ;;
    esac
  fi
}
`;
