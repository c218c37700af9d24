/** Kind, and node, of what uses no node. */
export const ELSEWHERE = -1;

/** No particular node. */
export const ANY = -1;

/** An option ready for the solver: checked, without zero amounts, an exclusive bin taken whole. */
export interface Candidate {
  readonly item: number;
  /** Index among the item's options in the problem. */
  readonly option: number;
  readonly value: number;
  /** Kind of node; `ELSEWHERE` for what uses no node. */
  readonly kind: number;
  /** The only node; `ANY` for each node of the kind. */
  readonly node: number;
  readonly bins: readonly number[];
  readonly amounts: readonly number[];
}
