/** `stem.log`, or `stem.2.log` while an engine that lives has that. */
export function firstFree(stem: string, suffix: string, taken: ReadonlySet<string>): string {
  let path = `${stem}${suffix}`;
  for (let n = 2; taken.has(path); n++) path = `${stem}.${n}${suffix}`;
  return path;
}
