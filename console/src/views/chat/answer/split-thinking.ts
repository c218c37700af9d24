const OPEN = "<think>";
const CLOSE = "</think>";

/**
 * What a model thought and what it said, where its template leaves the thoughts in the text: `<think>…</think>` at the very
 * beginning. A tag that has only half come is not shown as text.
 */
export function splitThinking(text: string): { readonly thought: string; readonly said: string } {
  const start = text.trimStart();
  if (!start.startsWith(OPEN)) {
    return start !== "" && OPEN.startsWith(start) ? { thought: "", said: "" } : { thought: "", said: text };
  }
  const inner = start.slice(OPEN.length);
  const end = inner.indexOf(CLOSE);
  if (end < 0) return { thought: withoutTorn(inner).trim(), said: "" };
  return { thought: inner.slice(0, end).trim(), said: inner.slice(end + CLOSE.length).trimStart() };
}

/** Without the beginning of the closing tag at its end. */
function withoutTorn(text: string): string {
  const at = text.lastIndexOf("<");
  return at >= 0 && CLOSE.startsWith(text.slice(at)) ? text.slice(0, at) : text;
}
