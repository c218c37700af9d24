/** Third part of the script: what has to be true of a function before anything is written. */
export const PREFLIGHT = `
# The right device, alive: an address may mean another device after cards were moved between slots.
check_identity() { # function
  at=$pci/devices/$1
  if [ ! -e "$at" ]; then
    refuse "$1 of $name is not there" "$at does not exist" \\
      "compare lspci -D | grep -i nvidia with metal.gpus.$name (pci, audio) in omni.yaml; a card that fell off the bus comes back by power off and on"
    return 1
  fi
  read_value "$at/vendor" "$1" || return 1
  vendor=$value
  if [ "$vendor" != 0x10de ]; then
    refuse "$1 is no NVIDIA device" "its vendor is $vendor, not 0x10de; the table says that it is $name" \\
      "correct metal.gpus.$name.pci in omni.yaml: lspci -D -d 10de:"
    return 1
  fi
  read_value "$at/class" "$1" || return 1
  class=$value
  case $1/$class in
    *.0/0x0300?? | *.0/0x0302?? | *.1/0x0403?? | *.[2-7]/0x0c03?? | *.[2-7]/0x0c80??) ;;
    *)
      refuse "$1 of $name has class $class" \\
        "expected is 0x0300 or 0x0302 (display) for .0, 0x0403 (audio) for .1, 0x0c03 or 0x0c80 (USB) above" \\
        "correct metal.gpus.$name.pci in omni.yaml: lspci -D -nn -d 10de:"
      return 1
      ;;
  esac
  read_value "$at/device" "$1" || return 1
  id=10de:\${value#0x}
  case " $ids " in
    "  " | *" $id "*) ;;
    *)
      refuse "$1 is $id" "the table says that $name has only: $ids" \\
        "see which card it is: lspci -nn -s $1; correct pci or ids of metal.gpus.$name in omni.yaml"
      return 1
      ;;
  esac
  first=$(od -An -tx1 -N4 "$at/config" 2>/dev/null | tr -d ' \\n')
  case $first in
    de10????) ;;
    ffffffff)
      refuse "$1 of $name does not answer" "its configuration space reads ff: it has fallen off the bus" \\
        "power the machine off and on; a reset from here can lock up the host"
      return 1
      ;;
    *)
      refuse "$1 of $name: $at/config begins with '$first'" "an NVIDIA device begins with de10" \\
        "run as root; if you do: dmesg | grep $1"
      return 1
      ;;
  esac
}

check_iommu() {
  for entry in "$sysfs"/class/iommu/*; do
    if [ -e "$entry" ]; then return 0; fi
  done
  refuse "the IOMMU is off" "$sysfs/class/iommu is empty: a VM could not be kept out of the host's memory" \\
    "switch on IOMMU (AMD-Vi, VT-d) in the firmware; Intel before kernel 6.8 also needs intel_iommu=on"
  return 1
}

# All of a group goes to one VM or nothing does; bridges stay with the host.
check_group() { # function; $allowed are the functions that move
  members=$pci/devices/$1/iommu_group/devices
  group=$(readlink "$pci/devices/$1/iommu_group") || group=
  group=\${group##*/}
  if [ -z "$group" ] || [ ! -d "$members" ]; then
    refuse "$1 of $name has no IOMMU group" "$members is not there" "see that the IOMMU is on: dmesg | grep -i -e AMD-Vi -e DMAR"
    return 0
  fi
  case " $groups " in *" $group "*) return 0 ;; esac
  groups="$groups $group"
  for member in "$members"/*; do
    if [ -d "$member/pci_bus" ]; then continue; fi
    member=\${member##*/}
    case " $allowed " in
      *" $member "*) ;;
      *)
        if ! driver_of "$member"; then driver=unreadable; fi
        refuse "IOMMU group $group of $1 ($name) also has $member (driver: \${driver:-none})" \\
          "a group is handed to a VM as a whole, and $member is not among the cards that are moved now" \\
          "name its card too if it is one; else put the card into another slot, or see the firmware's ACS settings"
        ;;
    esac
  done
}

check_boot_vga() { # function
  at=$pci/devices/$1
  case $1 in *.0) ;; *) return 0 ;; esac
  read_value "$at/class" "$1" || return 0
  # A display controller without VGA (0x0302) has no such file and cannot be the console.
  case $value in 0x0300??) ;; *) return 0 ;; esac
  read_value "$at/boot_vga" "$1" || return 0
  if [ "$value" = 1 ] && [ "$force_boot_vga" = no ]; then
    refuse "$1 ($name) is the card that the firmware booted with" "the host's screen would go dark until a reboot" \\
      "choose another first display in the firmware, or pass --force-boot-vga where the host is reached by network"
  elif [ "$value" != 1 ] && [ "$value" != 0 ]; then
    refuse "$1 ($name): $at/boot_vga reads '$value'" "expected is 0 or 1" "dmesg | grep $1"
  fi
}

note_console() { # function
  for entry in "$pci/devices/$1/graphics"/fb*; do
    if [ -e "$entry" ]; then
      say "note: a framebuffer console (\${entry##*/}) is on $1 ($name) and holds its driver; if the unbind hangs or is refused: echo 0 > /sys/class/vtconsole/vtcon1/bind"
    fi
  done
}

# Awake, and kept awake: a card in D3 may never come back from it (vfio-pci's disable_idle_d3 is for the same reason).
wake() { # function
  at=$pci/devices/$1
  for setting in power/control=on d3cold_allowed=0; do
    read_value "$at/\${setting%=*}" "$1" || return 0
    if [ "$value" = "\${setting#*=}" ]; then continue; fi
    if [ "$dry_run" = yes ]; then
      say "would write \${setting#*=} to $at/\${setting%=*} (is $value)"
    elif ! write_value "$at/\${setting%=*}" "\${setting#*=}"; then
      refuse "$1 of $name: cannot write \${setting#*=} to $at/\${setting%=*}" "$reason" "run as root"
      return 0
    fi
  done
  read_value "$at/power_state" "$1" || return 0
  if [ "$value" != D0 ] && [ "$dry_run" = yes ]; then
    say "would wait until $1 is in power state D0 (is $value)"
    return 0
  fi
  waited=0
  while [ "$value" != D0 ] && [ "$waited" -lt "$settle" ]; do
    pause
    read_value "$at/power_state" "$1" || return 0
  done
  if [ "$value" != D0 ]; then
    refuse "$1 of $name is in power state $value" "only a device in D0 answers; it did not wake up within $((settle / 1000)) s" \\
      "power the machine off and on; bind it early with disable_idle_d3=1 (omni.yaml: passthrough.bind: early)"
  fi
}
`;
