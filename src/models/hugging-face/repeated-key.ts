const QUOTE = 34;
const BACKSLASH = 92;
const COLON = 58;
const OPENERS: ReadonlySet<number> = new Set([91, 123]);
const CLOSERS: ReadonlySet<number> = new Set([93, 125]);
const SPACES: ReadonlySet<number> = new Set([9, 10, 13, 32]);

/**
 * The first key that stands twice in the outermost object of a JSON text, if one does. `JSON.parse` keeps the last of
 * them silently, so that two readers of one file could see two different models.
 */
export function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (OPENERS.has(code)) depth++;
    else if (CLOSERS.has(code)) depth--;
    else if (code === QUOTE) {
      const end = endOfString(json, at);
      if (depth === 1 && isKey(json, end)) {
        const key = json.slice(at, end);
        if (seen.has(key)) return key.slice(1, -1);
        seen.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** The offset after the closing quote. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return json.length;
}

function isKey(json: string, end: number): boolean {
  let at = end;
  while (SPACES.has(json.charCodeAt(at))) at++;
  return json.charCodeAt(at) === COLON;
}
