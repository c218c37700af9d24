/**
 * The segments of what follows the prefix of a path, decoded; `undefined` where one is empty or is no text in percent signs.
 * A segment may hold any character, slashes too: it is a name and never a path.
 */
export function segmentsOf(rest: string): readonly string[] | undefined {
  try {
    const segments = rest.split("/").map(decodeURIComponent);
    return segments.includes("") ? undefined : segments;
  } catch {
    return undefined;
  }
}
