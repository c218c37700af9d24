/** Second part of the script: how it speaks, and how it reads the machine. */
export const OBSERVE = `
tab=$(printf '\\t')
refusals=0
dry_run=no
stop_persistenced=no
force_boot_vga=no
force_control_nodes=no
force_no_driver=no
slots=
work=
touched=
granted=
locked=no
stuck=no
persistenced=no
persistenced_stopped=no
stop_asked=no

say() { printf '%s\\n' "omni-switch: $*"; }
complain() { printf '%s\\n' "omni-switch: $*" >&2; }

refuse() { # what, why, what to do
  refusals=$((refusals + 1))
  printf 'omni-switch: refused: %s\\n  why: %s\\n  do:  %s\\n' "$1" "$2" "$3" >&2
}

failed() { # what, why, what to do
  printf 'omni-switch: failed: %s\\n  why: %s\\n  do:  %s\\n' "$1" "$2" "$3" >&2
}

usage_error() {
  complain "$1"
  complain "omni-switch --help says how it is used."
  exit 2
}

# Sets $value to the first line of a file; 1 where there is none to read.
peek() { # file
  value=
  { IFS= read -r value || [ -n "$value" ]; } 2>/dev/null <"$1"
}

# The same for what has to be known: not knowing it is a refusal.
read_value() { # file, function
  if peek "$1"; then return 0; fi
  refuse "$2: cannot read $1" "what cannot be read is not known to be safe" \\
    "run as root; if you do, the device or its driver is not in order: dmesg | grep $2"
  return 1
}

# Sets $driver to the name of the driver that has the function, empty for none. The link comes and goes while it is
# looked at, so a second and third look decide.
driver_of() { # function
  for look in 1 2 3; do
    if driver=$(readlink "$pci/devices/$1/driver"); then
      driver=\${driver##*/}
      return 0
    fi
    driver=
    if [ ! -L "$pci/devices/$1/driver" ] && [ ! -e "$pci/devices/$1/driver" ]; then return 0; fi
  done
  : "$look"
  return 1
}

# Sets $override to the driver that the function is kept for, empty for none; the kernel writes (null) then.
override_of() { # function
  override=
  if ! peek "$pci/devices/$1/driver_override"; then return 1; fi
  if [ "$value" != "(null)" ]; then override=$value; fi
}

# An address as the kernel writes it, without the function: F1:00.0 is 0000:f1:00.
slot_of() {
  address=$(printf '%s' "$1" | tr 'A-F' 'a-f')
  case $address in *.[0-7]) address=\${address%.?} ;; esac
  case $address in [0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]) address=0000:$address ;; esac
  printf '%s' "$address"
}

match_card() { # name, slot, audio, driver, ids
  if [ "$1" = "$wanted" ] || [ "$2" = "$wanted_slot" ]; then
    name=$1
    slot=$2
    audio=$3
    host_driver=$4
    ids=$5
    found=yes
  fi
}

# Sets name, slot, audio, host_driver and ids of the card with this name or address; 1 where the table has none.
find_card() {
  wanted=$1
  wanted_slot=$(slot_of "$1")
  found=no
  each_card match_card
  [ "$found" = yes ]
}

add_slot() { # name, slot
  case " $slots " in *" $2 "*) ;; *) slots="\${slots:+$slots }$2" ;; esac
}

print_name() { printf '  %s  %s\\n' "$2" "$1" >&2; }

choose_card() {
  if ! find_card "$1"; then
    complain "no such card in the table: $1. These are in it:"
    each_card print_name
    usage_error "Only cards of omni.yaml are moved; add it there and render again."
  fi
  add_slot "$name" "$slot"
}

# Where every function of the chosen cards is now.
report_states() {
  for slot in $slots; do
    find_card "$slot"
    functions_of "$slot" "$audio"
    for fn in $functions; do
      if ! driver_of "$fn"; then driver="unreadable"; fi
      if ! override_of "$fn"; then override="unreadable"; fi
      printf '  %s  %s  driver: %s, driver_override: %s\\n' "$fn" "$name" "\${driver:-none}" "\${override:-none}" >&2
    done
  done
}
`;
