/** Shorter values are words like `true`; hiding these would hide the reason. */
const SHORTEST_SECRET = 6;
const LONGEST = 400;

const PATTERNS: readonly [RegExp, string][] = [
  [/(:\/\/)[^/\s:@]*:[^/\s@]+@/g, "$1***@"],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, "$1 ***"],
  [
    /\b([\w-]*(?:token|secret|password|passwd|api[_-]?key|apikey|authorization))(["']?\s*[=:]\s*["']?)[^\s"'&,;]+/gi,
    "$1$2***",
  ],
  // One line, and nothing that a terminal acts on.
  [/\s+/g, " "],
  [/\p{Cc}/gu, ""],
];

/** A function that hides the given secrets, and what looks like one, in text of at most 400 characters. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const values = [...new Set(secrets)]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .toSorted((one, other) => other.length - one.length);
  return (text) => {
    // Cut generously first, so that a flood costs nothing, and after hiding again: half a secret is one too.
    let clean = text.slice(0, LONGEST * 20);
    for (const value of values) clean = clean.replaceAll(value, "***");
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return clean.length <= LONGEST ? clean : `${clean.slice(0, LONGEST)}…`;
  };
}
