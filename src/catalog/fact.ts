/** Where a fact that ages comes from, and when it was true. */
export interface Sourced {
  readonly source: string;
  /** ISO date. */
  readonly date: string;
}
