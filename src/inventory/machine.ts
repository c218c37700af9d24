/** A GPU as observed. Bytes, watts, degrees Celsius. What could not be read is absent, never zero. */
export interface GpuInventory {
  /** As the driver or the PCI id table names it. */
  readonly name: string;
  readonly vendor: "nvidia" | "amd" | "intel" | "other";
  /** `GPU-…`, as nvidia-smi -L prints it. */
  readonly uuid?: string;
  /** `0000:f1:00.0`. */
  readonly pci?: string;
  /** Vendor and device, `10de:2bb1`. */
  readonly pciId?: string;
  readonly index?: number;
  readonly memoryTotal?: number;
  readonly memoryUsed?: number;
  readonly memoryReserved?: number;
  readonly computeCapability?: string;
  readonly driver?: string;
  readonly numaNode?: number;
  /** As card and slot can run it: lanes in use, and the generation that an idle card drops below. */
  readonly link?: { readonly generation: number; readonly lanes: number };
  readonly temperature?: number;
  readonly power?: number;
  /** Kernel driver bound to it: `nvidia`, `vfio-pci`. */
  readonly kernelDriver?: string;
}

/** A whole disk or a mounted file system as observed. Bytes. */
export interface DiskInventory {
  readonly name: string;
  /** Under /dev/disk/by-id, where there is one. */
  readonly byId?: string;
  readonly serial?: string;
  readonly model?: string;
  readonly size?: number;
  readonly rotational?: boolean;
  readonly mounts: readonly MountInventory[];
}

export interface MountInventory {
  readonly path: string;
  readonly filesystem: string;
  readonly size: number;
  /** Free for a process without privileges. */
  readonly free: number;
}

export interface NumaNodeInventory {
  readonly id: number;
  readonly cpus: string;
  readonly memory: number;
}

/** What one probe could not tell, and why: detection goes on without it. */
export interface ProbeNote {
  readonly probe: string;
  readonly message: string;
}

/** A machine as its probes saw it. */
export interface MachineInventory {
  readonly hostname: string;
  readonly cpu: {
    readonly model?: string;
    readonly sockets?: number;
    readonly cores: number;
    readonly threads: number;
    readonly features: readonly string[];
    /** Bytes of the caches by level, summed over the machine. */
    readonly caches: { readonly l2?: number; readonly l3?: number };
  };
  readonly numa: readonly NumaNodeInventory[];
  readonly memory: {
    readonly total: number;
    readonly available: number;
    /** Pages reserved by size; bytes and counts. */
    readonly hugepages?: readonly { readonly size: number; readonly count: number; readonly free: number }[];
  };
  readonly gpus: readonly GpuInventory[];
  readonly disks: readonly DiskInventory[];
  /** Root file system. */
  readonly root?: MountInventory;
  /** NVIDIA driver; the flavour is that of the loaded kernel modules. */
  readonly driver?: {
    readonly version: string;
    readonly cuda?: string;
    readonly flavour?: "open" | "proprietary";
  };
  readonly docker: boolean;
  readonly notes: readonly ProbeNote[];
}
