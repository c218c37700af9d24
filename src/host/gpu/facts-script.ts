/** End of the script that only looks: one line a fact, its words between tabs. Reads with the functions of omni-switch. */
export const FACTS = `
fact() {
  line=$1
  shift
  for word in "$@"; do line="$line$tab$word"; done
  printf '%s\\n' "$line"
}

# What a file says, empty where it cannot be read.
told() {
  value=
  peek "$1" || :
}

function_facts() { # function
  at=$pci/devices/$1
  if [ ! -e "$at" ]; then
    fact function "$1" no
    return 0
  fi
  driver_of "$1" || driver=unreadable
  override_of "$1" || override=unreadable
  group=$(readlink "$at/iommu_group") || group=
  told "$at/power_state"
  power=$value
  told "$at/reset_method"
  resets=$value
  told "$at/numa_node"
  node=$value
  told "$at/boot_vga"
  fact function "$1" yes "$driver" "$override" "\${group##*/}" "$power" "$resets" "$node" "$value"
  for member in "$at"/iommu_group/devices/*; do
    if [ ! -e "$member" ] || [ -d "$member/pci_bus" ]; then continue; fi
    member=\${member##*/}
    case $member in "\${1%.?}".*) continue ;; esac
    driver_of "$member" || driver=unreadable
    fact sibling "$1" "$member" "$driver"
  done
}

user_facts() { # functions; $slot
  if ! scan_users "$@"; then
    fact blind "$slot"
    return 0
  fi
  while IFS="$tab" read -r line holder node; do
    case $line in
      user) ;;
      "" | *": No such file or directory") continue ;;
      *)
        fact blind "$slot"
        continue
        ;;
    esac
    kind_of_node "\${node#"$dev"/}"
    if [ "$kind" = other ] || ! name_user "$holder"; then continue; fi
    fact user "$slot" "$pid" "$process" "$node" "$kind"
  done <<END
$users
END
}

lock_facts() {
  lock=$runtime/omni-switch.lock
  if [ ! -d "$lock" ]; then return 0; fi
  if peek "$lock/stuck"; then
    fact lock stuck "$value"
  elif peek "$lock/pid" && kill -0 "$value" 2>/dev/null; then
    fact lock running "$value"
  else
    fact lock dead "\${value:-unknown}"
  fi
}

# Nothing here waits for anything.
settle=0
told "$proc/sys/kernel/random/boot_id"
fact boot "$value"
lock_facts
each_card add_slot
for slot in $slots; do
  find_card "$slot"
  functions_of "$slot" "$audio"
  uuid=$(sed -n 's/^GPU UUID:[[:space:]]*\\(GPU-[0-9a-f-]*\\).*/\\1/p' "$proc/driver/nvidia/gpus/$slot.0/information" 2>/dev/null) || uuid=
  fact card "$slot" "$name" "$uuid"
  for fn in $functions; do function_facts "$fn"; done
  # shellcheck disable=SC2086 # addresses, one word each
  user_facts $functions
done
`;

/** Lists NVIDIA's display functions: address, vendor and device, whether an audio function stands beside. */
export const LIST = `set -eu
LC_ALL=C
export LC_ALL
devices=\${OMNI_SYSFS:-/sys}/bus/pci/devices
if [ ! -d "$devices" ]; then
  echo "omni: there is no $devices: this host has no PCI bus" >&2
  exit 0
fi
for at in "$devices"/*.0; do
  if [ ! -e "$at/vendor" ] || [ -e "$at/physfn" ]; then continue; fi
  if [ "$(cat "$at/vendor")" != 0x10de ]; then continue; fi
  case $(cat "$at/class") in 0x0300* | 0x0302*) ;; *) continue ;; esac
  audio=no
  if [ -e "\${at%.0}.1" ]; then audio=yes; fi
  printf '%s %s %s\\n' "\${at##*/}" "$(cat "$at/device")" "$audio"
done
`;
