/** Fifth part of the script: the lock against a second run, and writes that may never return. */
export const WRITES = `
# Two runs at a time would undo each other. A lock whose run is gone is left for a person: that run died half-way.
take_lock() {
  lock=$runtime/omni-switch.lock
  if mkdir "$lock" 2>/dev/null; then
    locked=yes
    echo "$$" >"$lock/pid"
    return 0
  fi
  if [ ! -d "$lock" ]; then
    refuse "cannot make the lock $lock" "without it two runs could undo each other" "run as root; see that $runtime is there"
    return 1
  fi
  if peek "$lock/stuck"; then
    refuse "an earlier run is stuck" "its writer, PID $value, has not come back from the kernel" \\
      "see cat /proc/$value/stack and dmesg; if it stays so, reboot the host (that removes $lock too)"
  elif peek "$lock/pid" && ! kill -0 "$value" 2>/dev/null; then
    refuse "an earlier run (PID $value) ended without tidying up" "$lock is still there, so cards may be half moved" \\
      "look with omni-switch status, then: rm -r $lock"
  else
    refuse "another run is moving cards" "$lock belongs to PID \${value:-unknown}" "wait until it is done"
  fi
  return 1
}

pause() {
  sleep 0.05 || :
  waited=$((waited + 50))
}

# Writes $2 to the file $1 in a child: a driver that does not let go keeps its writer inside the kernel, where no signal
# ends it. Returns 1 with $reason where the kernel refused. A child that does not come back ends the run, see stuck.
write_value() { # file, value
  : >"$lock/result"
  (
    trap '' HUP INT TERM
    result=refused
    if printf '%s\\n' "$2" >"$1"; then result=written; fi
    echo "$result" >"$lock/result"
  ) </dev/null >/dev/null 2>"$lock/reason" &
  writer=$!
  waited=0
  while [ ! -s "$lock/result" ]; do
    if [ "$waited" -ge "$((patience * 1000))" ]; then stuck "$1" "$2"; fi
    sleep 0.02 || :
    waited=$((waited + 20))
  done
  wait "$writer" || :
  if peek "$lock/result" && [ "$value" = written ]; then return 0; fi
  if peek "$lock/reason"; then reason=$value; else reason="the kernel refused the write"; fi
  return 1
}

# Never kill -9 and go on: the device's lock inside the kernel is held, and the next write would hang as well.
stuck() { # file, value
  stuck=yes
  echo "$writer" >"$lock/stuck"
  failed "writing $2 to $1 has not returned within $patience s; stopped here, nothing further was done" \\
    "PID $writer waits inside the kernel: the driver does not let go, because something still uses the card" \\
    "see cat /proc/$writer/stack and dmesg; stop what uses the card, then omni-switch status. Do not kill -9; if it stays so, reboot"
  report_states
  exit 1
}

# On every way out: NVIDIA's locks are given back, persistenced runs again for cards that stay, the lock is gone.
# After a stuck write nothing is touched any more, and the lock stays.
finish() {
  status=$?
  trap - EXIT
  if [ "$locked" = yes ] && [ "$stuck" = no ]; then
    for fn in $granted; do
      if [ -e "$proc/driver/nvidia/gpus/$fn/unbindLock" ]; then
        write_value "$proc/driver/nvidia/gpus/$fn/unbindLock" 0 || complain "could not give back the unbindLock of $fn: $reason"
      fi
    done
    start_persistenced
    rm -f "$lock"/*
    rmdir "$lock" || :
  fi
  exit "$status"
}

quiet_persistenced() { # functions
  if [ "$persistenced" = no ] || [ "$stop_persistenced" = no ]; then return 0; fi
  say "stopping nvidia-persistenced"
  persistenced_stopped=yes
  if ! systemctl stop nvidia-persistenced.service; then
    refuse "nvidia-persistenced does not stop" "systemctl stop said why" "systemctl status nvidia-persistenced"
    return 0
  fi
  # It may have been the only one that was seen: look once more, now without an exception for it.
  stop_persistenced=no
  judge_users "$@"
}

start_persistenced() {
  if [ "$persistenced_stopped" = no ]; then return 0; fi
  for entry in "$pci"/drivers/nvidia/*:*; do
    if [ -e "$entry" ]; then
      say "starting nvidia-persistenced again for the cards that stay with the nvidia driver"
      systemctl start nvidia-persistenced.service || complain "nvidia-persistenced does not start: systemctl status nvidia-persistenced"
      return 0
    fi
  done
}
`;
