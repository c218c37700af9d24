/** The step that tells modprobe about vfio-pci, reading ids from the machine where the spec has none. Reads CARDS. */
export const MODULE_STEPS = `
DEVICES=$ROOT/sys/bus/pci/devices
IDS=$ROOT/etc/modprobe.d/omni-vfio-ids.conf

# id_of DEVICE: vendor:device as modprobe and lspci write them.
id_of() {
  vendor=$(cat "$1/vendor") && device=$(cat "$1/device") || return 1
  printf '%s:%s' "\${vendor#0x}" "\${device#0x}"
}

# card_ids NAME ADDRESS KNOWN: adds the ids of all functions of a card, after a look whether it is that card.
card_ids() {
  [ -n "$2" ] || refuse "The card $1 has no PCI address in omni.yaml." "gpus.$1.pci: \\"0000:…\\"   # lspci -Dnn -d 10de:"
  first="$DEVICES/\${2%.[0-7]}.0"
  [ -d "$first" ] || refuse "There is no device $2 for the card $1." 'See what there is: lspci -Dnn -d 10de:' "Correct gpus.$1.pci in omni.yaml."
  id=$(id_of "$first") || refuse "$2 cannot be read."
  case $(cat "$first/class" 2>/dev/null || true) in 0x03*) ;; *) refuse "$2 ($id) is no graphics card, so it is not $1." 'PCI addresses move when cards or disks are added: lspci -Dnn' ;; esac
  if [ -n "$3" ]; then
    case " $3 " in *" $id "*) ;; *) refuse "$2 is $id, and $1 would be one of: $3." "Correct gpus.$1 in omni.yaml." ;; esac
  fi
  for function in "\${first%.0}".[0-7]; do
    [ -d "$function" ] || continue
    id=$(id_of "$function") || refuse "\${function##*/} cannot be read."
    ours="$ours \${function##*/}"
    case ",$ids," in *",$id,"*) ;; *) ids="\${ids:+$ids,}$id" ;; esac
  done
}

# Ids choose every device that bears them; one that stays with the host must not be among them.
check_strangers() {
  for device_path in "$DEVICES"/*; do
    [ -d "$device_path" ] || continue
    name=\${device_path##*/}
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
    printf '# %s from omni.yaml; apply.sh read the ids from this machine. vfio-pci takes these devices at boot.\\n' "$OWN"
    printf 'options vfio-pci ids=%s\\n' "$ids"
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
`;
