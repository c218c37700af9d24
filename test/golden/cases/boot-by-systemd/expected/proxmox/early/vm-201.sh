#!/bin/sh
# Rendered by Omni from omni.yaml (early). Change the spec and render again, not this file.
# VM 201 (early) on the Proxmox host early, as commands of qm. Run it on the host after apply.sh and a reboot:
# ./vm-201.sh --dry-run, then ./vm-201.sh. Run again, it sets only what differs.
set -eu

HOST=early
ADDRESS=10.0.0.10
VMID=201
NAME=early
NOTES='Rendered by Omni from omni.yaml (early): guest early on early. Change the spec, render again and run vm-201.sh.'
TIMEOUT=389
FAULTS=''

ROOT=${OMNI_ROOT:-}
BACKUPS=$ROOT/var/backups/omni
dry_run=no
number=0

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# The host or the request is not as it has to be: nothing more is changed.
refuse() {
  printf 'refused: %s\n' "$1" >&2
  shift
  for hint in "$@"; do printf '  -> %s\n' "$hint" >&2; done
  exit 3
}

# Something that was begun did not work. What is done stays done; the next run goes on from there.
fail() {
  printf 'failed: %s\n' "$*" >&2
  exit 1
}

step() {
  number=$((number + 1))
  printf '\n%s. %s\n' "$number" "$1"
}

# Runs a command that changes something; a dry run prints it.
run() {
  if [ "$dry_run" = yes ]; then
    say "  would run: $*"
    return 0
  fi
  say "  $*"
  "$@" || fail "$* (exit $?)"
}

back_up() {
  [ -f "$1" ] || return 0
  copy=$BACKUPS${1#"$ROOT"}
  mkdir -p "${copy%/*}"
  count=1
  while [ -e "$copy.$count" ]; do count=$((count + 1)); done
  cp -p "$1" "$copy.$count" || fail "no backup of $1 could be made"
  say "  backup: $copy.$count"
}


force=no
elsewhere=no
start=no
created=no
changed=no

usage() {
  cat <<'USAGE'
Usage: ./vm-201.sh [--dry-run] [--force] [--start] [--elsewhere]
  --dry-run    say what would change, change nothing
  --force      the VM of this number is ours although it has another name
  --start      start the VM when all is set
  --elsewhere  the address in omni.yaml is not this machine's any more
Makes the VM where there is none, else sets what differs. Never removes a VM or a disk, never stops a VM.
USAGE
}

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=yes ;;
  --force) force=yes ;;
  --start) start=yes ;;
  --elsewhere) elsewhere=yes ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done


check_host() {
  [ "$(id -u)" -eq 0 ] || refuse 'This changes the host and must run as root.' 'Run it in a root shell on the Proxmox host.'
  command -v pveversion >/dev/null 2>&1 || refuse 'This is no Proxmox VE host: there is no pveversion.'
  version=$(pveversion) || refuse 'pveversion does not work.'
  say "  $version"
  if [ -n "$ADDRESS" ] && [ "$elsewhere" = no ]; then
    mine="$(hostname -I 2>/dev/null || true) $(hostname 2>/dev/null || true) $(hostname -f 2>/dev/null || true)"
    case " $(printf '%s' "$mine" | tr -s '[:space:]' ' ') " in
    *" $ADDRESS "*) ;;
    *) refuse "omni.yaml says that $HOST is $ADDRESS, and this machine is $mine." 'Run it on that host, or pass --elsewhere when its address has changed.' ;;
    esac
  fi
}


DEVICES=$ROOT/sys/bus/pci/devices
NEWLINE='
'

