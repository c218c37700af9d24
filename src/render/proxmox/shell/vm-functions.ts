/** Functions of the VM script: what is there is read, compared and changed only where it differs. */
export const VM_FUNCTIONS = `
DEVICES=$ROOT/sys/bus/pci/devices
NEWLINE='
'

# Reads the VM's configuration once; each change reads it again.
look() { if conf=$(qm config "$VMID" 2>/dev/null); then exists=yes; else exists=no conf=''; fi; }
# value_of KEY: as Proxmox shows it, empty where there is none.
value_of() {
  lines="$NEWLINE$conf"
  rest=\${lines#*"$NEWLINE$1: "}
  [ "$rest" = "$lines" ] || printf '%s' "\${rest%%"$NEWLINE"*}"
}

# parts VALUE: the parts of a property string, in one order whatever order Proxmox shows them in.
parts() { printf '%s\\n' "$1" | tr ',' '\\n' | sed -e 's/^cputype=//' -e 's/^enabled=//' -e 's/^type=//' | sort; }
same() { [ "$1" = "$2" ] || [ "$(parts "$1")" = "$(parts "$2")" ]; }

check_vm() {
  look
  if [ "$exists" = no ]; then
    # A container has its number from the same range.
    if command -v pct >/dev/null 2>&1 && pct config "$VMID" >/dev/null 2>&1; then
      refuse "$VMID is a container on this host." 'Choose another vm.id in omni.yaml.'
    fi
    return 0
  fi
  have=$(value_of name)
  [ "$have" = "$NAME" ] || [ "$force" = yes ] || refuse "VM $VMID is called \${have:-nothing} here, not $NAME: it may be somebody else's." \\
    'Choose another vm.id in omni.yaml, or pass --force when it is this one.'
  case $(qm status "$VMID" 2>/dev/null || true) in
  *running*) warn "VM $VMID is running: changes count from its next start." ;;
  esac
}

# check_rom FILE: Proxmox looks in one folder only, and finds out when the VM starts.
check_rom() {
  [ -f "$ROOT/usr/share/kvm/$1" ] || refuse "There is no /usr/share/kvm/$1, so the VM would not start." "Copy the ROM image there, or remove romFile from omni.yaml."
}

hex() { value=$(cat "$1" 2>/dev/null) || return 1; printf '%s' "\${value#0x}"; }

# check_mapping ID: a mapping of the owner's own.
check_mapping() {
  pvesh get "/cluster/mapping/pci/$1" --output-format json >/dev/null 2>&1 ||
    refuse "There is no resource mapping $1." "Make it (Datacenter, Resource Mappings), or remove mapping: from omni.yaml to have Omni make one."
  say "  there: $1"
}

# map_card ID CARD ADDRESS KNOWN: a resource mapping for all functions of a card, read from this machine. It lets Proxmox
# notice when another device has taken the address, and needs no root@pam ticket as a raw address does.
map_card() {
  mapping=$1
  card=$2
  [ -n "$3" ] || refuse "The card $card has no PCI address in omni.yaml." "gpus.$card.pci: \\"0000:…\\"   # lspci -Dnn -d 10de:"
  case $3 in *.[0-7]) device=$DEVICES/$3 ;; *) device=$DEVICES/$3.0 ;; esac
  [ -d "$device" ] || refuse "There is no device $3 for the card $card." 'See what there is: lspci -Dnn -d 10de:' "Correct gpus.$card.pci in omni.yaml."
  id="$(hex "$device/vendor"):$(hex "$device/device")" || refuse "$3 cannot be read."
  case $(cat "$device/class" 2>/dev/null || true) in 0x03*) ;; *) refuse "$3 ($id) is no graphics card, so it is not $card." 'PCI addresses move when cards or disks are added: lspci -Dnn' ;; esac
  if [ -n "$4" ]; then
    case " $4 " in *" $id "*) ;; *) refuse "$3 is $id, and $card would be one of: $4." "Correct gpus.$card in omni.yaml." ;; esac
  fi
  group=$(readlink "$device/iommu_group") || refuse "$3 is in no IOMMU group." 'Switch the IOMMU on in the BIOS (AMD-Vi, VT-d), and reboot after apply.sh.'
  map="node=$NODE,path=$3,id=$id,iommugroup=\${group##*/}"
  if subsystem="$(hex "$device/subsystem_vendor"):$(hex "$device/subsystem_device")"; then map="$map,subsystem-id=$subsystem"; fi
  put_mapping
}

put_mapping() {
  if ! answer=$(pvesh get "/cluster/mapping/pci/$mapping" --output-format json 2>/dev/null); then
    run pvesh create /cluster/mapping/pci --id "$mapping" --map "$map"
    return 0
  fi
  # Entries of other hosts are kept; one of this host must be this very card.
  set --
  entries=$(printf '%s' "$answer" | tr '"' '\\n' | grep 'path=' || true)
  while IFS= read -r entry; do
    [ -n "$entry" ] || continue
    if same "$entry" "$map"; then
      say "  unchanged: mapping $mapping"
      return 0
    fi
    case ",$entry," in
    *",node=$NODE,"*) refuse "The mapping $mapping is $entry, and this machine has $map." 'Hardware or BIOS settings have changed since it was made, or it is not ours.' "When this card is right: pvesh delete /cluster/mapping/pci/$mapping, and run again." ;;
    esac
    set -- "$@" --map "$entry"
  done <<ENTRIES
$entries
ENTRIES
  run pvesh set "/cluster/mapping/pci/$mapping" "$@" --map "$map"
}

create_vm() {
  if [ "$exists" = yes ]; then
    say "  there: VM $VMID"
    return 0
  fi
  created=yes
  run qm create "$VMID" --name "$NAME" --description "$NOTES"
  look
}

# setting KEY VALUE: sets what differs, and looks whether it was kept.
setting() {
  have=$(value_of "$1")
  want=$2
  shown=$have
  case $1 in
  net*)
    # A network card without a MAC address in omni.yaml keeps the one that Proxmox made up.
    mac=$(printf '%s' "$have" | sed -n 's/^[a-z0-9]*=\\([0-9A-Fa-f:]*\\).*/\\1/p')
    case \${want%%,*} in *=*) ;; *) if [ -n "$mac" ]; then want="\${want%%,*}=$mac,\${want#*,}"; else shown=''; fi ;; esac
    ;;
  esac
  if [ -n "$shown" ] && same "$shown" "$want"; then return 0; fi
  changed=yes
  run qm set "$VMID" "--$1" "$want"
  look
  [ "$dry_run" = no ] || return 0
  have=$(value_of "$1")
  case $1 in
  net*) [ -n "$have" ] || fail "$1 was not kept" ;;
  *) same "$have" "$want" || fail "$1 is $have, not $want" ;;
  esac
}

# no_more KEY...: what a VM has and omni.yaml does not ask for is named, not removed.
no_more() {
  for key in $(printf '%s\\n' "$conf" | sed -n 's/^\\(hostpci[0-9]*\\|numa[0-9][0-9]*\\|net[0-9]*\\|hugepages\\|args\\): .*/\\1/p'); do
    case " $* " in *" $key "*) ;; *) warn "VM $VMID has $key: $(value_of "$key"), which omni.yaml does not ask for. Remove it: qm set $VMID --delete $key" ;; esac
  done
}
`;

