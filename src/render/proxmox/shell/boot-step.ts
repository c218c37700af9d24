/** The steps that bring arguments onto the boot line of GRUB, systemd-boot or both. Reads LOADER. */
export const BOOT_STEPS = `
CMDLINE=$ROOT/etc/kernel/cmdline
RECORD=$STATE/kernel-arguments

# Sets loaders to the boot loaders that this host is really started by.
find_loaders() {
  loaders=''
  status=$(proxmox-boot-tool status 2>/dev/null || true)
  case $status in *'configured with:'*uefi*) loaders='systemd-boot' ;; esac
  case $status in *'configured with:'*grub*) loaders="\${loaders:+$loaders }grub" ;; esac
  if [ -z "$loaders" ] && command -v update-grub >/dev/null 2>&1; then loaders=grub; fi
  [ -n "$loaders" ] || refuse 'Neither proxmox-boot-tool nor GRUB manages the boot of this host.' 'See: proxmox-boot-tool status; efibootmgr -v'
  say "  this host boots by: $loaders"
  [ "$LOADER" = auto ] && return 0
  case " $loaders " in *" $LOADER "*) loaders=$LOADER ;;
  *) refuse "omni.yaml says boot.loader: $LOADER, and this host boots by $loaders: the boot line would never be read." "Write boot.loader: auto" ;;
  esac
}
boots_by() { case " $loaders " in *" $1 "*) return 0 ;; esac; return 1; }

# Sets merged to the line without what Omni added earlier and with what it adds now; added lists the latter.
merge_cmdline() {
  merged=" $(tr -s '[:space:]' ' ' <"$CMDLINE" | sed 's/^ //; s/ $//') "
  added=''
  if [ -f "$RECORD" ]; then
    while IFS= read -r group; do
      [ -n "$group" ] || continue
      case $merged in *" $group "*) merged="\${merged%%" $group "*} \${merged#*" $group "}" ;; esac
    done <"$RECORD"
  fi
  if asked_for etc/kernel/omni-cmdline; then
    while IFS= read -r group; do
      case $group in '' | '#'*) continue ;; esac
      case $merged in *" $group "*) continue ;; esac
      merged="$merged$group "
      added="$added$group
"
    done <"$HERE/etc/kernel/omni-cmdline"
  fi
  merged=\${merged# }
  merged=\${merged% }
}

# write_text TEXT FILE
write_text() {
  { printf '%s\\n' "$1" >"$2.omni-new" && mv -f "$2.omni-new" "$2"; } || fail "cannot write $2"
}

systemd_boot_line() {
  [ -f "$CMDLINE" ] || refuse "There is no $CMDLINE, and only the host knows its root=." 'Make it from /proc/cmdline first.'
  case " $(cat "$CMDLINE") " in *[[:space:]]root=*) ;; *) refuse "$CMDLINE has no root=: a line made from it would not boot." ;; esac
  merge_cmdline
  case " $merged " in *' root='*) ;; *) refuse "What Omni added earlier ($RECORD) would take root= out of $CMDLINE." "Look at both; remove $RECORD when it is wrong." ;; esac
  if asked_for etc/kernel/omni-cmdline; then warn_pages "$merged" "$(grep -v '^#' "$HERE/etc/kernel/omni-cmdline" | tr '\\n' ' ')"; fi
  if [ "$merged" = "$(cat "$CMDLINE")" ]; then
    say "  unchanged: $CMDLINE"
    return 0
  fi
  mark boot
  if [ "$dry_run" = yes ]; then
    say "  would change $CMDLINE"
    say "    from: $(cat "$CMDLINE")"
    say "    to:   $merged"
    return 0
  fi
  back_up "$CMDLINE"
  # The record first holds old and new, so that a run that stops here leaves nothing that nobody knows of.
  write_text "$(cat "$RECORD" 2>/dev/null || true)
$added" "$RECORD"
  write_text "$merged" "$CMDLINE"
  write_text "$added" "$RECORD"
  [ "$(cat "$CMDLINE")" = "$merged" ] || fail "$CMDLINE is not what was written"
  say "  written: $CMDLINE"
}

# warn_pages LINE OURS: the kernel takes the first count of a page size and ignores later ones (mm/hugetlb.c), so what the
# host had before stays in force.
warn_pages() {
  case " $2 " in *' hugepages='*) ;; *) return 0 ;; esac
  for word in $(printf '%s' "$1" | tr -s '[:space:]' '\\n' | grep '^hugepages=' || true); do
    case " $2 " in *" $word "*) ;; *) warn "The boot line has $word too, from before Omni; the kernel takes the first for a page size. Remove it from /etc/default/grub or $CMDLINE." ;; esac
  done
}

# The boot line as GRUB's generator will see it, from the same files in the same order.
grub_line() {
  (
    set +eu
    GRUB_CMDLINE_LINUX=''
    GRUB_CMDLINE_LINUX_DEFAULT=''
    # shellcheck disable=SC1090,SC1091
    for file in "$ROOT/etc/default/grub" "$ROOT"/etc/default/grub.d/*.cfg; do
      if [ -f "$file" ]; then . "$file"; fi
    done >/dev/null 2>&1
    printf '%s' "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT"
  )
}

verify_grub_line() {
  asked_for etc/default/grub.d/omni.cfg || return 0
  [ "$dry_run" = no ] || return 0
  want=$(
    GRUB_CMDLINE_LINUX_DEFAULT=''
    # shellcheck disable=SC1091
    . "$HERE/etc/default/grub.d/omni.cfg"
    printf '%s' "$GRUB_CMDLINE_LINUX_DEFAULT"
  )
  case " $(grub_line) " in
  *"$want "*) say "  boot line has:$want" ;;
  *) fail "another file of /etc/default/grub.d sets GRUB_CMDLINE_LINUX_DEFAULT after omni.cfg and drops:$want" ;;
  esac
  warn_pages "$(grub_line)" "$want"
}

boot_line_step() {
  if boots_by grub; then
    install_or_retire etc/default/grub.d/omni.cfg boot
    verify_grub_line
  fi
  if boots_by systemd-boot; then systemd_boot_line; fi
}

# Makes the boot files anew, once for kernel and boot line, and again when an earlier run stopped before it.
refresh_step() {
  if ! is_pending boot; then
    say '  nothing has changed'
    return 0
  fi
  if boots_by grub; then run update-grub; fi
  if boots_by systemd-boot; then run proxmox-boot-tool refresh; fi
  settled boot
}
`;
