import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Provider } from "../../../src/mcp/index.ts";
import { Database } from "../../../src/mcp/postgres/database.ts";
import { createPostgres } from "../../../src/mcp/postgres/postgres-server.ts";
import { rowBounds } from "../../../src/mcp/postgres/row-bounds.ts";
import { ToolFailure } from "../../../src/mcp/postgres/tool-failure.ts";
import { noPostgres } from "../../fakes/postgres-server.ts";
import { ask, attackedDatabase, OPTIONS } from "./attacked-database.ts";
import type { AttackedDatabase } from "./attacked-database.ts";

/** One attack as a plain role: what the first net says, and what the wall behind it does when the net is not there. */
interface Attack {
  readonly name: string;
  readonly sql: string;
  readonly params?: readonly unknown[];
  /** SQLSTATE of the server's refusal; `harmless` where it runs and must leave nothing. */
  readonly wall: string;
  /** Words of the tool's refusal; absent where it passes the net and must end as at the wall. */
  readonly net?: RegExp;
}

const NET = /is not for this tool|begins with no command/u;
const stacked = (name: string, sql: string, net?: RegExp): Attack => ({
  name: `stacked: ${name}`,
  sql,
  wall: "42601",
  ...(net === undefined ? {} : { net }),
});

const ATTACKS: readonly Attack[] = [
  stacked("two statements", "SELECT 1; DELETE FROM victims"),
  stacked("commit first", "COMMIT; DELETE FROM victims", NET),
  stacked("commit behind", "SELECT 1; COMMIT; DROP TABLE victims"),
  stacked("behind a comment", "/* a /* nested */ b */ COMMIT; DELETE FROM victims", NET),
  stacked("in a line comment", "-- SELECT\nROLLBACK; DELETE FROM victims", NET),
  stacked("carriage return ends the comment", "-- \rCOMMIT; DELETE FROM victims", NET),
  stacked("behind a dollar quote", "SELECT $a$; $a$; DELETE FROM victims"),
  stacked("an escape string", "SELECT E'\\'; --'; DELETE FROM victims"),
  stacked("semicolons in front", ";;; SELECT 1; DELETE FROM victims"),
  stacked("with a parameter", "SELECT $1::int; DELETE FROM victims"),
  { name: "copy to a program", sql: "COPY (SELECT 1) TO PROGRAM 'id'", wall: "42501", net: NET },
  { name: "copy from a program", sql: "COPY victims FROM PROGRAM 'id'", wall: "42501", net: NET },
  { name: "copy to a file", sql: "COPY victims TO '/tmp/omni-attack'", wall: "42501", net: NET },
  { name: "copy to the client", sql: "COPY victims TO STDOUT", wall: "broken", net: NET },
  { name: "copy from the client", sql: "COPY victims FROM STDIN", wall: "42501", net: NET },
  { name: "read a file", sql: "SELECT pg_read_file('/etc/passwd')", wall: "42501" },
  { name: "list a folder", sql: "SELECT * FROM pg_ls_dir('/')", wall: "42501" },
  { name: "import a file", sql: "SELECT lo_import('/etc/passwd')", wall: "42501" },
  { name: "export a file", sql: "SELECT lo_export(1, '/tmp/omni-attack')", wall: "42501" },
  { name: "a large object", sql: "SELECT lo_create(0)", wall: "25006" },
  { name: "a large object with bytes", sql: "SELECT lo_from_bytea(0, 'x')", wall: "25006" },
  { name: "a DO block that writes", sql: "DO $$ BEGIN DELETE FROM victims; END $$", wall: "25006", net: NET },
  { name: "a DO block that commits", sql: "DO $$ BEGIN COMMIT; END $$", wall: "2D000", net: NET },
  { name: "a procedure that commits", sql: "CALL committing()", wall: "2D000", net: NET },
  {
    name: "a new function",
    sql: "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    wall: "25006",
    net: NET,
  },
  {
    name: "read-write by set_config",
    sql: "SELECT set_config('transaction_read_only', 'off', true)",
    wall: "25001",
  },
  { name: "read-write by SET TRANSACTION", sql: "SET TRANSACTION READ WRITE", wall: "25001", net: NET },
  {
    name: "read-write for the session",
    sql: "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    wall: "harmless",
    net: NET,
  },
  {
    name: "a default that writes",
    sql: "SELECT set_config('default_transaction_read_only', 'off', false)",
    wall: "harmless",
  },
  { name: "a function that switches to writing", sql: "SELECT switched()", wall: "25001" },
  { name: "a function with its owner's rights", sql: "SELECT sneaky()", wall: "25006" },
  {
    name: "no statement timeout",
    sql: "SELECT set_config('statement_timeout', '0', false)",
    wall: "harmless",
  },
  { name: "another role by set_config", sql: "SELECT set_config('role', 'omni', false)", wall: "42501" },
  {
    name: "another search path",
    sql: "SELECT set_config('search_path', 'pg_temp', false)",
    wall: "harmless",
  },
  { name: "another role", sql: "SET ROLE omni", wall: "42501", net: NET },
  { name: "another user", sql: "SET SESSION AUTHORIZATION omni", wall: "42501", net: NET },
  { name: "the role's own default", sql: "RESET ROLE", wall: "harmless", net: NET },
  { name: "all settings", sql: "RESET ALL", wall: "harmless", net: NET },
  { name: "an advisory lock of the session", sql: "SELECT pg_advisory_lock(42)", wall: "harmless" },
  { name: "listening", sql: "LISTEN gossip", wall: "harmless", net: NET },
  { name: "telling", sql: "NOTIFY gossip", wall: "harmless", net: NET },
  { name: "telling by function", sql: "SELECT pg_notify('gossip', 'told')", wall: "harmless" },
  { name: "a temporary table", sql: "CREATE TEMP TABLE t (a int)", wall: "25006", net: NET },
  { name: "rows into a table", sql: "SELECT 1 INTO taken", wall: "25006" },
  {
    name: "a CTE that writes",
    sql: "WITH d AS (DELETE FROM victims RETURNING *) SELECT * FROM d",
    wall: "25006",
  },
  { name: "EXPLAIN ANALYZE that writes", sql: "EXPLAIN ANALYZE DELETE FROM victims", wall: "25006" },
  { name: "locks of rows", sql: "SELECT * FROM victims FOR UPDATE", wall: "25006" },
  { name: "a lock of a table", sql: "LOCK TABLE victims", wall: "42501", net: NET },
  { name: "a prepared statement", sql: "PREPARE p AS SELECT 1", wall: "harmless", net: NET },
  { name: "running what was prepared", sql: "EXECUTE p", wall: "26000", net: NET },
  { name: "forgetting what was prepared", sql: "DEALLOCATE ALL", wall: "harmless", net: NET },
  { name: "a prepared transaction", sql: "PREPARE TRANSACTION 'x'", wall: "55000", net: NET },
  {
    name: "a cursor beyond the transaction",
    sql: "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    wall: "harmless",
    net: NET,
  },
  { name: "a lone commit", sql: "COMMIT", wall: "harmless", net: NET },
  { name: "a commit with another transaction", sql: "COMMIT AND CHAIN", wall: "harmless", net: NET },
  { name: "a lone rollback", sql: "ROLLBACK", wall: "harmless", net: NET },
  { name: "a sequence", sql: "SELECT nextval('counter')", wall: "25006" },
  { name: "a sequence's value", sql: "SELECT setval('counter', 99)", wall: "25006" },
  {
    name: "ending others",
    sql: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'omni'",
    wall: "42501",
  },
  {
    name: "cancelling others",
    sql: "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'omni'",
    wall: "42501",
  },
  { name: "passwords", sql: "SELECT * FROM pg_shadow", wall: "42501" },
  { name: "passwords of roles", sql: "SELECT rolpassword FROM pg_authid", wall: "42501" },
  {
    name: "its own settings for ever",
    sql: "ALTER ROLE reader SET statement_timeout = 0",
    wall: "25006",
    net: NET,
  },
  { name: "a library", sql: "LOAD 'dblink'", wall: "42501", net: NET },
  { name: "a server's configuration", sql: "SELECT pg_reload_conf()", wall: "42501" },
  {
    name: "a query in a function",
    sql: "SELECT query_to_xml('DELETE FROM victims', true, true, '')",
    wall: "0A000",
  },
  { name: "an exported snapshot", sql: "SELECT pg_export_snapshot()", wall: "harmless" },
  { name: "a setting of its own", sql: "SELECT set_config('omni.left', 'behind', false)", wall: "harmless" },
  { name: "no command", sql: "/* nothing */", wall: "harmless", net: NET },
  { name: "an identifier first", sql: '"SELECT" 1', wall: "42601", net: NET },
];

