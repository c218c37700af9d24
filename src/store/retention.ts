/** How much is kept. Whatever exceeds either bound is deleted, oldest first. */
export interface Retention {
  readonly events: number;
  /** Milliseconds. */
  readonly age: number;
}

export const RETENTION: Retention = { events: 50_000, age: 30 * 86_400_000 };
