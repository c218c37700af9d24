const NAME = "omni-key";

let held: string | undefined;

/** The key that requests show; `undefined` where none was given. It lives in memory, and for this tab's session if kept. */
export function sessionKey(): string | undefined {
  held ??= sessionStorage.getItem(NAME) ?? undefined;
  return held;
}

/** Takes a key for this tab: in memory alone, or until the tab is closed. */
export function holdKey(key: string, keep: boolean): void {
  held = key;
  if (keep) sessionStorage.setItem(NAME, key);
  else sessionStorage.removeItem(NAME);
}

export function forgetKey(): void {
  held = undefined;
  sessionStorage.removeItem(NAME);
}
