/**
 * The program of a Job that prepares a disk: POSIX sh with blkid, wipefs, lsblk, blockdev, mkfs and mount. The same for
 * every disk; all that differs comes by environment. It formats once, only a disk that carries nothing and is the very
 * one that the spec names, and fails closed: what it cannot tell, it leaves alone. Its parts
 * are scripts' parts of hosts as well, so that a disk is found, judged and made in one way only.
 */

/** Finds the one disk by its identity and size: sets $disk, $name, $bytes and $identified, or refuses. */
export const DISK_SEARCH = `#!/bin/sh
# Finds the disk by its identity, formats it when it is blank and may be, mounts it, and verifies both.
#   DISK_SERIAL, DISK_WWN, DISK_BY_ID  identities; each that is given has to fit
#   DISK_DEVICE      kernel name; on its own it never formats, because it can be another disk at the next boot
#   DISK_SIZE        bytes, within 2 % (disks are sold by rounded sizes)
#   DISK_FORMAT      never or if-blank
#   DISK_FILESYSTEM  xfs, ext4 or btrfs; DISK_LABEL the label that it gets
#   DISK_MOUNT       where it is mounted
set -eu
LC_ALL=C
export LC_ALL

say() { printf '%s\\n' "$*"; }
refuse() { printf 'omni-disk: refused: %s\\n' "$*" >&2; exit 3; }

: "\${DISK_FILESYSTEM:?}" "\${DISK_MOUNT:?}" "\${DISK_LABEL:?}"
serial=\${DISK_SERIAL:-} wwn=\${DISK_WWN:-} by_id=\${DISK_BY_ID:-} device=\${DISK_DEVICE:-}
size=\${DISK_SIZE:-} format=\${DISK_FORMAT:-never}
sysfs=\${OMNI_SYSFS:-/sys} dev=\${OMNI_DEV:-/dev} mountinfo=\${OMNI_MOUNTINFO:-/proc/self/mountinfo}

case $DISK_FILESYSTEM in xfs | ext4 | btrfs) ;; *) refuse "$DISK_FILESYSTEM is prepared by the host, not by a pod." ;; esac
for tool in blkid wipefs lsblk blockdev mount "mkfs.$DISK_FILESYSTEM"; do
  command -v "$tool" >/dev/null || refuse "the image has no $tool, and without it nothing can be told about a disk."
done

trimmed() { printf '%s' "$1" | tr -d '\\000\\r\\n' | sed 's/^ *//; s/ *$//'; }
first_of() { for one in "$@"; do if [ -r "$one" ]; then trimmed "$(tr -d '\\000' <"$one")"; return; fi; done; }

# By sysfs where it has them (NVMe, virtio, SCSI); lsblk asks udev, which is seldom there in a container.
serial_of() {
  found=$(first_of "$sysfs/class/block/$1/device/serial" "$sysfs/class/block/$1/serial")
  # SCSI and SATA: page 0x80 of the vital product data, four bytes of header and the number.
  page=$sysfs/class/block/$1/device/vpd_pg80
  if [ -z "$found" ] && [ -r "$page" ]; then found=$(trimmed "$(tail -c +5 "$page" | tr -d '\\000')"); fi
  if [ -z "$found" ]; then found=$(trimmed "$(lsblk -dno SERIAL "$dev/$1" 2>/dev/null || :)"); fi
  printf '%s' "$found"
}
wwn_of() {
  found=$(first_of "$sysfs/class/block/$1/wwid" "$sysfs/class/block/$1/device/wwid")
  if [ -z "$found" ]; then found=$(trimmed "$(lsblk -dno WWN "$dev/$1" 2>/dev/null || :)"); fi
  printf '%s' "$found"
}
# The same number is written 0x5000…, naa.5000…, eui.0025… and nvme.1234…, by whom it is asked for.
plain_wwn() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/^0x//; s/^naa\\.//; s/^eui\\.//'; }

whole_disks() {
  for entry in "$sysfs"/class/block/*; do
    name=\${entry##*/}
    case $name in ram* | zram* | dm-* | md* | sr* | fd* | nbd*) continue ;; esac
    if [ -e "$entry/partition" ] || [ ! -b "$dev/$name" ]; then continue; fi
    printf '%s\\n' "$name"
  done
}

fits() {
  if [ -n "$serial" ] && [ "$(serial_of "$1")" != "$serial" ]; then return 1; fi
  if [ -n "$wwn" ] && [ "$(plain_wwn "$(wwn_of "$1")")" != "$(plain_wwn "$wwn")" ]; then return 1; fi
  if [ -n "$by_id" ] && [ "$(readlink -f "$dev/disk/by-id/\${by_id##*/}")" != "$(readlink -f "$dev/$1")" ]; then return 1; fi
  return 0
}

inventory() {
  for name in $(whole_disks); do
    say "  $dev/$name: serial $(serial_of "$name"), wwn $(wwn_of "$name"), $(blockdev --getsize64 "$dev/$name" 2>/dev/null || :) bytes" >&2
  done
}

identified=no
if [ -n "$serial$wwn$by_id" ]; then
  identified=yes
  chosen=""
  for name in $(whole_disks); do
    if fits "$name"; then chosen="$chosen $name"; fi
  done
  # Names of the kernel have no spaces; here they are counted.
  # shellcheck disable=SC2086
  set -- $chosen
  if [ $# -ne 1 ]; then
    say "disks of this node:" >&2
    inventory
    refuse "$# disks have serial '$serial', wwn '$wwn', by-id '$by_id'; it has to be exactly one."
  fi
  disk=$dev/$1
  if [ -n "$device" ] && [ "$(readlink -f "$device" || :)" != "$(readlink -f "$disk")" ]; then
    say "the spec calls it $device; at this boot it is $disk, found by its identity"
  fi
else
  [ -n "$device" ] || refuse "the spec names no disk."
  [ -b "$device" ] || refuse "$device is no block device of this node."
  disk=$(readlink -f "$device")
  [ ! -e "$sysfs/class/block/\${disk##*/}/partition" ] || refuse "$disk is a partition."
fi
name=\${disk##*/}

bytes=$(blockdev --getsize64 "$disk") || refuse "the size of $disk cannot be read."
if [ -n "$size" ]; then
  difference=$((bytes - size))
  if [ "$difference" -lt 0 ]; then difference=$((0 - difference)); fi
  if [ "$((difference * 50))" -gt "$size" ]; then refuse "$disk has $bytes bytes, the spec says $size."; fi
fi
say "$disk: serial '$(serial_of "$name")', wwn '$(wwn_of "$name")', $bytes bytes"
`;

