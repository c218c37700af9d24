import { z } from "zod";

/** What a measurement is of: only equal ones say something about each other. */
export interface MeasurementKey {
  /** The model as the spec names it, not the service: services come and go. */
  readonly model: string;
  /** Kind of engine in the catalog. */
  readonly engine: string;
  /** Version of the engine; empty where it is not known. */
  readonly version: string;
  /** Names of the cards' models, in the order of the placement. */
  readonly cards: readonly string[];
  /** Stands for all settings that change what is taken: context, parallel, cache type, offload. */
  readonly settings: string;
}

const bytes = z.number().exactOptional();
const terms = z.strictObject({ weights: bytes, kvCache: bytes, compute: bytes, total: bytes });

const measured = z.strictObject({
  devices: z
    .array(
      z.strictObject({
        /** As the plan names it. */
        device: z.string(),
        uuid: z.string().exactOptional(),
        predicted: terms,
        /** `total` as the driver told it of the engine's processes. */
        took: terms,
      }),
    )
    .readonly(),
  predictedKvTokens: z.number().exactOptional(),
  kvTokens: z.number().exactOptional(),
  /** Milliseconds from start to ready. */
  loadTime: z.number().exactOptional(),
  /** Generated for all requests together, the most that was seen over some seconds. */
  tokensPerSecond: z.number().exactOptional(),
});
export type Measured = z.output<typeof measured>;

/** What an engine really took, beside what was predicted. */
export interface NewMeasurement extends MeasurementKey, Measured {
  readonly service: string;
}

export interface Measurement extends NewMeasurement {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export const MEASUREMENT_COLUMNS = "id, time, service, model, engine, version, cards, settings, measured";

export const cardsText = (cards: readonly string[]): string => JSON.stringify(cards);

/** The part that is no key, as text. */
export function measuredText(measurement: Measured): string {
  const { devices, predictedKvTokens, kvTokens, loadTime, tokensPerSecond } = measurement;
  return JSON.stringify({ devices, predictedKvTokens, kvTokens, loadTime, tokensPerSecond });
}

/** The measurement of a row; `undefined` where another version wrote what this one does not understand. */
export function measurementOf(row: Readonly<Record<string, unknown>>): Measurement | undefined {
  const rest = measured.safeParse(parsed(row["measured"]));
  const cards = z.array(z.string()).safeParse(parsed(row["cards"]));
  if (!rest.success || !cards.success) return undefined;
  const text = (column: string): string => String(row[column]);
  return {
    id: Number(row["id"]),
    time: Number(row["time"]),
    service: text("service"),
    model: text("model"),
    engine: text("engine"),
    version: text("version"),
    cards: cards.data,
    settings: text("settings"),
    ...rest.data,
  };
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
