/** Parts of the disk script that only a host has: its tools, its mount points, and what makes a mount last. */
import {
  DISK_MAKE,
  DISK_MOUNT,
  DISK_PLACE,
  DISK_SEARCH,
  DISK_SIGNATURES,
} from "../../render/kubernetes/storage/disk-script.ts";

const TOOLS = `
# Root alone reads and writes disks; without a tool nothing can be told about one.
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
refuse_here() { printf 'omni-disk: refused: %s\\n' "$*" >&2; exit 3; }
[ "$(id -u)" = 0 ] || refuse_here "only root may look at disks and mount them. Reach the host as root, or run Omni as root."
case $DISK_FILESYSTEM in xfs) package=xfsprogs ;; ext4) package=e2fsprogs ;; *) package=btrfs-progs ;; esac
command -v "mkfs.$DISK_FILESYSTEM" >/dev/null || refuse_here "this host has no mkfs.$DISK_FILESYSTEM: apt-get install $package"
for tool in blkid wipefs lsblk blockdev mount flock; do
  command -v "$tool" >/dev/null || refuse_here "this host has no $tool: apt-get install util-linux mount"
done
`;

const PLACE = `
# Btrfs shows a number of its own there; its source is the disk.
mounted() {
  awk '$5 == ENVIRON["DISK_MOUNT"] {
    for (at = 7; at < NF && $at != "-"; at++) {}
    number = $3
    if ($(at + 1) == "btrfs" && $(at + 2) == ENVIRON["omni_disk"]) number = ENVIRON["omni_number"]
    what = number " " $4
  } END { print what }' "$mountinfo"
}
omni_disk=$disk omni_number=$number
export omni_disk omni_number

# Says what stands at the mount point: here, free, or what is in the way.
place() {
  on=$(mounted)
  if [ "$on" = "$number /" ]; then
    echo here
  elif [ -n "$on" ]; then
    echo "another file system ($on)"
  elif [ -L "$DISK_MOUNT" ]; then
    echo "a symbolic link to $(readlink "$DISK_MOUNT")"
  elif [ -e "$DISK_MOUNT" ] && [ ! -d "$DISK_MOUNT" ]; then
    echo "a file"
  elif [ -d "$DISK_MOUNT" ] && [ -n "$(ls -A "$DISK_MOUNT")" ]; then
    echo "a folder with files of the disk below it: $(du -sh "$DISK_MOUNT" | cut -f1) in $(find "$DISK_MOUNT" -mindepth 1 -maxdepth 1 -printf '%f ' | cut -c 1-80)"
  else
    echo free
  fi
}

fstab=\${OMNI_FSTAB:-/etc/fstab}
# Lines of fstab for the mount point, comments left out.
entries() {
  if [ -r "$fstab" ]; then awk '$1 !~ /^#/ && $2 == ENVIRON["DISK_MOUNT"]' "$fstab"; fi
}
# Whether the first word of such a line names this very file system in a way that lasts.
lasting() { # word
  case $1 in
    UUID="$uuid" | UUID=\\""$uuid"\\" | LABEL="$DISK_LABEL" | LABEL=\\""$DISK_LABEL"\\") return 0 ;;
    "$dev"/disk/by-*) [ "$(readlink -f "$1")" = "$(readlink -f "$disk")" ] ;;
    *) return 1 ;;
  esac
}
# Says whether the mount comes back after a reboot: yes, no, or the line that stands in the way.
lasts() {
  line=$(entries)
  if [ -z "$line" ]; then
    echo no
  elif [ "$(printf '%s\\n' "$line" | wc -l)" -eq 1 ] && lasting "\${line%%[[:space:]]*}"; then
    echo yes
  else
    echo "$line"
  fi
}
`;

const FREE_PLACE = `
case $(place) in
  here | free) ;;
  *) refuse "$DISK_MOUNT is $(place). Move it away, or give the disk another mount." ;;
esac
uuid=$(probe UUID)
case $(lasts) in
  yes | no) ;;
  *) refuse "$fstab already says what is mounted at $DISK_MOUNT, and it is not this disk by a name that lasts: $(lasts). Change it to UUID=$uuid, or remove it." ;;
esac
`;