/** What a session of the role looks like before anybody used it. */
const STATE = `SELECT json_build_object('user', current_user, 'session', session_user,
  'settings', (SELECT json_object_agg(name, setting ORDER BY name) FROM pg_settings
    WHERE name IN ('statement_timeout', 'lock_timeout', 'search_path', 'default_transaction_read_only', 'role',
      'transaction_read_only', 'work_mem', 'idle_in_transaction_session_timeout', 'application_name')),
  'left', coalesce(current_setting('omni.left', true), ''),
  'prepared', (SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%json_build_object%'),
  'cursors', (SELECT count(*) FROM pg_cursors WHERE is_holdable),
  'listening', (SELECT count(*) FROM pg_listening_channels()))::text`;

describe.skipIf(noPostgres() !== undefined)("attacks on the PostgreSQL server", () => {
  let world: AttackedDatabase;
  let tools: Provider;
  let wall: Database;
  let before: string;
  let clean: string;
  const told: string[] = [];
  const never = new AbortController().signal;
  const bare = (sql: string, params: readonly unknown[] = []): Promise<unknown> =>
    wall.read(never, (transaction) => transaction.rows(sql, params, rowBounds(wall.options)));
  const stateOf = (): Promise<string> =>
    wall.read(never, async (transaction) => (await transaction.list(STATE))[0]?.[0] ?? "");

  beforeAll(async () => {
    world = await attackedDatabase();
    tools = createPostgres({ ...OPTIONS, dsn: world.dsn("reader") });
    // One connection, so that each call gets the session of the one before.
    wall = new Database({ ...OPTIONS, dsn: world.dsn("reader"), connections: 1 }, () => undefined);
    world.admin.on("notification", ({ channel }) => told.push(channel));
    await world.admin.query("LISTEN gossip");
    clean = await stateOf();
    before = await world.fingerprint();
  });
  afterAll(async () => {
    await tools?.close();
    await wall?.close();
    await world?.remove();
  });

  it.each(ATTACKS)(
    "$name: the server itself, without the first net",
    async ({ sql, params, wall: expected }) => {
      const outcome = await bare(sql, params).then(
        () => "harmless",
        (error: unknown) => (error instanceof ToolFailure ? (error.words?.code ?? "broken") : String(error)),
      );
      expect(outcome).toBe(expected);
      expect(await world.fingerprint()).toBe(before);
      expect(await stateOf()).toBe(clean);
      expect(told).toEqual([]);
    },
  );

  it.each(ATTACKS)("$name: by the tool", async ({ sql, params = [], wall: expected, net }) => {
    const said = await ask(tools, "query", { sql, params });
    expect(said.failed).toBe(net !== undefined || expected !== "harmless");
    const ran = expected === "harmless" ? /\d rows?\./u : new RegExp(`"code":"${expected}"`, "u");
    expect(`${said.note} ${said.json}`).toMatch(net ?? ran);
  });

  it("has left the database as it was, with nobody in a transaction", async () => {
    expect(await world.fingerprint()).toBe(before);
    const { rows } = await world.admin.query(
      "SELECT state, query FROM pg_stat_activity WHERE usename = 'reader' AND state <> 'idle'",
    );
    expect(rows).toEqual([]);
    expect(told).toEqual([]);
  });
});
