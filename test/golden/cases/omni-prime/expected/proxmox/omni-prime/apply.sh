#!/bin/sh
# Rendered by Omni from omni.yaml (omni-prime). Change the spec and render again, not this file.
# Brings the Proxmox host omni-prime to what the spec says: kernel: install and pin, boot line, boot files, kernel
# modules, initramfs of all kernels, gpu switch script. Copy this folder to the host and run ./apply.sh --dry-run,
# then ./apply.sh. Needs nothing but what Proxmox VE has.
set -eu

HOST=omni-prime
ADDRESS=192.168.3.10
OWN='Rendered by Omni'
STEPS='kernel boot refresh modules initramfs switch'
FILES='etc/default/grub.d/omni.cfg etc/modules-load.d/omni-vfio.conf'
LOADER=grub
BIND=switch
TYPED_IDS=''
KERNEL_PACKAGE=proxmox-kernel-6.8
KERNEL_PIN=6.8
KERNEL_AT_MOST=6.8.4
KERNEL_REFUSED='proxmox-kernel-6.8 installs 6.8.12, the newest of its line, and 6.8.12 is newer than 6.8.4: the rule that a kernel above 6.8.4 is to be replaced by this package never comes to rest.'
SWITCH=/usr/local/bin/omni-switch

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

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
elsewhere=no
changed=no
reboot=no
pending=''
skip=''

usage() {
  cat <<'USAGE'
Usage: ./apply.sh [--dry-run] [--skip STEP]... [--elsewhere]
  --dry-run    say what would change, change nothing
  --skip STEP  leave a step out: kernel boot refresh modules initramfs switch
  --elsewhere  the address in omni.yaml is not this machine's any more
Changes files of this host and keeps a copy of each in /var/backups/omni. Never reboots. Run it again after a failure.
USAGE
}

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=yes ;;
  --elsewhere) elsewhere=yes ;;
  --skip)
    [ $# -ge 2 ] || { usage >&2; exit 2; }
    case " $STEPS " in *" $2 "*) skip="$skip $2 " ;; *) printf 'no such step: %s\n' "$2" >&2; exit 2 ;; esac
    shift
    ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done

skipped() {
  case $skip in *" $1 "*) say '  left out'; return 0 ;; esac
  return 1
}

check_folder() {
  for file in $FILES; do
    [ -f "$HERE/$file" ] || refuse "$HERE/$file is missing." 'Copy the whole folder to the host: the script installs what lies beside it.'
  done
}

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

STATE=$ROOT/var/lib/omni/proxmox

# A change with a mark counts only when the boot files are made anew and the host is started again. The mark outlives a run that stops in between.
mark() {
  changed=yes
  [ -n "$1" ] || return 0
  reboot=yes
  if [ "$dry_run" = yes ]; then
    pending="$pending $1"
    return 0
  fi
  mkdir -p "$STATE" || fail "cannot make $STATE"
  : >"$STATE/pending-$1" || fail "cannot write to $STATE"
}
is_pending() {
  [ -f "$STATE/pending-$1" ] && return 0
  case " $pending " in *" $1 "*) return 0 ;; esac
  return 1
}
settled() { [ "$dry_run" = yes ] || rm -f "$STATE/pending-$1"; }

asked_for() {
  case " $FILES " in *" $1 "*) return 0 ;; esac
  return 1
}

# place SOURCE TARGET MODE MARK: installs a file, aside first and then renamed.
place() {
  if [ -f "$2" ] && cmp -s "$1" "$2" && { [ "$3" != 0755 ] || [ -x "$2" ]; }; then
    say "  unchanged: $2"
    return 0
  fi
  mark "$4"
  if [ "$dry_run" = yes ]; then
    say "  would write: $2"
    if [ -f "$2" ]; then diff -u "$2" "$1" || true; else sed 's/^/    /' "$1"; fi
    return 0
  fi
  back_up "$2"
  mkdir -p "${2%/*}" || fail "cannot make the folder of $2"
  { cp "$1" "$2.omni-new" && chmod "$3" "$2.omni-new" && mv -f "$2.omni-new" "$2"; } || fail "cannot write $2"
  cmp -s "$1" "$2" || fail "$2 is not what was written"
  say "  written: $2"
}

