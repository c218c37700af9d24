/** The step that installs and pins a kernel. Reads KERNEL_PACKAGE, KERNEL_PIN, KERNEL_AT_MOST and KERNEL_REFUSED. */
export const KERNEL_STEP = `
# within_bound ABI: 6.8.12-13-pve is within 6.8.12 and within 6.8.
within_bound() {
  [ -n "$KERNEL_AT_MOST" ] || return 0
  case $1 in "$KERNEL_AT_MOST" | "$KERNEL_AT_MOST"[.-]*) return 0 ;; esac
  [ "$(printf '%s\\n%s\\n' "$1" "$KERNEL_AT_MOST" | sort -V | head -n 1)" = "$1" ]
}

# The newest installed kernel that begins with the pin and is not above the bound.
wanted_kernel() {
  for image in "$ROOT"/boot/vmlinuz-*-pve; do
    abi=\${image##*/vmlinuz-}
    [ -f "$image" ] || continue
    case $abi in "$KERNEL_PIN" | "$KERNEL_PIN"[.-]*) ;; *) [ -z "$KERNEL_PIN" ] || continue ;; esac
    if within_bound "$abi"; then printf '%s\\n' "$abi"; fi
  done | sort -V | tail -n 1
}

kernel_step() {
  if [ -n "$KERNEL_PACKAGE" ]; then
    case $(dpkg-query -W -f='\${Status}' -- "$KERNEL_PACKAGE" 2>/dev/null || true) in
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
  [ -n "$kernel" ] || refuse "No installed kernel fits (pin: \${KERNEL_PIN:-any}, at most: \${KERNEL_AT_MOST:-any})." \\
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
`;
