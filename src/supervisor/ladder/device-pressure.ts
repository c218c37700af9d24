/** What one look says of a device: a card, or main memory. Bytes, degrees Celsius; absent where it cannot be read. */
export interface DeviceLook {
  readonly free?: number;
  readonly temperature?: number;
}

export interface DeviceState {
  /** Looks in a row that found too little free, and that found it too hot. */
  readonly low: number;
  readonly hot: number;
  /** It was too hot and has not become clearly cooler. */
  readonly heated: boolean;
}

export const EASY: DeviceState = { low: 0, hot: 0, heated: false };

export interface DeviceRules {
  /** Bytes that are kept free. */
  readonly kept: number;
  readonly maxTemperature: number;
}

/** A peak of a load or of one request is no shortage: it has to show in this many looks in a row. */
const LOOKS = 3;

/** A card counts as cool again this many degrees below its limit. */
export const COOLER = 5;

export interface DeviceStep {
  readonly state: DeviceState;
  /** Bytes to free, while it is short of them. */
  readonly missing: number;
  readonly tooHot: boolean;
  /** Neither short nor hot, not even in this one look. */
  readonly calm: boolean;
}

/** Whether a device is under pressure, by its looks in a row. Pure. */
export function stepDevice(state: DeviceState, look: DeviceLook, rules: DeviceRules): DeviceStep {
  const short = look.free === undefined ? 0 : Math.max(0, rules.kept - look.free);
  const low = short > 0 ? Math.min(LOOKS, state.low + 1) : 0;
  const { temperature } = look;
  const over = temperature !== undefined && temperature >= rules.maxTemperature;
  const hot = over ? Math.min(LOOKS, state.hot + 1) : 0;
  const warm = temperature !== undefined && temperature > rules.maxTemperature - COOLER;
  const heated = hot >= LOOKS || (state.heated && warm);
  return {
    state: { low, hot, heated },
    missing: low >= LOOKS ? short : 0,
    tooHot: hot >= LOOKS,
    calm: short === 0 && !over && !heated,
  };
}