# retire TARGET MARK: takes back a file of Omni's own that is not asked for any more.
retire() {
  [ -f "$1" ] || return 0
  case $(head -n 2 "$1") in *"$OWN"*) ;; *) return 0 ;; esac
  mark "$2"
  if [ "$dry_run" = yes ]; then
    say "  would remove, not asked for any more: $1"
    return 0
  fi
  back_up "$1"
  rm -f "$1" || fail "cannot remove $1"
  say "  removed, not asked for any more: $1"
}

# install_or_retire PATH MARK
install_or_retire() {
  if asked_for "$1"; then place "$HERE/$1" "$ROOT/$1" 0644 "$2"; else retire "$ROOT/$1" "$2"; fi
}

check_kernel() {
  [ -n "$KERNEL_REFUSED" ] || return 0
  case $skip in *' kernel '*) return 0 ;; esac
  refuse "The kernel that omni.yaml asks for contradicts itself. $KERNEL_REFUSED" 'Correct kernel: in omni.yaml and render again.' 'Or leave the kernel as it is: --skip kernel'
}

# within_bound ABI: 6.8.12-13-pve is within 6.8.12 and within 6.8.
within_bound() {
  [ -n "$KERNEL_AT_MOST" ] || return 0
  case $1 in "$KERNEL_AT_MOST" | "$KERNEL_AT_MOST"[.-]*) return 0 ;; esac
  [ "$(printf '%s\n%s\n' "$1" "$KERNEL_AT_MOST" | sort -V | head -n 1)" = "$1" ]
}

# The newest installed kernel that begins with the pin and is not above the bound.
wanted_kernel() {
  for image in "$ROOT"/boot/vmlinuz-*-pve; do
    abi=${image##*/vmlinuz-}
    [ -f "$image" ] || continue
    case $abi in "$KERNEL_PIN" | "$KERNEL_PIN"[.-]*) ;; *) [ -z "$KERNEL_PIN" ] || continue ;; esac
    if within_bound "$abi"; then printf '%s\n' "$abi"; fi
  done | sort -V | tail -n 1
}

kernel_step() {
  if [ -n "$KERNEL_PACKAGE" ]; then
    case $(dpkg-query -W -f='${Status}' -- "$KERNEL_PACKAGE" 2>/dev/null || true) in
    *'ok installed') say "  installed: $KERNEL_PACKAGE" ;;
    *)
      changed=yes
      reboot=yes
      run apt-get install --yes -- "$KERNEL_PACKAGE"
      ;;
    esac
  fi
  [ -n "$KERNEL_PIN$KERNEL_AT_MOST" ] || return 0
  kernel=$(wanted_kernel)
  if [ -z "$kernel" ] && [ "$dry_run" = yes ]; then
    say '  would pin the newest kernel that fits, once it is installed'
    return 0
  fi
  [ -n "$kernel" ] || refuse "No installed kernel fits (pin: ${KERNEL_PIN:-any}, at most: ${KERNEL_AT_MOST:-any})." \
    "See what there is: ls $ROOT/boot/vmlinuz-*; apt-cache search proxmox-kernel" 'Or leave this step out: --skip kernel'
  if [ "$(cat "$ROOT/etc/kernel/proxmox-boot-pin" 2>/dev/null || true)" = "$kernel" ]; then
    say "  pinned already: $kernel"
    return 0
  fi
  mark boot
  run proxmox-boot-tool kernel pin "$kernel"
  [ "$dry_run" = yes ] && return 0
  [ "$(cat "$ROOT/etc/kernel/proxmox-boot-pin" 2>/dev/null || true)" = "$kernel" ] || fail "the pin of $kernel was not kept (/etc/kernel/proxmox-boot-pin)"
  say "  a pin keeps security updates of the kernel away: lift it as soon as you can, proxmox-boot-tool kernel unpin"
}

