import { ANY, type Candidate, ELSEWHERE } from "./candidate.ts";

/**
 * Leaves out every candidate for which an earlier one of the list is never worse: worth at least as much, on every
 * node where it could be, using no more of any bin. The list begins with the greatest value.
 */
export function withoutDominated(candidates: readonly Candidate[]): readonly Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (!kept.some((other) => dominates(other, candidate))) kept.push(candidate);
  }
  return kept;
}

function dominates(better: Candidate, other: Candidate): boolean {
  if (better.kind === ELSEWHERE) return true;
  if (better.kind !== other.kind || (better.node !== ANY && better.node !== other.node)) return false;
  let at = 0;
  for (const [index, bin] of better.bins.entries()) {
    while (at < other.bins.length && (other.bins[at] ?? 0) < bin) at++;
    if (other.bins[at] !== bin || (other.amounts[at] ?? 0) < (better.amounts[index] ?? 0)) return false;
  }
  return true;
}
