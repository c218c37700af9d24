import { OmniError } from "../../core/index.ts";
import type { KeyPlace } from "../../keys/index.ts";
import { openSqliteKeys, readSqliteKeys } from "../../store/sqlite-keys.ts";
import type { KeyStore } from "../../store/stored-key.ts";
import { readSecretOf, resolveFrom } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";

/**
 * Where a spec keeps keys and usage: the PostgreSQL of `gateway.store`, its folder, or the state folder. Rejects with
 * OmniError `key.unset` when the connection string is not set.
 */
export async function keyPlaceOf({ spec, folder }: LocatedSpec, stateFolder: string): Promise<KeyPlace> {
  const { store } = spec.gateway;
  if (store?.folder !== undefined) return { folder: resolveFrom(folder, store.folder) };
  if (store?.postgres === undefined) return { folder: stateFolder };
  const { postgres } = store;
  const connectionString = await readSecretOf(postgres, folder);
  if (connectionString !== undefined) return { postgres: connectionString };
  const from =
    postgres.env === undefined
      ? `the file ${postgres.file ?? ""}`
      : `the environment variable ${postgres.env}`;
  throw new OmniError(
    "key.unset",
    `The connection string of gateway.store.postgres comes from ${from}, which is not set or empty.`,
    {
      hint: postgres.env === undefined ? `Write it into ${postgres.file ?? ""}.` : `export ${postgres.env}=…`,
    },
  );
}

/** Opens keys and usage for a command; one that only reads makes no folder. */
export async function openKeyStore(
  place: KeyPlace,
  { changes }: { readonly changes: boolean },
): Promise<KeyStore> {
  if ("folder" in place)
    return changes ? openSqliteKeys(place.folder, { patient: true }) : readSqliteKeys(place.folder);
  const { openPostgresKeys } = await import("../../store/postgres/postgres-keys.ts");
  return openPostgresKeys(place.postgres);
}