# Reads the VM's configuration once; each change reads it again.
look() { if conf=$(qm config "$VMID" 2>/dev/null); then exists=yes; else exists=no conf=''; fi; }
# value_of KEY: as Proxmox shows it, empty where there is none.
value_of() {
  lines="$NEWLINE$conf"
  rest=${lines#*"$NEWLINE$1: "}
  [ "$rest" = "$lines" ] || printf '%s' "${rest%%"$NEWLINE"*}"
}

# parts VALUE: the parts of a property string, in one order whatever order Proxmox shows them in.
parts() { printf '%s\n' "$1" | tr ',' '\n' | sed -e 's/^cputype=//' -e 's/^enabled=//' -e 's/^type=//' | sort; }
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
  [ "$have" = "$NAME" ] || [ "$force" = yes ] || refuse "VM $VMID is called ${have:-nothing} here, not $NAME: it may be somebody else's." \
    'Choose another vm.id in omni.yaml, or pass --force when it is this one.'
  case $(qm status "$VMID" 2>/dev/null || true) in
  *running*) warn "VM $VMID is running: changes count from its next start." ;;
  esac
}

# check_rom FILE: Proxmox looks in one folder only, and finds out when the VM starts.
check_rom() {
  [ -f "$ROOT/usr/share/kvm/$1" ] || refuse "There is no /usr/share/kvm/$1, so the VM would not start." "Copy the ROM image there, or remove romFile from omni.yaml."
}

hex() { value=$(cat "$1" 2>/dev/null) || return 1; printf '%s' "${value#0x}"; }

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
  [ -n "$3" ] || refuse "The card $card has no PCI address in omni.yaml." "gpus.$card.pci: \"0000:…\"   # lspci -Dnn -d 10de:"
  case $3 in *.[0-7]) device=$DEVICES/$3 ;; *) device=$DEVICES/$3.0 ;; esac
  [ -d "$device" ] || refuse "There is no device $3 for the card $card." 'See what there is: lspci -Dnn -d 10de:' "Correct gpus.$card.pci in omni.yaml."
  id="$(hex "$device/vendor"):$(hex "$device/device")" || refuse "$3 cannot be read."
  case $(cat "$device/class" 2>/dev/null || true) in 0x03*) ;; *) refuse "$3 ($id) is no graphics card, so it is not $card." 'PCI addresses move when cards or disks are added: lspci -Dnn' ;; esac
  if [ -n "$4" ]; then
    case " $4 " in *" $id "*) ;; *) refuse "$3 is $id, and $card would be one of: $4." "Correct gpus.$card in omni.yaml." ;; esac
  fi
  group=$(readlink "$device/iommu_group") || refuse "$3 is in no IOMMU group." 'Switch the IOMMU on in the BIOS (AMD-Vi, VT-d), and reboot after apply.sh.'
  map="node=$NODE,path=$3,id=$id,iommugroup=${group##*/}"
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
  entries=$(printf '%s' "$answer" | tr '"' '\n' | grep 'path=' || true)
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
    mac=$(printf '%s' "$have" | sed -n 's/^[a-z0-9]*=\([0-9A-Fa-f:]*\).*/\1/p')
    case ${want%%,*} in *=*) ;; *) if [ -n "$mac" ]; then want="${want%%,*}=$mac,${want#*,}"; else shown=''; fi ;; esac
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
  for key in $(printf '%s\n' "$conf" | sed -n 's/^\(hostpci[0-9]*\|numa[0-9][0-9]*\|net[0-9]*\|hugepages\|args\): .*/\1/p'); do
    case " $* " in *" $key "*) ;; *) warn "VM $VMID has $key: $(value_of "$key"), which omni.yaml does not ask for. Remove it: qm set $VMID --delete $key" ;; esac
  done
}


