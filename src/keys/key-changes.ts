import type { NewEvent } from "../core/index.ts";
import type { StoredKey } from "../store/stored-key.ts";

/** What became of keys between two looks, as events. The first look tells nothing. */
export function keyChanges(before: readonly StoredKey[], after: readonly StoredKey[]): readonly NewEvent[] {
  const old = new Map(before.map((key) => [key.name, key]));
  const events = after.flatMap((key) => {
    const was = old.get(key.name);
    old.delete(key.name);
    const said = sentence(was, key);
    return said === undefined ? [] : [event(...said, key.name)];
  });
  const gone = [...old.values()]
    .filter(({ revoked }) => revoked === undefined)
    .map(({ name }) =>
      event("key.revoked", `The key ${name} was deleted; its requests are refused from now on.`, name),
    );
  return [...events, ...gone];
}

const event = (kind: string, message: string, key: string): NewEvent => ({
  severity: "info",
  kind,
  message,
  data: { key },
});

function sentence(was: StoredKey | undefined, now: StoredKey): [kind: string, message: string] | undefined {
  const fresh = was === undefined || was.created !== now.created || was.revoked !== undefined;
  if (now.revoked !== undefined) {
    if (was?.revoked !== undefined || was === undefined) return undefined;
    return ["key.revoked", `The key ${now.name} was revoked; its requests are refused from now on.`];
  }
  if (fresh) return ["key.created", `The key ${now.name} was created.`];
  if (was.digest === now.digest) return undefined;
  const grace =
    now.graced === undefined
      ? "the old secret ended at once"
      : `the old secret is good until ${new Date(now.graced.until).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return ["key.rotated", `The key ${now.name} has a new secret; ${grace}.`];
}
