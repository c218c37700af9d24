/** Seventh part of the script: the commands. */
export const COMMANDS = `
usage() {
  cat <<'END'
usage: omni-switch [OPTION]... status | to-vfio | restore [CARD]...

CARD is a name or a PCI address of the table at the top of the script; all cards when none is given.

  status    what every function of a card is bound to, its IOMMU group, power state and users; changes nothing
  to-vfio   moves cards to vfio-pci, for a VM
  restore   moves cards back to a driver of the host

  --dry-run              says what would be done and touches nothing
  --stop-persistenced    stops nvidia-persistenced first, and starts it again for cards that stay
  --force-boot-vga       moves the card that the firmware booted with
  --force-control-nodes  takes processes that hold only /dev/nvidiactl and the like for users of other cards
  --force-no-driver      restore: a card without a driver at the end is no failure
  --help                 this text

Exit codes: 0 done or nothing to do, 1 failed on the way, 2 wrong usage, 3 refused for safety.
Root folders for trials: OMNI_SYSFS, OMNI_PROC, OMNI_DEV, OMNI_RUNTIME; OMNI_PATIENCE is in seconds.
END
}

# Sets $work to the functions that have to move and $allowed to all functions of the chosen cards.
survey() { # to-vfio or restore
  work=
  allowed=
  for slot in $slots; do
    find_card "$slot"
    functions_of "$slot" "$audio"
    allowed="$allowed $functions"
    for fn in $functions; do
      check_identity "$fn" || continue
      if ! driver_of "$fn" || ! override_of "$fn"; then
        refuse "$fn of $name: its driver or driver_override cannot be read" "what cannot be read is not known to be safe" "run as root; if you do: dmesg | grep $fn"
        continue
      fi
      case $1/$driver in
        to-vfio/vfio-pci) say "$fn ($name): already bound to vfio-pci" ;;
        to-vfio/*) work="$work $fn" ;;
        restore/vfio-pci) work="$work $fn" ;;
        *)
          # Nothing to give back, except for an override that an earlier run left, and a display without any driver.
          if [ -n "$override" ] || [ "$fn:$driver:$force_no_driver" = "$slot.0::no" ]; then
            work="$work $fn"
          else
            say "$fn ($name): not on vfio-pci, bound to \${driver:-no driver}"
          fi
          ;;
      esac
    done
  done
}

stop_if_refused() {
  if [ "$refusals" -gt 0 ]; then
    complain "nothing was moved ($refusals refused)"
    exit 3
  fi
}

prepare() { # to-vfio or restore
  survey "$1"
  if [ "$1" = to-vfio ] && [ -n "$work" ]; then
    check_iommu || :
    if [ ! -d "$pci/drivers/vfio-pci" ]; then
      refuse "the driver vfio-pci is not loaded" "$pci/drivers/vfio-pci is not there" "modprobe vfio-pci"
    fi
    groups=
    for fn in $work; do
      find_card "\${fn%.?}"
      check_group "$fn"
      check_boot_vga "$fn"
      note_console "$fn"
    done
  fi
  # shellcheck disable=SC2086 # addresses, one word each
  if [ -n "$work" ]; then judge_users $work; fi
  stop_if_refused
}

show_steps() { # to-vfio or restore
  for fn in $work; do
    find_card "\${fn%.?}"
    wake "$fn"
    driver_of "$fn" || driver=unreadable
    if [ "$1" = to-vfio ]; then
      if [ -e "$proc/driver/nvidia/gpus/$fn/unbindLock" ]; then say "would ask the NVIDIA driver for the unbindLock of $fn ($name)"; fi
      say "would move $fn ($name) from \${driver:-no driver} to vfio-pci"
    else
      say "would move $fn ($name) from \${driver:-no driver} back to the host (\${host_driver})"
    fi
  done
  if [ "$persistenced" = yes ]; then say "would stop nvidia-persistenced first"; fi
  stop_if_refused
  say "dry run: nothing was touched"
}

move_all() { # to-vfio or restore
  for fn in $work; do
    find_card "\${fn%.?}"
    if [ "$1" = to-vfio ]; then take_function "$fn" || return 1; else give_function "$fn" || return 1; fi
  done
  # A move can pull a neighbour along, so every function is looked at once more.
  for slot in $slots; do
    find_card "$slot"
    functions_of "$slot" "$audio"
    for fn in $functions; do
      if ! driver_of "$fn"; then driver=unreadable; fi
      case $1/$driver in
        to-vfio/vfio-pci) ;;
        restore/vfio-pci | to-vfio/* | */unreadable)
          failed "$fn of $name is bound to \${driver:-no driver} at the end" "another function's move changed it" "omni-switch status"
          return 1
          ;;
      esac
    done
  done
}

change() { # to-vfio or restore
  # Root alone sees all processes; on other roots than /sys there is nothing to protect.
  if [ "$sysfs" = /sys ] && [ "$(id -u)" != 0 ]; then
    refuse "not root" "only root may move devices and sees who uses them" "sudo omni-switch $1"
    exit 3
  fi
  trap 'stop_asked=yes' HUP INT TERM
  trap finish EXIT
  if [ "$dry_run" = no ]; then take_lock || exit 3; fi
  prepare "$1"
  if [ -z "$work" ]; then
    say "nothing to do"
    return 0
  fi
  if [ "$dry_run" = yes ]; then
    show_steps "$1"
    return 0
  fi
  for fn in $work; do
    find_card "\${fn%.?}"
    wake "$fn"
  done
  stop_if_refused
  # shellcheck disable=SC2086 # addresses, one word each
  quiet_persistenced $work
  stop_if_refused
  if [ "$1" = to-vfio ]; then
    for fn in $work; do
      driver_of "$fn" || driver=
      find_card "\${fn%.?}"
      if [ "$driver" = nvidia ]; then take_unbind_lock "$fn" || break; fi
    done
    stop_if_refused
  fi
  if ! move_all "$1"; then
    roll_back
    exit 1
  fi
  say "done"
}

status() {
  for slot in $slots; do
    find_card "$slot"
    functions_of "$slot" "$audio"
    printf '%s  %s\\n' "$slot" "$name"
    for fn in $functions; do
      if [ ! -e "$pci/devices/$fn" ]; then
        refuse "$fn of $name is not there" "$pci/devices/$fn does not exist" "lspci -D -d 10de:"
        continue
      fi
      driver_of "$fn" || driver=unreadable
      override_of "$fn" || override=unreadable
      group=$(readlink "$pci/devices/$fn/iommu_group") || group=none
      peek "$pci/devices/$fn/power_state" || value=unreadable
      printf '  %s  driver: %s, driver_override: %s, IOMMU group: %s, power: %s\\n' \\
        "$fn" "\${driver:-none}" "\${override:-none}" "\${group##*/}" "$value"
      case $driver$override$value in *unreadable*) refuse "$fn of $name: something cannot be read" "see the line above" "run as root" ;; esac
    done
    # shellcheck disable=SC2086 # addresses, one word each
    if ! scan_users $functions; then
      refuse "cannot see who uses $name" "$proc shows no process" "run as root on the host itself"
      continue
    fi
    while IFS="$tab" read -r line holder node; do
      if [ "$line" != user ] || ! name_user "$holder"; then continue; fi
      kind_of_node "\${node#"$dev"/}"
      if [ "$kind" != other ]; then printf '  used by PID %s (%s): %s\\n' "$pid" "$process" "$node"; fi
    done <<END
$users
END
  done
  if [ "$refusals" -gt 0 ]; then exit 3; fi
}
`;

/** Last part of the script: its words, and the start. */
export const MAIN = `
main() {
  command=
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --dry-run) dry_run=yes ;;
      --stop-persistenced) stop_persistenced=yes ;;
      --force-boot-vga) force_boot_vga=yes ;;
      --force-control-nodes) force_control_nodes=yes ;;
      --force-no-driver) force_no_driver=yes ;;
      --)
        shift
        break
        ;;
      -*) usage_error "unknown option $1" ;;
      *)
        if [ -n "$command" ]; then choose_card "$1"; else command=$1; fi
        ;;
    esac
    shift
  done
  case $patience in "" | *[!0-9]* | ??????*) usage_error "OMNI_PATIENCE is a whole number of seconds, not '$patience'" ;; esac
  settle=2000
  for card in "$@"; do choose_card "$card"; done
  if [ -z "$slots" ]; then each_card add_slot; fi
  if [ -z "$slots" ]; then usage_error "the table of cards is empty: give metal.gpus.NAME.pci in omni.yaml and render again"; fi
  case $command in
    status) status ;;
    to-vfio | restore) change "$command" ;;
    "") usage_error "a command is missing: status, to-vfio or restore" ;;
    *) usage_error "unknown command $command" ;;
  esac
}

main "$@"
`;
