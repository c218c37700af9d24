import { endOfString, isCloser, isOpener } from "./bounded-json.ts";

const QUOTE = 34;
const COLON = 58;
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
    if (isOpener(code)) depth++;
    else if (isCloser(code)) depth--;
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

function isKey(json: string, end: number): boolean {
  let at = end;
  while (SPACES.has(json.charCodeAt(at))) at++;
  return json.charCodeAt(at) === COLON;
}