CMDLINE=$ROOT/etc/kernel/cmdline
RECORD=$STATE/kernel-arguments

# Sets loaders to the boot loaders that this host is really started by.
find_loaders() {
  loaders=''
  status=$(proxmox-boot-tool status 2>/dev/null || true)
  case $status in *'configured with:'*uefi*) loaders='systemd-boot' ;; esac
  case $status in *'configured with:'*grub*) loaders="${loaders:+$loaders }grub" ;; esac
  if [ -z "$loaders" ] && command -v update-grub >/dev/null 2>&1; then loaders=grub; fi
  [ -n "$loaders" ] || refuse 'Neither proxmox-boot-tool nor GRUB manages the boot of this host.' 'See: proxmox-boot-tool status; efibootmgr -v'
  say "  this host boots by: $loaders"
  [ "$LOADER" = auto ] && return 0
  case " $loaders " in *" $LOADER "*) loaders=$LOADER ;;
  *) refuse "omni.yaml says boot.loader: $LOADER, and this host boots by $loaders: the boot line would never be read." "Write boot.loader: auto" ;;
  esac
}
boots_by() { case " $loaders " in *" $1 "*) return 0 ;; esac; return 1; }

# Sets merged to the line without what Omni added earlier and with what it adds now; added lists the latter.
merge_cmdline() {
  merged=" $(tr -s '[:space:]' ' ' <"$CMDLINE" | sed 's/^ //; s/ $//') "
  added=''
  if [ -f "$RECORD" ]; then
    while IFS= read -r group; do
      [ -n "$group" ] || continue
      case $merged in *" $group "*) merged="${merged%%" $group "*} ${merged#*" $group "}" ;; esac
    done <"$RECORD"
  fi
  if asked_for etc/kernel/omni-cmdline; then
    while IFS= read -r group; do
      case $group in '' | '#'*) continue ;; esac
      case $merged in *" $group "*) continue ;; esac
      merged="$merged$group "
      added="$added$group
"
    done <"$HERE/etc/kernel/omni-cmdline"
  fi
  merged=${merged# }
  merged=${merged% }
}

# write_text TEXT FILE
write_text() {
  { printf '%s\n' "$1" >"$2.omni-new" && mv -f "$2.omni-new" "$2"; } || fail "cannot write $2"
}

systemd_boot_line() {
  [ -f "$CMDLINE" ] || refuse "There is no $CMDLINE, and only the host knows its root=." 'Make it from /proc/cmdline first.'
  case " $(cat "$CMDLINE") " in *[[:space:]]root=*) ;; *) refuse "$CMDLINE has no root=: a line made from it would not boot." ;; esac
  merge_cmdline
  case " $merged " in *' root='*) ;; *) refuse "What Omni added earlier ($RECORD) would take root= out of $CMDLINE." "Look at both; remove $RECORD when it is wrong." ;; esac
  if asked_for etc/kernel/omni-cmdline; then warn_pages "$merged" "$(grep -v '^#' "$HERE/etc/kernel/omni-cmdline" | tr '\n' ' ')"; fi
  if [ "$merged" = "$(cat "$CMDLINE")" ]; then
    say "  unchanged: $CMDLINE"
    return 0
  fi
  mark boot
  if [ "$dry_run" = yes ]; then
    say "  would change $CMDLINE"
    say "    from: $(cat "$CMDLINE")"
    say "    to:   $merged"
    return 0
  fi
  back_up "$CMDLINE"
  # The record first holds old and new, so that a run that stops here leaves nothing that nobody knows of.
  write_text "$(cat "$RECORD" 2>/dev/null || true)