/** Functions that look at what the found disk carries: probe, blank. */
export const DISK_SIGNATURES = `
probe() { blkid -p -o value -s "$1" "$disk" 2>/dev/null || :; }

# Nobody sees anything: neither blkid (2: nothing found; 8: several things at once) nor wipefs nor the kernel.
blank() {
  code=0
  blkid -p "$disk" >/dev/null 2>&1 || code=$?
  [ "$code" -eq 2 ] || return 1
  signatures=$(wipefs --no-act "$disk" 2>&1) || return 1
  [ -z "$signatures" ] || return 1
  [ "$(lsblk -nro NAME "$disk" | wc -l)" -eq 1 ] || return 1
  for holder in "$sysfs/class/block/$name/holders"/* "$sysfs/class/block/$name"/*/partition; do
    [ ! -e "$holder" ] || return 1
  done
  return 0
}
`;

/** Makes the file system on a blank disk where that is allowed, or refuses what is neither blank nor that file system. */
export const DISK_MAKE = `
if blank; then
  [ "$format" = if-blank ] || refuse "$disk is blank and format is $format. Write format: if-blank at the disk, or make the file system yourself."
  [ "$identified" = yes ] ||
    refuse "$disk is blank, and only its kernel name is known, which can be another disk at every boot. Write its serial: $(serial_of "$name")"
  say "$disk is blank: making $DISK_FILESYSTEM, label $DISK_LABEL"
  # Never with force: mkfs looks once more by itself.
  "mkfs.$DISK_FILESYSTEM" -L "$DISK_LABEL" "$disk" </dev/null
  sync
  [ "$(probe TYPE)" = "$DISK_FILESYSTEM" ] || refuse "mkfs ended well and there is no $DISK_FILESYSTEM on $disk."
  [ "$(probe LABEL)" = "$DISK_LABEL" ] || refuse "mkfs ended well and $disk does not carry the label $DISK_LABEL."
elif [ "$(probe TYPE)" = "$DISK_FILESYSTEM" ] && [ "$(probe PTTYPE)" = "" ]; then
  say "$disk carries $DISK_FILESYSTEM already, label '$(probe LABEL)': not formatted"
else
  say "what is on $disk:" >&2
  wipefs --no-act "$disk" >&2 || :
  lsblk "$disk" >&2 || :
  refuse "$disk is not blank and carries no plain $DISK_FILESYSTEM. Omni never erases: look at it, and wipe it yourself if nothing on it is wanted."
fi
`;

/** What is mounted where: $number of the disk, mounted. */
export const DISK_PLACE = `
number=$(printf '%d:%d' "0x$(stat -c %t "$disk")" "0x$(stat -c %T "$disk")")
# What is mounted at the place, by number and root; the last one hides those below.
mounted() { awk '$5 == ENVIRON["DISK_MOUNT"] { what = $3 " " $4 } END { print what }' "$mountinfo"; }
`;

/** Mounts the disk at its place and writes there once. */
export const DISK_MOUNT = `
case $(mounted) in
  "$number /") say "$disk is mounted at $DISK_MOUNT already" ;;
  "" | "$number "*)
    mkdir -p "$DISK_MOUNT"
    mount -t "$DISK_FILESYSTEM" -o noatime "$disk" "$DISK_MOUNT"
    ;;
  *) refuse "another file system is mounted at $DISK_MOUNT: $(mounted)" ;;
esac
[ "$(mounted)" = "$number /" ] || refuse "mount ended well and $disk is not at $DISK_MOUNT."
probe_file=$DISK_MOUNT/.omni-disk-probe
if ! : >"$probe_file" || ! rm "$probe_file"; then refuse "$DISK_MOUNT cannot be written."; fi
say "$disk is mounted at $DISK_MOUNT and can be written"
`;

export const DISK_SCRIPT = [DISK_SEARCH, DISK_SIGNATURES, DISK_MAKE, DISK_PLACE, DISK_MOUNT].join("");
