/** How much is kept. Whatever exceeds either bound is deleted, oldest first. */
export interface Retention {
  readonly events: number;
  /** Milliseconds. */
  readonly age: number;
  /** Milliseconds that averages of ten seconds and of five minutes are kept, and rows of either at most. */
  readonly samples: { readonly fine: number; readonly coarse: number; readonly rows: number };
  /** Measurements of one kind, and of all together. */
  readonly measurements: { readonly perKey: number; readonly all: number };
}

const DAY = 86_400_000;

export const RETENTION: Retention = {
  events: 50_000,
  age: 30 * DAY,
  // A node of eight cards fills three quarters of the rows.
  samples: { fine: DAY, coarse: 30 * DAY, rows: 100_000 },
  measurements: { perKey: 8, all: 2000 },
};
