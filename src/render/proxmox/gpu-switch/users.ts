/** Fourth part of the script: who uses the cards. A driver cannot let go of a device that a program holds open. */
export const USERS = `
# Sets $users to lines "user, /proc/PID/fd, node" for the device nodes of these functions, and $minors to the numbers of
# their /dev/nvidiaN. Complaints of find are among the lines, so that no blind spot goes unseen.
scan_users() { # functions
  scanned=$*
  minors=
  minor_unknown=no
  # A writer of an earlier run that is still stuck holds one of these two open.
  set -- -lname "$pci/drivers/*bind" -o -lname "$pci/drivers_probe"
  for fn in $scanned; do
    at=$pci/devices/$fn
    driver_of "$fn" || return 1
    if [ "$driver" = nvidia ]; then
      set -- "$@" -o -lname "$dev/nvidia*"
      minor=$(sed -n 's/^Device Minor:[[:space:]]*\\([0-9][0-9]*\\).*/\\1/p' "$proc/driver/nvidia/gpus/$fn/information" 2>/dev/null) || minor=
      if [ -n "$minor" ]; then minors="$minors $minor "; else minor_unknown=yes; fi
    fi
    for entry in "$at"/drm/card* "$at"/drm/renderD* "$at"/sound/card* "$at"/vfio-dev/vfio*; do
      if [ ! -e "$entry" ]; then continue; fi
      node=\${entry##*/}
      case $entry in
        */drm/*) set -- "$@" -o -lname "$dev/dri/$node" ;;
        */sound/*) set -- "$@" -o -lname "$dev/snd/*C\${node#card}" -o -lname "$dev/snd/*C\${node#card}D*" ;;
        *) set -- "$@" -o -lname "$dev/vfio/devices/$node" ;;
      esac
    done
    if group=$(readlink "$at/iommu_group"); then set -- "$@" -o -lname "$dev/vfio/\${group##*/}"; fi
  done
  users=$(find "$proc"/[0-9]*/fd -maxdepth 1 -type l \\( "$@" \\) -printf 'user\\t%h\\t%l\\n' 2>&1 | sort -u)
  # Without a single process to look at, this is no view of the machine at all.
  for entry in "$proc"/[0-9]*/fd; do
    if [ -d "$entry" ]; then return 0; fi
  done
  return 1
}

# Sets $pid and $process of a user; 1 when it has ended meanwhile.
name_user() { # /proc/PID/fd
  pid=\${1%/fd}
  pid=\${pid##*/}
  process=$(sed -n 's/^Name:[[:space:]]*//p' "$proc/$pid/status" 2>/dev/null) || process=
  if [ -z "$process" ]; then
    if [ ! -e "$proc/$pid" ]; then return 1; fi
    process="name unreadable"
  fi
}

# Whether a node has to do with the cards that move; control nodes belong to all NVIDIA cards together.
kind_of_node() { # node below /dev
  case $1 in
    vfio/*) kind=vm ;;
    dri/* | snd/*) kind=own ;;
    nvidia[0-9]*)
      kind=own
      if [ "$minor_unknown" = no ]; then
        case "$minors" in *" \${1#nvidia} "*) ;; *) kind=other ;; esac
      fi
      ;;
    nvidia*) kind=control ;;
    *) kind=writer ;;
  esac
}

# Refuses for every process that stands in the way. persistenced is told apart, because it is a service of the host.
judge_users() { # functions
  persistenced=no
  if ! scan_users "$@"; then
    refuse "cannot see who uses the cards" "$proc shows no process, or a driver link in $sysfs cannot be read" "run as root on the host itself"
    return 0
  fi
  while IFS="$tab" read -r line holder node; do
    case $line in
      user) ;;
      "" | *": No such file or directory") continue ;; # a process that ended while it was looked at
      *)
        refuse "cannot see who uses the cards" "$line" "run as root on the host itself"
        continue
        ;;
    esac
    kind_of_node "\${node#"$dev"/}"
    if [ "$kind" = other ] || ! name_user "$holder"; then continue; fi
    judge_user
  done <<END
$users
END
}

judge_user() { # of $pid, $process, $node, $kind
  if grep -qs '^State:[[:space:]]*D' "$proc/$pid/status" "$proc/$pid"/task/*/status; then
    refuse "PID $pid ($process) sleeps inside the kernel (state D) with $node open" \\
      "no signal ends it, kill -9 neither, and unbinding a driver under it never returns" \\
      "look at cat /proc/$pid/stack and dmesg; if it stays so, reboot the host"
    return 0
  fi
  case $process in
    nvidia-persiste*)
      if [ "$stop_persistenced" = no ]; then
        refuse "PID $pid ($process) holds $node" "nvidia-persistenced keeps the driver initialised on purpose" \\
          "systemctl stop nvidia-persistenced, or pass --stop-persistenced (it is started again for cards that stay)"
      fi
      persistenced=yes
      return 0
      ;;
  esac
  case $kind in
    vm)
      vm=$(tr '\\0' ' ' 2>/dev/null <"$proc/$pid/cmdline" | sed -n 's/.* -id \\([0-9][0-9]*\\) .*/\\1/p')
      refuse "PID $pid ($process) holds $node: a running VM has the card" "taking it away would crash the VM" \\
        "shut the VM down first: qm shutdown \${vm:-ID}"
      ;;
    writer)
      refuse "PID $pid ($process) is writing to $node" "a driver is being bound or unbound right now, perhaps by a stuck run" \\
        "wait for it; if it never ends, reboot the host"
      ;;
    control)
      if [ "$force_control_nodes" = yes ] && [ "$minor_unknown" = no ]; then return 0; fi
      refuse "PID $pid ($process) holds $node" "this node belongs to all NVIDIA cards, so the process may use the ones that move" \\
        "stop it: ps -fp $pid; if it surely uses only cards that stay, pass --force-control-nodes"
      ;;
    *)
      refuse "PID $pid ($process) holds $node" "a driver does not let go of a card that is open; unbinding would hang" \\
        "stop it: ps -fp $pid, then systemctl stop its service, or kill $pid"
      ;;
  esac
}
`;
