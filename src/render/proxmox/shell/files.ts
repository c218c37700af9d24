/** Functions of the apply script that install files, take back Omni's own, and remember what still has to be done. */
export const FILES = `
STATE=$ROOT/var/lib/omni/proxmox

# A change with a mark counts only when the boot files are made anew and the host is started again. The mark outlives a run that stops in between.
mark() {
  changed=yes
  [ -n "$1" ] || return 0
  reboot=yes
  if [ "$dry_run" = yes ]; then
    pending="$pending $1"
    return 0
  fi
  mkdir -p "$STATE" || fail "cannot make $STATE"
  : >"$STATE/pending-$1" || fail "cannot write to $STATE"
}
is_pending() {
  [ -f "$STATE/pending-$1" ] && return 0
  case " $pending " in *" $1 "*) return 0 ;; esac
  return 1
}
settled() { [ "$dry_run" = yes ] || rm -f "$STATE/pending-$1"; }

asked_for() {
  case " $FILES " in *" $1 "*) return 0 ;; esac
  return 1
}

# place SOURCE TARGET MODE MARK: installs a file, aside first and then renamed.
place() {
  if [ -f "$2" ] && cmp -s "$1" "$2" && { [ "$3" != 0755 ] || [ -x "$2" ]; }; then
    say "  unchanged: $2"
    return 0
  fi
  mark "$4"
  if [ "$dry_run" = yes ]; then
    say "  would write: $2"
    if [ -f "$2" ]; then diff -u "$2" "$1" || true; else sed 's/^/    /' "$1"; fi
    return 0
  fi
  back_up "$2"
  mkdir -p "\${2%/*}" || fail "cannot make the folder of $2"
  { cp "$1" "$2.omni-new" && chmod "$3" "$2.omni-new" && mv -f "$2.omni-new" "$2"; } || fail "cannot write $2"
  cmp -s "$1" "$2" || fail "$2 is not what was written"
  say "  written: $2"
}

# retire TARGET MARK: takes back a file of Omni's own that is not asked for any more.
retire() {
  [ -f "$1" ] || return 0
  case $(head -n 2 "$1") in *"$OWN"*) ;; *) return 0 ;; esac
  mark "$2"
  if [ "$dry_run" = yes ]; then
    say "  would remove, not asked for any more: $1"
    return 0
  fi
  back_up "$1"
  rm -f "$1" || fail "cannot remove $1"
  say "  removed, not asked for any more: $1"
}

# install_or_retire PATH MARK
install_or_retire() {
  if asked_for "$1"; then place "$HERE/$1" "$ROOT/$1" 0644 "$2"; else retire "$ROOT/$1" "$2"; fi
}
`;
