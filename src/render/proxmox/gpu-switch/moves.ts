/** Sixth part of the script: one function from one driver to another, and back when something fails. */
export const MOVES = `
# NVIDIA's driver grants this lock when nobody uses the card, and then lets nobody begin to.
take_unbind_lock() { # function
  file=$proc/driver/nvidia/gpus/$1/unbindLock
  if [ ! -e "$file" ]; then return 0; fi
  spent=0
  for delay in 100 200 400 800 1600 3200 6400 12800 25600 51200; do
    if ! write_value "$file" 1; then
      refuse "$1 of $name: cannot write 1 to $file" "$reason" "run as root"
      return 1
    fi
    if peek "$file" && [ "\${value#"\${value%%[! ]*}"}" = 1 ]; then
      granted="$granted $1"
      return 0
    fi
    spent=$((spent + delay))
    if [ "$spent" -gt "$((patience * 1000))" ]; then break; fi
    complain "$1 of $name: NVIDIA's driver has not granted unbindLock yet, next try in $delay ms"
    sleep "$((delay / 1000)).$((delay % 1000 / 100))" || :
  done
  refuse "$1 of $name: NVIDIA's driver does not grant unbindLock" "$file reads '$value' after every write of 1: the card is in use" \\
    "find who: nvidia-smi, fuser -v /dev/nvidia*; stop it and run again"
  return 1
}

# Waits a moment until the function has this driver ("" for none); stops at once where it got another.
await_driver() { # function, driver
  waited=0
  while :; do
    if ! driver_of "$1"; then return 1; fi
    if [ "$driver" = "$2" ]; then return 0; fi
    if [ -n "$2" ] && [ -n "$driver" ]; then return 1; fi
    if [ "$waited" -ge "$settle" ]; then return 1; fi
    pause
  done
}

# Remembers where a function was, so that a failure can be undone.
remember() { # function
  if ! driver_of "$1" || ! override_of "$1"; then
    failed "$1 of $name: its driver or driver_override cannot be read" "without it nothing could be undone" "dmesg | grep $1"
    return 1
  fi
  printf '%s\\n' "\${driver:-none}" >"$lock/$1.driver"
  printf '%s\\n' "\${override:-none}" >"$lock/$1.override"
  touched="$1 $touched"
}

unbind() { # function
  driver_of "$1" || return 1
  if [ -z "$driver" ]; then return 0; fi
  from=$driver
  say "$1: unbinding from $from"
  if ! write_value "$pci/devices/$1/driver/unbind" "$1"; then
    failed "$1: $from did not let go" "$reason" "dmesg | grep $1"
    return 1
  fi
  if ! await_driver "$1" ""; then
    failed "$1: still bound to \${driver:-an unreadable driver} after unbind" "the driver did not let go" "dmesg | grep $1"
    return 1
  fi
}

probe() { # function
  if ! write_value "$pci/drivers_probe" "$1"; then
    failed "$1: the kernel refused to look for a driver" "$reason" "dmesg | grep $1"
    return 1
  fi
}

take_function() { # function: to vfio-pci
  if [ "$stop_asked" = yes ]; then
    failed "stopped before $1" "a signal asked for it" "run again when it suits"
    return 1
  fi
  remember "$1" || return 1
  if [ -n "$override" ] && [ "$override" != vfio-pci ]; then say "note: $1 was kept for $override by driver_override"; fi
  if ! write_value "$pci/devices/$1/driver_override" vfio-pci; then
    failed "$1: cannot write driver_override" "$reason" "dmesg | grep $1"
    return 1
  fi
  unbind "$1" || return 1
  probe "$1" || return 1
  if ! await_driver "$1" vfio-pci && [ -z "$driver" ]; then
    say "$1: drivers_probe left it without a driver, binding directly"
    write_value "$pci/drivers/vfio-pci/bind" "$1" || complain "$1: vfio-pci refused: $reason"
    await_driver "$1" vfio-pci || :
  fi
  if [ "$driver" != vfio-pci ]; then
    failed "$1 of $name is bound to \${driver:-no driver} and not to vfio-pci" "the kernel chose so after driver_override and drivers_probe" "dmesg | grep $1"
    return 1
  fi
  say "$1: bound to vfio-pci"
}

give_function() { # function: back to the host
  if [ "$stop_asked" = yes ]; then
    failed "stopped before $1" "a signal asked for it" "run again when it suits"
    return 1
  fi
  remember "$1" || return 1
  if [ "$driver" = vfio-pci ]; then unbind "$1" || return 1; fi
  if [ -n "$override" ] && ! write_value "$pci/devices/$1/driver_override" ""; then
    failed "$1: cannot clear driver_override" "$reason" "dmesg | grep $1"
    return 1
  fi
  driver_of "$1" || return 1
  if [ -z "$driver" ]; then
    probe "$1" || return 1
    prefer=$host_driver
    case $1 in *.0) ;; *) prefer=any ;; esac
    if [ "$prefer" = any ]; then await_any "$1"; else await_driver "$1" "$prefer" || :; fi
  fi
  # vfio-pci takes a card back at once where its ids= name it; the host's driver can still be asked by name.
  if [ "$driver" = vfio-pci ] && [ "$1" = "$slot.0" ]; then
    case $host_driver in any) prefer=nvidia ;; *) prefer=$host_driver ;; esac
    if [ -d "$pci/drivers/$prefer" ]; then
      say "$1: vfio-pci took it again by its ids=, asking $prefer directly"
      unbind "$1" || return 1
      write_value "$pci/drivers/$prefer/bind" "$1" || complain "$1: $prefer refused: $reason"
      await_driver "$1" "$prefer" || :
    fi
  fi
  verify_host "$1"
}

await_any() { # function
  waited=0
  while driver_of "$1" && [ -z "$driver" ] && [ "$waited" -lt "$settle" ]; do pause; done
}

# Display functions need a driver of the host; an audio function may stay without one, many hosts load none.
verify_host() { # function
  if ! driver_of "$1"; then
    failed "$1 of $name: its driver cannot be read" "the link $pci/devices/$1/driver is broken" "dmesg | grep $1"
    return 1
  fi
  case $1/$driver in
    */vfio-pci)
      failed "$1 of $name is bound to vfio-pci again" "its id is among vfio-pci's ids= (modprobe.d or the boot line)" \\
        "take the id out there and reboot, or leave the card to the VM"
      return 1
      ;;
    *.0/)
      if [ "$force_no_driver" = yes ]; then return 0; fi
      failed "$1 of $name has no driver" "no driver of the host took it: its module is not loaded, or is blacklisted" \\
        "modprobe nvidia (or \${host_driver#any}) and run again; --force-no-driver leaves it without one"
      return 1
      ;;
    *.0/*)
      if [ "$host_driver" != any ] && [ "$driver" != "$host_driver" ]; then
        failed "$1 of $name is bound to $driver and not to $host_driver" "the kernel found $driver first" "modprobe $host_driver; see blacklists in /etc/modprobe.d"
        return 1
      fi
      ;;
  esac
  say "$1: bound to \${driver:-no driver, which is fine for this function}"
}

# Puts every function that was touched back where it was, the last one first.
roll_back() {
  undone=yes
  if [ -n "$touched" ]; then complain "rolling back"; fi
  for fn in $touched; do
    undo "$fn" || undone=no
  done
  if [ "$undone" = yes ]; then
    complain "every function is where it was before this run:"
  else
    complain "NOT everything could be rolled back; this is where the functions are:"
  fi
  report_states
}

undo() { # function
  peek "$lock/$1.driver" || return 1
  before=\${value#none}
  peek "$lock/$1.override" || return 1
  kept=\${value#none}
  driver_of "$1" || return 1
  if [ "$driver" != "$before" ]; then unbind "$1" || return 1; fi
  write_value "$pci/devices/$1/driver_override" "$kept" || return 1
  driver_of "$1" || return 1
  if [ "$driver" = "$before" ]; then return 0; fi
  probe "$1" || return 1
  if await_driver "$1" "$before"; then return 0; fi
  if [ -n "$driver" ]; then unbind "$1" || return 1; fi
  write_value "$pci/drivers/$before/bind" "$1" || return 1
  await_driver "$1" "$before"
}
`;