# pick_storage: the storage for UEFI variables where omni.yaml names none; only where there is no choice.
pick_storage() {
  if [ -n "${OMNI_STORAGE:-}" ]; then
    storage=$OMNI_STORAGE
    return 0
  fi
  storage=$(pvesm status --content images | sed -n 's/^\([^ ]*\)  *[^ ]*  *active.*/\1/p')
  case $(printf '%s\n' "$storage" | grep -c .) in
  1) ;;
  0) refuse 'No active storage of this host takes VM disks.' 'See: pvesm status' ;;
  *) refuse "Several storages take VM disks: $(printf '%s' "$storage" | tr '\n' ' ')" 'Name one: OMNI_STORAGE=NAME ./vm-'"$VMID"'.sh, or vm.disks.scsi0.storage in omni.yaml.' ;;
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
    /dev/*) [ "$(readlink -f "$ROOT${have%%,*}")" = "$real" ] || have="not $2, $have" ;;
    *) have="not $2, $have" ;;
    esac
    case $have in
    'not '*) warn "$1 of VM $VMID is $have. It is left alone; where omni.yaml is right: qm set $VMID --delete $1, and run again." ;;
    *) say "  there: $1 $have" ;;
    esac
    return 0
  fi
  for file in "$ROOT"/etc/pve/qemu-server/*.conf; do
    if [ ! -f "$file" ] || [ "${file##*/}" = "$VMID.conf" ]; then continue; fi
    while IFS= read -r path; do
      if [ -n "$path" ] && [ "$(readlink -f "$ROOT$path")" = "$real" ]; then
        refuse "$2 is a disk of another VM already (${file##*/}); two systems writing to one disk destroy it." "Take it from that VM, or remove $1 from omni.yaml."
      fi
    done <<PATHS
$(sed -n 's/^[a-z]*[0-9]*: \(\/dev\/[^,]*\).*/\1/p' "$file")
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
      found=${link#"$ROOT"}
    elif [ "$(readlink -f "$ROOT$found")" != "$(readlink -f "$link")" ]; then
      refuse "Several disks of this host have the serial number $2: $found and ${link#"$ROOT"}" 'Write byId: with one of them in omni.yaml.'
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
  for key in $(printf '%s' "${before#order=}" | tr ';' ' '); do
    if [ -z "$(value_of "$key")" ]; then continue; fi
    case " $* " in *" $key "*) continue ;; esac
    case $key in
    scsi* | virtio* | sata* | ide*) disks="${disks:+$disks;}$key" ;;
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
      disks="${disks:+$disks;}$key"
    fi
  done
  if [ -z "$disks" ]; then
    for key in $(printf '%s\n' "$conf" | sed -n -e '/media=cdrom/d' -e 's/^\(scsi[0-9]*\|virtio[0-9]*\|sata[0-9]*\|ide[0-9]*\): .*/\1/p'); do
      disks="${disks:+$disks;}$key"
    done
  fi
  order="$disks$installer$later$nets"
  if [ -n "$order" ]; then setting boot "order=${order#;}"; fi
}

step 'This host'
check_host
NODE=$(hostname)
NODE=${NODE%%.*}
check_vm

step 'Resource mappings of the cards'
check_mapping ada

step 'The VM'
create_vm

step 'Settings'
setting name early
setting ostype l26
setting machine q35
setting bios seabios
setting cpu host
setting sockets 1
setting cores 16
setting memory 98304
setting balloon 0
setting numa 1
setting numa0 'cpus=0-15,hostnodes=0,memory=98304,policy=bind'
setting hugepages 1024
setting agent 1
setting onboot 1
setting scsihw virtio-scsi-single
setting net0 'virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20'
setting hostpci0 'mapping=ada,pcie=1'
no_more name ostype machine bios cpu sockets cores memory balloon numa numa0 hugepages agent onboot scsihw net0 hostpci0

step 'Disks'
disk scsi0 local-zfs:64
whole_disk scsi1 /dev/disk/by-id/nvme-Samsung_SSD_990_PRO_2TB_S7XXNJ0W123456
installer omni-talos-1.11.5.iso talos/early/images.env
boot_order scsi0 ide2 scsi1

step 'Start'
if [ "$start" = no ]; then
  say "  not asked for: --start does it, or qm start $VMID --timeout $TIMEOUT"
elif [ -n "$FAULTS" ]; then
  refuse "Not started: $FAULTS" 'Correct omni.yaml and render again.'
else
  case $(qm status "$VMID" 2>/dev/null || true) in
  *running*) say '  runs already' ;;
  *) run qm start "$VMID" --timeout "$TIMEOUT" ;;
  esac
fi

step 'Done'
if [ "$dry_run" = yes ]; then say '  This was a dry run: nothing has changed.'; elif [ "$changed$created" = nono ]; then say '  Nothing has changed.'; fi
