/** A card of a reading, as far as its history is kept. Bytes, shares, degrees, watts. */
export interface SampledCard {
  readonly uuid: string;
  /** What follows is not of now. */
  readonly lost?: unknown;
  readonly asOf?: number;
  readonly memoryUsed?: number;
  readonly utilization?: number;
  readonly temperature?: number;
  readonly power?: number;
  readonly throttled?: readonly string[];
}

/** Share of time that some tasks waited. */
interface SampledPressure {
  readonly some: number;
}

/** A look at cards and machine, as far as its history is kept. */
export interface SampledReading {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly cards: readonly SampledCard[];
  readonly host: {
    readonly memoryAvailable: number;
    readonly swapUsed?: number;
    readonly pressure?: {
      readonly cpu?: SampledPressure;
      readonly memory?: SampledPressure;
      readonly io?: SampledPressure;
    };
    readonly disks: readonly { readonly free: number }[];
  };
}

/** What is kept of a figure over a time. */
export interface Spread {
  readonly average: number;
  readonly min: number;
  readonly max: number;
}

interface Point {
  /** Milliseconds since the epoch at which it begins. */
  readonly time: number;
  /** Looks that told values. */
  readonly looks: number;
}

/** A card over one step of its history; a figure that was never told is absent. */
export interface CardPoint extends Point {
  /** Looks at which the card was lost, and at which its clocks were held down. */
  readonly lost: number;
  readonly throttled: number;
  readonly memoryUsed?: Spread;
  readonly utilization?: Spread;
  readonly temperature?: Spread;
  readonly power?: Spread;
}

/** The machine over one step of its history. */
export interface HostPoint extends Point {
  readonly memoryAvailable?: Spread;
  readonly swapUsed?: Spread;
  readonly cpuPressure?: Spread;
  readonly memoryPressure?: Spread;
  readonly ioPressure?: Spread;
  /** Of the disk with the least free. */
  readonly diskFree?: Spread;
}
