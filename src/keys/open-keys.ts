import type { NodeKeys, NodeKeysOptions } from "./node-keys.ts";
import { openLocalKeys } from "./open-local-keys.ts";

/** Where keys, limits and usage are kept: the state folder of one node, or a PostgreSQL that several share. */
export type KeyPlace = { readonly folder: string } | { readonly postgres: string };

/**
 * Opens keys, limits and usage for a node; call it after the state folder is this node's. Rejects with OmniError
 * `store.unwritable`, `store.newer-version`, and `store.unreachable` for what is no connection string.
 */
export async function openKeys(place: KeyPlace, options: NodeKeysOptions): Promise<NodeKeys> {
  if ("folder" in place) return openLocalKeys(place.folder, options);
  // Nobody pays for the driver who does not use it.
  const { openSharedKeys } = await import("./open-shared-keys.ts");
  return openSharedKeys(place.postgres, options);
}
