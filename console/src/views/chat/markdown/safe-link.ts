const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** An address that a link may lead to, whole; `undefined` for every other scheme and for what is relative to the console. */
export function safeLink(address: string): string | undefined {
  try {
    const url = new URL(address);
    return SCHEMES.has(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
