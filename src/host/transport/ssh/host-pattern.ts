/**
 * Whether a name is meant by a list of patterns of OpenSSH: `*` and `?` stand for any characters, and a pattern after `!`
 * that matches overrules all others (ssh_config(5), PATTERNS).
 */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  const lower = name.toLowerCase();
  const meant = (pattern: string): boolean => asExpression(pattern.toLowerCase()).test(lower);
  if (patterns.some((pattern) => pattern.startsWith("!") && meant(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && meant(pattern));
}

/** Runs of stars count as one, so that no pattern takes long. */
function asExpression(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/\*+/g, "*").replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
