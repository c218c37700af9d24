/** Why a card runs slower than it could, as NVML's clocks event reasons say. */
export type ThrottleReason =
  | "power-cap"
  | "hardware-slowdown"
  | "software-thermal"
  | "hardware-thermal"
  | "power-brake";

/** A card at one moment. Bytes, watts, degrees Celsius. What could not be read is absent, never zero. */
export interface CardReading {
  /** `GPU-…`; the identity of a card. */
  readonly uuid: string;
  /** Position in PCI bus order. */
  readonly index: number;
  readonly name: string;
  /** `0000:f1:00.0`. */
  readonly pci?: string;
  /** The driver does not reach it any more; what follows is what was last known. */
  readonly lost?: { readonly since: number; readonly reason: string };
  readonly memoryTotal?: number;
  readonly memoryUsed?: number;
  readonly memoryFree?: number;
  /** What driver and firmware keep for themselves; where it is told, `memoryUsed` does not count it. */
  readonly memoryReserved?: number;
  /** Share of time that kernels ran, 0 to 1. */
  readonly utilization?: number;
  readonly temperature?: number;
  readonly memoryTemperature?: number;
  readonly power?: number;
  readonly powerLimit?: number;
  readonly throttled?: readonly ThrottleReason[];
  /** Uncorrected memory errors since the driver was loaded. */
  readonly eccErrors?: number;
  readonly link?: { readonly generation: number; readonly lanes: number };
  /** What the driver itself asks for before the card works as it should again. */
  readonly recovery?: "reset" | "reboot" | "drain" | "drain-and-reset";
  /** Number of the last Xid since the watch began. */
  readonly lastXid?: number;
  /** Bytes that each process of this machine holds, where the driver tells. */
  readonly holders?: readonly { readonly pid: number; readonly bytes: number }[];
  /** Milliseconds since the epoch when this was read, where that is longer ago than this look: the driver did not answer. */
  readonly asOf?: number;
}

/** Pressure stall information: share of time, 0 to 1, that some or all tasks waited, over the last ten seconds. */
export interface Pressure {
  readonly some: number;
  readonly full: number;
}

/** The machine at one moment. Bytes. */
export interface HostReading {
  readonly memoryTotal: number;
  readonly memoryAvailable: number;
  readonly swapUsed?: number;
  readonly pressure?: { readonly cpu?: Pressure; readonly memory?: Pressure; readonly io?: Pressure };
  readonly disks: readonly {
    readonly mount: string;
    readonly size: number;
    readonly free: number;
  }[];
}

/** One look at everything. */
export interface Reading {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** The same moment on a clock that never jumps, milliseconds: for how long something has been so. */
  readonly steady?: number;
  readonly cards: readonly CardReading[];
  readonly host: HostReading;
}

/** A fault of a card, as the driver or the kernel told it, or as it was found. */
export type CardFault =
  | {
      readonly kind: "xid";
      readonly uuid?: string;
      readonly pci: string;
      readonly xid: number;
      /** What the kernel said about it. */
      readonly text: string;
      /** Process that the driver names. */
      readonly pid?: number;
      /** How many there were of it since it was last told, where that is more than one. */
      readonly count?: number;
    }
  | { readonly kind: "lost"; readonly uuid: string; readonly reason: string }
  | { readonly kind: "back"; readonly uuid: string };

/** Looks at cards and machine again and again. One per node. */
export interface Watch {
  /** How cards are read: `nvml`, `nvidia-smi`, or `none` where there is neither. */
  readonly source: "nvml" | "nvidia-smi" | "none";
  /** The newest look; `undefined` before the first. */
  latest(): Reading | undefined;
  /** A look that begins now: for deciding whether memory is really free. Rejects never. */
  lookNow(): Promise<Reading>;
  /** Looks of the last minutes, oldest first. */
  recent(): readonly Reading[];
  onReading(listener: (reading: Reading) => void): () => void;
  onFault(listener: (fault: CardFault) => void): () => void;
  close(): Promise<void>;
}
