/**
 * End of the script that puts functions back as a record has them: words ADDRESS,DRIVER,OVERRIDE with - for none. The same
 * reading, refusing, locking and writing as omni-switch; other than there, a failure does not undo what is back already.
 */
export const PUT_BACK = `
# The lock of a run that is gone: the record of that run is what is being undone, so its lock has no more to protect.
clear_dead_lock() {
  lock=$runtime/omni-switch.lock
  if [ ! -d "$lock" ] || [ -e "$lock/stuck" ]; then return 0; fi
  if peek "$lock/pid"; then
    if kill -0 "$value" 2>/dev/null; then return 0; fi
  elif [ -z "$(find "$lock" -maxdepth 0 -mmin +1)" ]; then
    return 0
  fi
  dead=$value
  # Renamed first: of two that clear at once only one has it, and gives back what turns out to be another run's.
  if ! mv "$lock" "$lock.$$" 2>/dev/null; then return 0; fi
  peek "$lock.$$/pid" || :
  if [ "$value" = "$dead" ]; then
    rm -r "$lock.$$"
    say "cleared the lock of an earlier run (PID \${dead:-unknown}) that ended without tidying up"
  else
    mv "$lock.$$" "$lock"
  fi
}

# Sets fn, before and kept of a record, empty for none.
read_record() {
  fn=\${1%%,*}
  kept=\${1##*,}
  before=\${1#*,}
  before=\${before%,*}
  before=\${before#-}
  kept=\${kept#-}
}

survey_records() {
  work=
  moves=
  for record in "$@"; do
    read_record "$record"
    if ! find_card "\${fn%.?}"; then usage_error "no such card: $fn"; fi
    add_slot "$name" "$slot"
    check_identity "$fn" || continue
    if ! driver_of "$fn" || ! override_of "$fn"; then
      refuse "$fn of $name: its driver or driver_override cannot be read" "what cannot be read is not known to be safe" "dmesg | grep $fn"
      continue
    fi
    if [ "$driver" = "$before" ] && [ "$override" = "$kept" ]; then
      say "$fn ($name): as it was, bound to \${driver:-no driver}"
      continue
    fi
    if [ -n "$before" ] && [ "$driver" != "$before" ] && [ ! -d "$pci/drivers/$before" ]; then
      refuse "$fn of $name was bound to $before" "that driver is not loaded any more" "modprobe $before"
      continue
    fi
    work="$work $fn"
    if [ "$driver" = "$before" ]; then continue; fi
    moves="$moves $fn"
    if [ "$before" = vfio-pci ]; then check_boot_vga "$fn"; fi
  done
  # shellcheck disable=SC2086 # addresses, one word each
  if [ -n "$moves" ]; then judge_users $moves; fi
}

put_one_back() { # record
  read_record "$1"
  case " $work " in *" $fn "*) ;; *) return 0 ;; esac
  find_card "\${fn%.?}"
  if [ -e "$proc/driver/nvidia/gpus/$fn/unbindLock" ]; then granted="$granted $fn"; fi
  remember "$fn" || return 1
  printf '%s\\n' "\${before:-none}" >"$lock/$fn.driver"
  printf '%s\\n' "\${kept:-none}" >"$lock/$fn.override"
  wanted_driver=$before
  wanted_override=$kept
  if ! undo "$fn" || ! driver_of "$fn" || ! override_of "$fn" ||
    [ "$driver" != "$wanted_driver" ] || [ "$override" != "$wanted_override" ]; then
    failed "$fn of $name could not be put back to \${wanted_driver:-no driver}" "it is bound to \${driver:-no driver}\${reason:+; $reason}" "dmesg | grep $fn"
    return 1
  fi
  say "$fn: bound to \${driver:-no driver}, as before"
}

put_back() { # records
  if [ "$sysfs" = /sys ] && [ "$(id -u)" != 0 ]; then
    refuse "not root" "only root may move devices and sees who uses them" "run it as root"
    exit 3
  fi
  trap 'stop_asked=yes' HUP INT TERM
  trap finish EXIT
  reason=
  persistenced=no
  if [ "$dry_run" = no ]; then
    clear_dead_lock
    take_lock || exit 3
  fi
  survey_records "$@"
  stop_if_refused
  if [ -z "$work" ]; then
    say "nothing to do"
    return 0
  fi
  if [ "$dry_run" = yes ]; then
    for record in "$@"; do
      read_record "$record"
      case " $work " in *" $fn "*) say "would put $fn back to \${before:-no driver} (driver_override: \${kept:-none})" ;; esac
    done
    say "dry run: nothing was touched"
    return 0
  fi
  for fn in $moves; do
    find_card "\${fn%.?}"
    wake "$fn"
  done
  stop_if_refused
  # shellcheck disable=SC2086 # addresses, one word each
  quiet_persistenced $moves
  stop_if_refused
  for fn in $moves; do
    driver_of "$fn" || driver=
    find_card "\${fn%.?}"
    if [ "$driver" = nvidia ]; then take_unbind_lock "$fn" || break; fi
  done
  stop_if_refused
  undone=yes
  for record in "$@"; do
    put_one_back "$record" || undone=no
  done
  if [ "$undone" = no ]; then
    complain "NOT everything is back; this is where the functions are:"
    report_states
    exit 1
  fi
  say "done"
}

while :; do
  case \${1-} in
    --dry-run) dry_run=yes ;;
    --force-boot-vga) force_boot_vga=yes ;;
    --force-control-nodes) force_control_nodes=yes ;;
    --stop-persistenced) stop_persistenced=yes ;;
    *) break ;;
  esac
  shift
done
case $patience in "" | *[!0-9]* | ??????*) usage_error "OMNI_PATIENCE is a whole number of seconds, not '$patience'" ;; esac
settle=2000
put_back "$@"
`;