$added" "$RECORD"
  write_text "$merged" "$CMDLINE"
  write_text "$added" "$RECORD"
  [ "$(cat "$CMDLINE")" = "$merged" ] || fail "$CMDLINE is not what was written"
  say "  written: $CMDLINE"
}

# warn_pages LINE OURS: the kernel takes the first count of a page size and ignores later ones (mm/hugetlb.c), so what the
# host had before stays in force.
warn_pages() {
  case " $2 " in *' hugepages='*) ;; *) return 0 ;; esac
  for word in $(printf '%s' "$1" | tr -s '[:space:]' '\n' | grep '^hugepages=' || true); do
    case " $2 " in *" $word "*) ;; *) warn "The boot line has $word too, from before Omni; the kernel takes the first for a page size. Remove it from /etc/default/grub or $CMDLINE." ;; esac
  done
}

# The boot line as GRUB's generator will see it, from the same files in the same order.
grub_line() {
  (
    set +eu
    GRUB_CMDLINE_LINUX=''
    GRUB_CMDLINE_LINUX_DEFAULT=''
    # shellcheck disable=SC1090,SC1091
    for file in "$ROOT/etc/default/grub" "$ROOT"/etc/default/grub.d/*.cfg; do
      if [ -f "$file" ]; then . "$file"; fi
    done >/dev/null 2>&1
    printf '%s' "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT"
  )
}

verify_grub_line() {
  asked_for etc/default/grub.d/omni.cfg || return 0
  [ "$dry_run" = no ] || return 0
  want=$(
    GRUB_CMDLINE_LINUX_DEFAULT=''
    # shellcheck disable=SC1091
    . "$HERE/etc/default/grub.d/omni.cfg"
    printf '%s' "$GRUB_CMDLINE_LINUX_DEFAULT"
  )
  case " $(grub_line) " in
  *"$want "*) say "  boot line has:$want" ;;
  *) fail "another file of /etc/default/grub.d sets GRUB_CMDLINE_LINUX_DEFAULT after omni.cfg and drops:$want" ;;
  esac
  warn_pages "$(grub_line)" "$want"
}

boot_line_step() {
  if boots_by grub; then
    install_or_retire etc/default/grub.d/omni.cfg boot
    verify_grub_line
  fi
  if boots_by systemd-boot; then systemd_boot_line; fi
}

# Makes the boot files anew, once for kernel and boot line, and again when an earlier run stopped before it.
refresh_step() {
  if ! is_pending boot; then
    say '  nothing has changed'
    return 0
  fi
  if boots_by grub; then run update-grub; fi
  if boots_by systemd-boot; then run proxmox-boot-tool refresh; fi
  settled boot
}

DEVICES=$ROOT/sys/bus/pci/devices
IDS=$ROOT/etc/modprobe.d/omni-vfio-ids.conf

# id_of DEVICE: vendor:device as modprobe and lspci write them.
id_of() {
  vendor=$(cat "$1/vendor") && device=$(cat "$1/device") || return 1
  printf '%s:%s' "${vendor#0x}" "${device#0x}"
}

# card_ids NAME ADDRESS KNOWN: adds the ids of all functions of a card, after a look whether it is that card.
card_ids() {
  [ -n "$2" ] || refuse "The card $1 has no PCI address in omni.yaml." "gpus.$1.pci: \"0000:…\"   # lspci -Dnn -d 10de:"
  first="$DEVICES/${2%.[0-7]}.0"
  [ -d "$first" ] || refuse "There is no device $2 for the card $1." 'See what there is: lspci -Dnn -d 10de:' "Correct gpus.$1.pci in omni.yaml."
  id=$(id_of "$first") || refuse "$2 cannot be read."
  case $(cat "$first/class" 2>/dev/null || true) in 0x03*) ;; *) refuse "$2 ($id) is no graphics card, so it is not $1." 'PCI addresses move when cards or disks are added: lspci -Dnn' ;; esac
  if [ -n "$3" ]; then
    case " $3 " in *" $id "*) ;; *) refuse "$2 is $id, and $1 would be one of: $3." "Correct gpus.$1 in omni.yaml." ;; esac
  fi
  for function in "${first%.0}".[0-7]; do
    [ -d "$function" ] || continue
    id=$(id_of "$function") || refuse "${function##*/} cannot be read."
    ours="$ours ${function##*/}"
    case ",$ids," in *",$id,"*) ;; *) ids="${ids:+$ids,}$id" ;; esac
  done
}

