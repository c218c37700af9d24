/**
 * What of a host is looked at elsewhere: patterns of its shell. Of devices only attributes that reading does nothing to: a
 * `resourceN` of sysfs is the card's own registers, and `vpd` hangs on some.
 */

/** Files whose text is copied. */
export const COPIED_FILES: readonly string[] = [
  "/proc/{cmdline,cpuinfo,meminfo,mounts,modules,version,stat,interrupts,uptime,swaps,iomem,buddyinfo,filesystems}",
  "/proc/self/{mountinfo,status} /proc/net/{tcp,tcp6,udp,udp6,route,dev}",
  "/proc/sys/kernel/* /proc/sys/kernel/random/boot_id",
  "/proc/sys/vm/{nr_hugepages,nr_overcommit_hugepages,overcommit_memory,swappiness,zone_reclaim_mode,max_map_count}",
  "/proc/driver/nvidia/* /proc/driver/nvidia/gpus/*/{information,power,registry,unbindLock}",
  "/sys/class/dmi/id/{bios_vendor,bios_version,bios_date,board_name,board_vendor,product_name,sys_vendor}",
  "/sys/class/vtconsole/*/{name,bind} /sys/class/iommu/*/*/{version,features}",
  "/sys/kernel/iommu_groups/*/{type,reserved_regions}",
  "/sys/kernel/mm/hugepages/*/* /sys/kernel/mm/transparent_hugepage/{enabled,defrag}",
  "/sys/devices/system/node/online /sys/devices/system/node/node*/{cpulist,meminfo,distance}",
  "/sys/devices/system/node/node*/hugepages/*/*",
  "/sys/devices/system/cpu/{online,present,possible,smt/control}",
  "/sys/devices/system/cpu/cpu[0-9]*/topology/{physical_package_id,core_id,die_id,thread_siblings_list}",
  "/sys/devices/system/cpu/cpu[0-9]*/cache/index*/{id,level,type,size,shared_cpu_list}",
  "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/{scaling_governor,scaling_driver}",
  "/sys/module/{vfio*,nvidia*,kvm*,nouveau,pcie_aspm,amdgpu,i915,xe}/parameters/*",
  "/sys/module/{vfio*,nvidia*,kvm*,nouveau}/{version,refcnt,initstate} /sys/firmware/efi/fw_platform_size",
  "/etc/default/grub /etc/default/grub.d/* /etc/kernel/cmdline /etc/kernel/*pin* /etc/modules /etc/modprobe.d/*",
  "/etc/modules-load.d/* /etc/initramfs-tools/modules /etc/os-release /usr/lib/os-release /etc/fstab /etc/timezone",
  "/etc/cdi/* /etc/docker/daemon.json /etc/containerd/config.toml /etc/containerd/conf.d/*",
  "/etc/nvidia-container-runtime/config.toml /etc/resolv.conf /etc/hosts",
  "/run/cdi/* /run/modprobe.d/* /run/reboot-required* /usr/lib/modprobe.d/* /usr/lib/modules-load.d/*",
  "/usr/local/lib/modprobe.d/*",
];

/** Attributes of a PCI function. */
export const PCI_ATTRIBUTES =
  "vendor device class revision subsystem_vendor subsystem_device irq numa_node local_cpulist enable boot_vga driver_override reset_method d3cold_allowed power_state current_link_speed current_link_width max_link_speed max_link_width resource index label sriov_numvfs sriov_totalvfs power/control power/runtime_status power/runtime_enabled";

/** Attributes of a disk or a partition. */
export const BLOCK_ATTRIBUTES =
  "size dev removable ro hidden partition start serial wwid uevent queue/rotational queue/logical_block_size queue/scheduler device/model device/serial device/vendor device/rev device/firmware_rev device/address device/state device/vpd_pg80 dm/name dm/uuid md/level md/array_state loop/backing_file";

/** Things of which only the names matter: they are copied empty. */
export const NAMED_ONLY =
  "/boot/* /usr/share/kvm/* /dev/nvidia* /dev/nvidia-caps/* /dev/vfio/* /dev/kvm /dev/dri/* /lib/firmware/nvidia/*";

/** Folders that are there even where nothing in them is copied. */
export const NAMED_FOLDERS =
  "/boot /usr/share/kvm /sys/bus/pci /sys/bus/pci/devices /sys/bus/pci/drivers/* /sys/class/iommu /sys/class/iommu/* /sys/kernel/iommu_groups/* /sys/module/* /sys/firmware/efi /etc/modprobe.d /proc/driver/nvidia/gpus/* /run/systemd/system /dev/vfio /etc/pve";

/** Links that are copied as links. */
export const COPIED_LINKS =
  "/sys/bus/pci/devices/* /sys/kernel/iommu_groups/*/devices/* /sys/class/block/* /sys/block/* /sys/class/iommu/* /sys/class/drm/card* /sys/class/nvme/* /sys/class/net/* /dev/disk/by-id/* /dev/disk/by-uuid/* /dev/disk/by-label/* /etc/localtime";

/** Sockets whose presence says that a service runs. */
export const SOCKETS = "/run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock";
