import { shownOfSpec, shownStored } from "../../../keys/index.ts";
import type { KeyOfSpec, NodeKeys, ShownKey } from "../../../keys/index.ts";

/** What a running node has of keys. */
export interface KeyDesk extends Pick<NodeKeys, "store" | "lookNow"> {
  /** Whether the node asks nobody for a key. */
  readonly open: () => boolean;
  /** The keys of the spec in force, and the names of those whose secret is set. */
  readonly ofSpec: () => {
    readonly origin: string;
    readonly keys: Readonly<Record<string, KeyOfSpec>>;
    readonly set: ReadonlySet<string>;
  };
}

/** All keys of spec and store, revoked ones too. `now` in milliseconds since the epoch. */
export async function allKeys({ store, ofSpec }: KeyDesk, now: number): Promise<readonly ShownKey[]> {
  const { keys, set } = ofSpec();
  const stored = await store.list();
  return [...shownOfSpec(keys, set, now), ...stored.map((key) => shownStored(key, now))];
}