const REPORT = `
fact() { printf 'fact\\t%s\\t%s\\n' "$1" "$2"; }
uuid=$(probe UUID)
fact device "$disk"
fact serial "$(serial_of "$name")"
fact wwn "$(wwn_of "$name")"
fact bytes "$bytes"
model=$(first_of "$sysfs/class/block/$name/device/model")
fact model "\${model:-$(trimmed "$(lsblk -dno MODEL "$disk" 2>/dev/null || :)")}"
if blank; then fact blank yes; else fact blank no; fi
fact filesystem "$(probe TYPE)"
fact label "$(probe LABEL)"
fact uuid "$uuid"
fact table "$(probe PTTYPE)"
fact place "$(place)"
fact lasts "$(lasts)"
fact entry "$(entries)"
if [ "$(place)" = here ] && awk '$5 == ENVIRON["DISK_MOUNT"] { o = $6 } END { exit !(o ~ /(^|,)rw(,|$)/) }' "$mountinfo" && [ -w "$DISK_MOUNT" ]; then
  fact writable yes
  fact free "$(df -B1 --output=avail "$DISK_MOUNT" | tail -n 1 | tr -d ' ')"
else
  fact writable no
fi
{ wipefs --no-act --noheadings --output OFFSET,TYPE,LABEL "$disk" 2>&1 || :; } | while read -r line; do fact found "$line"; done
lsblk -nro NAME,TYPE,FSTYPE,MOUNTPOINT "$disk" | tail -n +2 | while read -r line; do fact found "$line"; done
for holder in "$sysfs/class/block/$name/holders"/*; do
  if [ -e "$holder" ]; then fact found "held by \${holder##*/}"; fi
done
`;

const PERSIST = `
# By UUID, because names of the kernel change; nofail, so that a host without the disk still boots.
persist() {
  [ ! -L "$fstab" ] || refuse "$fstab is a symbolic link: something else writes it. Add there: UUID=$uuid $DISK_MOUNT $DISK_FILESYSTEM noatime,nofail 0 0"
  check=0
  if [ "$DISK_FILESYSTEM" = ext4 ]; then check=2; fi
  if [ -e "$fstab" ]; then cp -p "$fstab" "$fstab.omni-new"; else : >"$fstab.omni-new"; fi
  if [ -n "$(tail -c 1 "$fstab.omni-new")" ]; then echo >>"$fstab.omni-new"; fi
  printf '# Disk %s, serial %s. Written by Omni.\\n' "$DISK_LABEL" "$(serial_of "$name")" >>"$fstab.omni-new"
  printf 'UUID=%s %s %s noatime,nofail 0 %s\\n' "$uuid" "$DISK_MOUNT" "$DISK_FILESYSTEM" "$check" >>"$fstab.omni-new"
  sync "$fstab.omni-new"
  mv "$fstab.omni-new" "$fstab"
  sync "\${fstab%/*}"
  # systemd makes units of it; one that knows an older file could unmount what is mounted now.
  if [ "$fstab" = /etc/fstab ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}
uuid=$(probe UUID)
[ -n "$uuid" ] || refuse "$disk has no UUID, by which it could be found after a reboot."
if [ "$(lasts)" = no ]; then
  # Two disks of a host may be prepared at the same time; the lock is the kernel's and ends with this shell.
  (
    flock 9
    if [ "$(lasts)" = no ]; then persist; fi
  ) 9>"\${OMNI_RUNTIME:-/run}/omni-fstab.lock"
fi
[ "$(lasts)" = yes ] || refuse "$fstab does not bring $disk back at $DISK_MOUNT after a reboot: $(lasts)"
say "$fstab mounts it at every boot: $(entries)"
`;

/** Finds the disk and tells all about it; changes nothing. */
export const LOOK_SCRIPT = [TOOLS, DISK_SEARCH, DISK_SIGNATURES, DISK_PLACE, PLACE, REPORT].join("");

/** Makes the file system: identity, size, blankness and mount point are looked at in the same run, a moment before. */
export const FORMAT_SCRIPT = [
  TOOLS,
  DISK_SEARCH,
  DISK_SIGNATURES,
  DISK_PLACE,
  PLACE,
  FREE_PLACE,
  DISK_MAKE,
].join("");

/** Mounts what is there and makes that last; `DISK_FORMAT=never` with it. */
export const MOUNT_SCRIPT = [FORMAT_SCRIPT, DISK_MOUNT, PERSIST].join("");
