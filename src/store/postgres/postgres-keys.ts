import type { OmniError } from "../../core/index.ts";
import { keyExists, keyFromRow, keyToRow, keyUnknown, KEY_COLUMNS, notRevoked } from "../key-table.ts";
import type { KeyStore, Rotation, StoredKey, UsageQuery, UsageRow } from "../stored-key.ts";
import { ADD_USAGE, usageFromRow, USAGE_COLUMNS } from "../usage-table.ts";
import { PostgresLink } from "./postgres-link.ts";

const COLUMNS = KEY_COLUMNS.split(", ");
const CREATE =
  `INSERT INTO omni_keys (${KEY_COLUMNS}) VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(", ")}) ` +
  `ON CONFLICT (name) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(", ")} ` +
  "WHERE omni_keys.revoked IS NOT NULL RETURNING name";
const ROTATE =
  "UPDATE omni_keys SET graced = CASE WHEN $2::bigint IS NULL THEN NULL ELSE digest END, graced_until = $2, " +
  "digest = $3, prefix = $4, rotated = $5 WHERE name = $1 AND revoked IS NULL RETURNING name";
const REVOKE =
  "UPDATE omni_keys SET revoked = $2, graced = NULL, graced_until = NULL WHERE name = $1 AND revoked IS NULL RETURNING name";
const FORGET = "DELETE FROM omni_keys WHERE name = $1 AND revoked IS NOT NULL RETURNING name";
const TYPES = {
  requests: "bigint",
  prompt_tokens: "bigint",
  completion_tokens: "bigint",
  cached_tokens: "bigint",
};
const typeOf = (column: string): string =>
  Object.entries(TYPES).find(([name]) => name === column)?.[1] ?? "text";
const ADD =
  `INSERT INTO omni_usage AS key_usage (${USAGE_COLUMNS.join(", ")}) SELECT * FROM ` +
  `unnest(${USAGE_COLUMNS.map((column, index) => `$${index + 1}::${typeOf(column)}[]`).join(", ")}) ` +
  // One order for all gateways, so that none waits for another in a circle.
  `ORDER BY 1, 2, 3, 4 ${ADD_USAGE}`;

/** Keys and usage of several gateways in one PostgreSQL. */
export class PostgresKeys implements KeyStore {
  readonly #link: PostgresLink;
  #generation = "";

  constructor(link: PostgresLink) {
    this.#link = link;
  }

  /** All keys, when any of them has changed since the last call, and at first. Rejects with OmniError `store.unreachable`. */
  async listIfChanged(): Promise<readonly StoredKey[] | undefined> {
    const [row] = await this.#link.query<{ n: string }>("SELECT n FROM omni_keys_generation");
    const generation = row?.n ?? "";
    if (generation === this.#generation) return undefined;
    const keys = await this.list();
    this.#generation = generation;
    return keys;
  }

  async list(): Promise<readonly StoredKey[]> {
    return (await this.#link.query(`SELECT ${KEY_COLUMNS} FROM omni_keys ORDER BY name`)).map(keyFromRow);
  }

  async create(key: StoredKey): Promise<void> {
    if ((await this.#link.query(CREATE, keyToRow(key))).length === 0) throw keyExists(key.name);
  }

  rotate(name: string, { digest, prefix, at, graceUntil }: Rotation): Promise<void> {
    return this.#change(ROTATE, [name, graceUntil ?? null, digest, prefix, at], keyUnknown(name));
  }

  revoke(name: string, at: number): Promise<void> {
    return this.#change(REVOKE, [name, at], keyUnknown(name));
  }

  forget(name: string): Promise<void> {
    return this.#change(FORGET, [name], notRevoked(name));
  }

  async usage({ from, to, key }: UsageQuery): Promise<readonly UsageRow[]> {
    const rows = await this.#link.query(
      `SELECT ${USAGE_COLUMNS.join(", ")} FROM omni_usage WHERE day >= $1 AND day <= $2 AND ($3::text IS NULL OR key = $3) ` +
        "ORDER BY day, key, model, service",
      [from, to, key ?? null],
    );
    return rows.map(usageFromRow);
  }

  /** Adds usage, all or nothing. Rejects with OmniError `store.unreachable`. */
  async addUsage(rows: readonly UsageRow[]): Promise<void> {
    await this.#link.query(ADD, [
      rows.map(({ day }) => day),
      rows.map(({ key }) => key),
      rows.map(({ model }) => model),
      rows.map(({ service }) => service),
      rows.map(({ requests }) => requests),
      rows.map(({ promptTokens }) => promptTokens),
      rows.map(({ completionTokens }) => completionTokens),
      rows.map(({ cachedTokens }) => cachedTokens),
    ]);
  }

  async pruneUsage(oldestDay: string): Promise<void> {
    await this.#link.query("DELETE FROM omni_usage WHERE day < $1", [oldestDay]);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #change(statement: string, values: readonly unknown[], otherwise: OmniError): Promise<void> {
    if ((await this.#link.query(statement, values)).length === 0) throw otherwise;
  }
}

/** The channel that PostgreSQL notifies of changed keys. */
export const KEYS_CHANNEL = "omni_keys";

/** Opens a shared store for a command. Rejects with OmniError `store.unreachable` when it is away. */
export async function openPostgresKeys(connectionString: string): Promise<KeyStore> {
  const nobody = { up: () => {}, down: () => {}, notified: () => {} };
  const link = new PostgresLink(connectionString, KEYS_CHANNEL, nobody);
  await link.connect({ keepTrying: false });
  return new PostgresKeys(link);
}
