import { Client } from "pg";
import { z } from "zod";
import type { Provider, ProviderContext } from "../../../src/mcp/index.ts";
import type { PostgresOptions } from "../../../src/mcp/postgres/postgres-options.ts";
import { startPostgres } from "../../fakes/postgres-server.ts";
import type { PostgresServer } from "../../fakes/postgres-server.ts";

export const OPTIONS: Omit<PostgresOptions, "dsn"> = {
  writable: false,
  allowSuperuser: false,
  statementTimeout: 20_000,
  lockTimeout: 200,
  idleTimeout: 5000,
  maxRows: 100,
  maxBytes: 64 * 1024,
  connections: 2,
};

export const ROLE_PASSWORD = "a-secret-of-the-role";

const SETUP = `
CREATE TABLE victims (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO victims SELECT i, 'victim ' || i FROM generate_series(1, 3) i;
CREATE SEQUENCE counter;
CREATE ROLE reader LOGIN PASSWORD '${ROLE_PASSWORD}';
CREATE ROLE writer LOGIN PASSWORD '${ROLE_PASSWORD}';
GRANT SELECT ON victims TO reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON victims TO writer;
GRANT USAGE, SELECT, UPDATE ON counter TO reader;
CREATE FUNCTION sneaky() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN INSERT INTO victims VALUES (666, 'sneaky'); RETURN 1; END $$;
CREATE FUNCTION switched() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN SET LOCAL transaction_read_only = off; INSERT INTO victims VALUES (667, 'switched'); RETURN 1; END $$;
CREATE FUNCTION stubborn() RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN LOOP BEGIN PERFORM pg_sleep(10); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;
CREATE FUNCTION loud() RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN FOR i IN 1..3000 LOOP RAISE NOTICE '%', repeat('n', 1000); END LOOP; RETURN 1; END $$;
CREATE PROCEDURE committing() LANGUAGE plpgsql AS $$ BEGIN COMMIT; INSERT INTO victims VALUES (668, 'p'); END $$;
`;

/** A database with something to lose, and a superuser who looks whether it was lost. */
export interface AttackedDatabase {
  readonly server: PostgresServer;
  readonly admin: Client;
  /** Connection string of a role of this database, or of another one of the server. */
  dsn(role: "reader" | "writer" | "omni", database?: string): string;
  /** Whatever an attack could have left behind, as one text. */
  fingerprint(): Promise<string>;
  remove(): Promise<void>;
}

/** Connects as the superuser and keeps quiet when the server goes away. */
export async function adminOf(url: string): Promise<Client> {
  const admin = new Client({ connectionString: url });
  admin.on("error", () => undefined);
  await admin.connect();
  return admin;
}

export async function attackedDatabase(): Promise<AttackedDatabase> {
  const server = await startPostgres();
  const admin = await adminOf(server.url);
  await admin.query(SETUP);
  return {
    server,
    admin,
    dsn(role, database = "postgres") {
      const url = new URL(server.url);
      if (role !== "omni") {
        url.username = role;
        url.password = ROLE_PASSWORD;
      }
      url.pathname = `/${database}`;
      return url.href;
    },
    async fingerprint() {
      const { rows } = await admin.query<{ found: string }>(`SELECT json_build_object(
        'victims', (SELECT json_agg(v ORDER BY id) FROM victims v),
        'relations', (SELECT count(*) FROM pg_class WHERE relnamespace >= 16384 OR relnamespace = 'public'::regnamespace),
        'functions', (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
        'objects', (SELECT count(*) FROM pg_largeobject_metadata),
        'prepared', (SELECT count(*) FROM pg_prepared_xacts),
        'advisory', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
        'roles', (SELECT json_agg(json_build_object('n', rolname, 's', rolsuper, 'c', rolconfig) ORDER BY rolname) FROM pg_roles),
        'counter', (SELECT json_build_object('v', last_value, 'c', is_called) FROM counter),
        'comments', (SELECT count(*) FROM pg_description WHERE objoid >= 16384))::text AS found`);
      return rows[0]?.found ?? "";
    },
    async remove() {
      await admin.end().catch(() => undefined);
      await server.remove();
    },
  };
}

/** A request of nobody in particular. */
export const contextOf = (signal: AbortSignal = new AbortController().signal): ProviderContext => ({
  caller: { key: "local", admin: true, upstream: true, priority: 5 },
  request: "test",
  signal,
  capabilities: {},
});

const result = z.object({
  isError: z.boolean().optional(),
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })),
});
const table = z.object({
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.array(z.array(z.unknown())),
  rowCount: z.number(),
  cut: z.boolean(),
});

/** What a tool answered: our words, and the database's as JSON. */
export interface Said {
  readonly failed: boolean;
  readonly note: string;
  readonly json: string;
}

export async function ask(
  provider: Provider,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<Said> {
  const { isError = false, content } = result.parse(await provider.callTool(tool, args, contextOf(signal)));
  return { failed: isError, note: content[0]?.text ?? "", json: content[1]?.text ?? "" };
}

/** The rows of an answer that has some. */
export const tableOf = (said: Said): z.output<typeof table> => table.parse(JSON.parse(said.json));