# Ids choose every device that bears them; one that stays with the host must not be among them.
check_strangers() {
  for device_path in "$DEVICES"/*; do
    [ -d "$device_path" ] || continue
    name=${device_path##*/}
    case " $ours " in *" $name "*) continue ;; esac
    id=$(id_of "$device_path") || continue
    case ",$ids," in
    *",$id,"*) refuse "$name has the id $id too, and vfio-pci would take it from the host at boot." 'Write passthrough.bind: switch, which moves cards by address.' ;;
    esac
  done
}

# Before anything is changed: the cards are where the spec says, and nothing else bears their ids.
check_cards() {
  [ "$BIND" = early ] || return 0
  case $skip in *' modules '*) return 0 ;; esac
  ids=''
  ours=''
  read_cards
  if [ -n "$TYPED_IDS" ]; then
    for id in $(printf '%s' "$ids" | tr ',' ' '); do
      case ",$TYPED_IDS," in *",$id,"*) ;; *) refuse "The machine has $id, which is not among the ids of omni.yaml: $TYPED_IDS." 'Add it to gpus.NAME.ids, or remove the ids to have them read.' ;; esac
    done
    ids=$TYPED_IDS
  fi
  check_strangers
  say "  ids of the cards: $ids"
}

early_ids() {
  if [ -n "$TYPED_IDS" ]; then
    retire "$IDS" initramfs
    return 0
  fi
  {
    printf '# %s from omni.yaml; apply.sh read the ids from this machine. vfio-pci takes these devices at boot.\n' "$OWN"
    printf 'options vfio-pci ids=%s\n' "$ids"
  } >"$WORK/ids"
  place "$WORK/ids" "$IDS" 0644 initramfs
}

modules_step() {
  install_or_retire etc/modprobe.d/omni-modules.conf initramfs
  install_or_retire etc/modprobe.d/omni-vfio.conf initramfs
  install_or_retire etc/modules-load.d/omni-vfio.conf initramfs
  if [ "$BIND" = early ]; then early_ids; else retire "$IDS" initramfs; fi
}

initramfs_step() {
  if ! is_pending initramfs; then
    say '  nothing has changed'
    return 0
  fi
  run update-initramfs -u -k all
  settled initramfs
}

read_cards() {
  card_ids blackwell 0000:f1:00 '10de:2bb1 10de:2bb4 10de:2bb5'
  card_ids rtx5090 0000:11:00 10de:2b85
}

switch_step() { place "$HERE/omni-switch" "$ROOT$SWITCH" 0755 ''; }

step 'This host'
check_host
check_folder
check_cards
check_kernel
find_loaders

step 'Kernel: install and pin'
if ! skipped kernel; then kernel_step; fi

step 'Boot line'
if ! skipped boot; then boot_line_step; fi

step 'Boot files'
if ! skipped refresh; then refresh_step; fi

step 'Kernel modules'
if ! skipped modules; then modules_step; fi

step 'Initramfs of all kernels'
if ! skipped initramfs; then initramfs_step; fi

step 'GPU switch script'
if ! skipped switch; then switch_step; fi

step 'Done'
if [ "$changed" = no ]; then
  say '  Nothing has changed.'
elif [ "$dry_run" = yes ]; then
  say '  This was a dry run: nothing has changed.'
elif [ "$reboot" = yes ]; then
  say '  Reboot this host when nobody needs it: boot line and modules count from the next boot. This script never reboots.'
fi