/** Functions for disks: made once where there is none, never resized, replaced or removed. */
export const DISK_FUNCTIONS = `
# pick_storage: the storage for UEFI variables where omni.yaml names none; only where there is no choice.
pick_storage() {
  if [ -n "\${OMNI_STORAGE:-}" ]; then
    storage=$OMNI_STORAGE
    return 0
  fi
  storage=$(pvesm status --content images | sed -n 's/^\\([^ ]*\\)  *[^ ]*  *active.*/\\1/p')
  case $(printf '%s\\n' "$storage" | grep -c .) in
  1) ;;
  0) refuse 'No active storage of this host takes VM disks.' 'See: pvesm status' ;;
  *) refuse "Several storages take VM disks: $(printf '%s' "$storage" | tr '\\n' ' ')" 'Name one: OMNI_STORAGE=NAME ./vm-'"$VMID"'.sh, or vm.disks.scsi0.storage in omni.yaml.' ;;
  esac
}

# disk KEY VALUE
disk() {
  have=$(value_of "$1")
  if [ -n "$have" ]; then
    say "  there: $1 $have"
    return 0
  fi
  changed=yes
  run qm set "$VMID" "--$1" "$2"
  look
  [ "$dry_run" = yes ] || [ -n "$(value_of "$1")" ] || fail "$1 was not made"
}

# whole_disk KEY PATH: hands a disk of the host to the VM.
whole_disk() {
  [ -e "$ROOT$2" ] || refuse "There is no $2 for $1." 'See: ls -l /dev/disk/by-id'
  real=$(readlink -f "$ROOT$2")
  have=$(value_of "$1")
  if [ -n "$have" ]; then
    case $have in
    /dev/*) [ "$(readlink -f "$ROOT\${have%%,*}")" = "$real" ] || have="not $2, $have" ;;
    *) have="not $2, $have" ;;
    esac
    case $have in
    'not '*) warn "$1 of VM $VMID is $have. It is left alone; where omni.yaml is right: qm set $VMID --delete $1, and run again." ;;
    *) say "  there: $1 $have" ;;
    esac
    return 0
  fi
  for file in "$ROOT"/etc/pve/qemu-server/*.conf; do
    if [ ! -f "$file" ] || [ "\${file##*/}" = "$VMID.conf" ]; then continue; fi
    while IFS= read -r path; do
      if [ -n "$path" ] && [ "$(readlink -f "$ROOT$path")" = "$real" ]; then
        refuse "$2 is a disk of another VM already (\${file##*/}); two systems writing to one disk destroy it." "Take it from that VM, or remove $1 from omni.yaml."
      fi
    done <<PATHS
$(sed -n 's/^[a-z]*[0-9]*: \\(\\/dev\\/[^,]*\\).*/\\1/p' "$file")
PATHS
  done
  if lsblk -nro MOUNTPOINT "$real" 2>/dev/null | grep -q . ||
    lsblk -nro TYPE "$real" 2>/dev/null | grep -q -e lvm -e raid -e crypt ||
    zpool status -LP 2>/dev/null | grep -q -F -e "$real"; then
    refuse "$2 is in use on this host (mounted, or part of LVM, RAID or ZFS); two systems writing to one disk destroy it." "Free it here, or remove $1 from omni.yaml. See: lsblk $2"
  fi
  disk "$1" "$2"
}

# disk_by_serial KEY SERIAL: finds the lasting name of the disk with this serial number.
disk_by_serial() {
  found=''
  for link in "$ROOT"/dev/disk/by-id/*"_$2"; do
    [ -e "$link" ] || continue
    if [ -z "$found" ]; then
      found=\${link#"$ROOT"}
    elif [ "$(readlink -f "$ROOT$found")" != "$(readlink -f "$link")" ]; then
      refuse "Several disks of this host have the serial number $2: $found and \${link#"$ROOT"}" 'Write byId: with one of them in omni.yaml.'
    fi
  done
  [ -n "$found" ] || refuse "No disk of this host has the serial number $2, which $1 shall be." 'See: lsblk -dno NAME,SERIAL,MODEL'
  whole_disk "$1" "$found"
}

# installer FILE NAMES: the image that Talos is installed from, where it has been put.
installer() {
  have=$(value_of ide2)
  case $have in
  "local:iso/$1,"*) say "  there: ide2 $have"; return 0 ;;
  '' | none,* | local:iso/omni-talos-*) ;;
  *)
    # A cloud-init drive often has this place, and would be gone.
    warn "ide2 of VM $VMID is $have and stays; attach local:iso/$1 elsewhere by hand where it is needed."
    return 0
    ;;
  esac
  if [ ! -f "$ROOT/var/lib/vz/template/iso/$1" ]; then
    if [ "$created" = yes ]; then
      warn "No installer: download TALOS_ISO of $2 to /var/lib/vz/template/iso/$1 and run this again."
    else
      say "  no installer attached; it would be /var/lib/vz/template/iso/$1"
    fi
    return 0
  fi
  changed=yes
  run qm set "$VMID" --ide2 "local:iso/$1,media=cdrom"
  look
}

# boot_order KEY...: what is there of it, disks first: an empty one hands on to the installer (ide2), which the owner's
# disks follow, because they may hold an older system. Disks that the VM boots from
# and omni.yaml does not name stay before it, so that a VM that boots goes on booting; without any, all disks count.
boot_order() {
  before=$(value_of boot)
  disks=''
  nets=''
  for key in $(printf '%s' "\${before#order=}" | tr ';' ' '); do
    if [ -z "$(value_of "$key")" ]; then continue; fi
    case " $* " in *" $key "*) continue ;; esac
    case $key in
    scsi* | virtio* | sata* | ide*) disks="\${disks:+$disks;}$key" ;;
    net*) nets="$nets;$key" ;;
    esac
  done
  installer=''
  passed=''
  later=''
  for key in "$@"; do
    if [ "$key" = ide2 ]; then
      passed=yes
      case $(value_of ide2) in *media=cdrom*) installer=";ide2" ;; esac
    elif [ -n "$passed" ]; then
      if [ -n "$(value_of "$key")" ] || [ "$dry_run" = yes ]; then later="$later;$key"; fi
    elif [ -n "$(value_of "$key")" ] || [ "$dry_run" = yes ]; then
      disks="\${disks:+$disks;}$key"
    fi
  done
  if [ -z "$disks" ]; then
    for key in $(printf '%s\\n' "$conf" | sed -n -e '/media=cdrom/d' -e 's/^\\(scsi[0-9]*\\|virtio[0-9]*\\|sata[0-9]*\\|ide[0-9]*\\): .*/\\1/p'); do
      disks="\${disks:+$disks;}$key"
    done
  fi
  order="$disks$installer$later$nets"
  if [ -n "$order" ]; then setting boot "order=\${order#;}"; fi
}
`;
