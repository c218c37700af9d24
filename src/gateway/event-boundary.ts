const LF = 0x0a;
const CR = 0x0d;

/**
 * The index after the last blank line in the bytes, where an SSE event ends; 0 when none ends here. Where none ends within
 * the first `known` bytes, only what came behind them is searched.
 */
export function lastEventEnd(bytes: Buffer, known = 0): number {
  const length = bytes.length;
  if (length >= 2 && bytes[length - 1] === LF && bytes[length - 2] === LF) return length;
  for (let at = bytes.lastIndexOf(LF); at > 0 && at >= known; at = bytes.lastIndexOf(LF, at - 1)) {
    const before = bytes[at - 1] === CR ? at - 2 : at - 1;
    if (before >= 0 && bytes[before] === LF) return at + 1;
  }
  return 0;
}
