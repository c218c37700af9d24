/** The numbers of a version in order: `6.8.12-13-pve` is 6, 8, 12, 13. */
const numbersOf = (version: string): readonly number[] => (version.match(/\d+/g) ?? []).map(Number);

/** Below 0 when `a` is older; missing parts count as 0. */
export const compareVersions = (a: string, b: string): number => compare(numbersOf(a), numbersOf(b));

function compare(left: readonly number[], right: readonly number[]): number {
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const isAtLeast = (version: string, least: string): boolean => compareVersions(version, least) >= 0;

/** A bound allows all that begins with its numbers: 6.8.12-13 is not above 6.8.12, nor 6.8.12 above 6.8. */
export function isNewerThanBound(version: string, bound: string): boolean {
  const most = numbersOf(bound);
  return compare(numbersOf(version).slice(0, most.length), most) > 0;
}

/** The first two numbers, `6.8` of `proxmox-kernel-6.8.12-13-pve`; nothing for a text without two. */
export function releaseLine(version: string): string | undefined {
  const match = /(\d+)\.(\d+)/.exec(version);
  return match === null ? undefined : `${match[1]}.${match[2]}`;
}
