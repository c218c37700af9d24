import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Provider } from "../../../src/mcp/index.ts";
import { createPostgres } from "../../../src/mcp/postgres/postgres-server.ts";
import { noPostgres } from "../../fakes/postgres-server.ts";
import { adminOf, ask, attackedDatabase, OPTIONS, tableOf } from "./attacked-database.ts";
import type { AttackedDatabase } from "./attacked-database.ts";

const MIB = 1024 * 1024;

describe.skipIf(noPostgres() !== undefined)("what takes too much of the PostgreSQL server", () => {
  let world: AttackedDatabase;
  let tools: Provider;
  /** With more time, for what the server has to make first. */
  let patient: Provider;
  const query = (sql: string, params?: readonly unknown[]) =>
    ask(tools, "query", { sql, ...(params === undefined ? {} : { params }) });
  /** Statements of the role that the server is at work on, by an outsider; waits until there are as many as expected. */
  const atWork = async (expected: number): Promise<number> => {
    for (let turn = 0; ; turn += 1) {
      const { rows } = await world.admin.query(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'reader' AND state <> 'idle'",
      );
      if (rows.length === expected || turn > 200) return rows.length;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  beforeAll(async () => {
    world = await attackedDatabase();
    tools = createPostgres({ ...OPTIONS, dsn: world.dsn("reader"), statementTimeout: 700 });
    patient = createPostgres({ ...OPTIONS, dsn: world.dsn("reader") });
  });
  afterAll(async () => {
    await tools?.close();
    await patient?.close();
    await world?.remove();
  });

  it("ends a sleep beyond the timeout", async () => {
    const said = await query("SELECT pg_sleep(60)");
    expect(said.note).toContain("ended the statement after its 700 ms");
    expect(said.json).toContain('"code":"57014"');
  });

  it("ends what prolongs its own time from batch to batch", async () => {
    const started = Date.now();
    const said = await query(
      "SELECT set_config('statement_timeout', '0', false), set_config('transaction_timeout', '0', false), pg_sleep(0.02) FROM generate_series(1, 100000)",
    );
    expect(said.failed).toBe(true);
    expect(Date.now() - started).toBeLessThan(6000);
    expect(await atWork(0)).toBe(0);
  });

  it("gives the first rows of a thousand million", async () => {
    const said = await query("SELECT generate_series(1, 1000000000) AS n");
    const { rows, cut } = tableOf(said);
    expect(rows).toHaveLength(100);
    expect(rows[99]).toEqual([100]);
    expect(cut).toBe(true);
    expect(said.note).toContain("There are more rows");
  });

  const slowly = (sql: string) => ask(patient, "query", { sql });

  it("never receives one field of 60 MB, and goes on", async () => {
    const before = process.memoryUsage().rss;
    const said = await slowly("SELECT repeat('x', 60000000)");
    expect(said.failed).toBe(true);
    expect(said.note).toContain("60000010 bytes");
    expect(said.note).toContain("left(column, 1000)");
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * MIB);
    expect(tableOf(await slowly("SELECT 7 AS n")).rows).toEqual([[7]]);
  });

  it("gives what came before a row that is too long", async () => {
    const said = await slowly(
      "SELECT repeat('x', CASE WHEN n = 3 THEN 60000000 ELSE 10 END) FROM generate_series(1, 5) n",
    );
    expect(tableOf(said)).toMatchObject({ rowCount: 2, cut: true });
  });

  it("shortens a long value and says how long it is, and keeps answers within their bytes", async () => {
    const one = await slowly("SELECT repeat('y', 1000000)");
    expect(one.json).toContain("y… (cut: 1000000 characters in all)");
    expect(one.note).toContain("1 long value was shortened");
    const binary = await slowly("SELECT decode(repeat('ab', 100000), 'hex')");
    expect(binary.json).toContain("… (cut: 100000 bytes in all)");
    const many = await slowly("SELECT repeat('z', 3000) FROM generate_series(1, 90)");
    expect(many.json.length).toBeLessThan(66 * 1024);
    expect(tableOf(many)).toMatchObject({ rowCount: 21, cut: true });
  });

  it("never receives an error's text or notices without end", async () => {
    const error = await slowly("SELECT repeat('1x', 30000000)::int");
    expect(error.failed).toBe(true);
    expect(error.json.length + error.note.length).toBeLessThan(5000);
    const notices = await slowly("SELECT loud()");
    expect(notices.failed).toBe(true);
    expect(notices.note).toContain("the connection was ended before");
  });

  it("refuses very long statements, too many values and NUL before they are sent", async () => {
    expect((await query(`SELECT '${"a".repeat(1_000_001)}'`)).note).toContain("the most is 1000000");
    const many = await query(
      "SELECT 1",
      Array.from({ length: 70_000 }, (_, n) => n),
    );
    expect(many.note).toContain("70000 parameters; PostgreSQL takes at most 65535");
    expect((await query("SELECT 1\0; DELETE FROM victims")).note).toContain("NUL");
    expect((await query("SELECT $1::text", ["a\0b"])).json).toContain('"code":"22021"');
    expect((await query(`SELECT ${"(".repeat(200_000)}1${")".repeat(200_000)}`)).failed).toBe(true);
  });

  it("ends a recursion without end", async () => {
    const counted = await query(
      "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    );
    expect(counted.json).toContain('"code":"57014"');
    const bomb = await query(
      "WITH RECURSIVE r(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM r) SELECT length(t) FROM r WHERE length(t) > 1e9",
    );
    expect(bomb.failed).toBe(true);
  });

  it("waits for a lock no longer than it may, and says who holds it", async () => {
    const holder = await adminOf(world.server.url);
    await holder.query("BEGIN; LOCK TABLE victims IN ACCESS EXCLUSIVE MODE");
    try {
      const said = await query("SELECT * FROM victims");
      expect(said.note).toContain("waited 200 ms for a lock");
      expect(said.json).toContain('"code":"55P03"');
      expect((await ask(tools, "list_tables", {})).failed).toBe(false);
      const health = await ask(tools, "db_health", {});
      expect(health.failed).toBe(false);
      expect(health.json).toContain('"connections":{"most" : 20');
    } finally {
      await holder.end();
    }
  });

  it("cancels the statement when the client is gone", async () => {
    const client = new AbortController();
    const asked = ask(patient, "query", { sql: "SELECT pg_sleep(15)" }, client.signal);
    const outcome = asked.catch((error: unknown) => error);
    expect(await atWork(1)).toBe(1);
    client.abort(new Error("the client went away"));
    expect(await outcome).toEqual(new Error("the client went away"));
    expect(await atWork(0)).toBe(0);
    expect(patient.view().connections).toBe(0);
  });

  it("ends a function that catches its cancellation", async () => {
    const client = new AbortController();
    const outcome = ask(patient, "query", { sql: "SELECT stubborn()" }, client.signal).catch(
      (error: unknown) => error,
    );
    expect(await atWork(1)).toBe(1);
    client.abort(new Error("enough"));
    expect(await outcome).toEqual(new Error("enough"));
    expect(await atWork(0)).toBe(0);
  });

  it("serves others while all connections are busy, in turn, and an aborted one in the queue at once", async () => {
    const client = new AbortController();
    const busy = [slowly("SELECT pg_sleep(0.3)"), slowly("SELECT pg_sleep(0.3)")];
    const waiting = slowly("SELECT 3 AS n");
    const aborted = ask(patient, "query", { sql: "SELECT 4" }, client.signal).catch(
      (error: unknown) => error,
    );
    client.abort(new Error("gone"));
    expect(await aborted).toEqual(new Error("gone"));
    expect(tableOf(await waiting).rows).toEqual([[3]]);
    await Promise.all(busy);
    expect(patient.view().connections).toBeLessThanOrEqual(2);
  });

  it("says so when the server dies in the middle of a result, and serves the next call when it is back", async () => {
    const dying = slowly("SELECT pg_sleep(15)").catch((error: unknown) => error);
    expect(await atWork(1)).toBe(1);
    await world.server.kill();
    expect(await dying).toMatchObject({ code: "mcp.unreachable" });
    expect(patient.view()).toMatchObject({ state: "failed", transport: "postgres" });
    const offers = await patient.offers(new AbortController().signal);
    expect(offers.tools).toBe(true);
    const refused: unknown = await slowly("SELECT 1").catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "mcp.unreachable",
      message: "The PostgreSQL database cannot be used: nothing listens at its address.",
    });
    await world.server.start();
    expect(tableOf(await slowly("SELECT 5 AS n")).rows).toEqual([[5]]);
    expect(patient.view()).toMatchObject({ state: "ready", restarts: 1 });
  });

  it("ends everything when it is closed, also what runs", async () => {
    const admin = await adminOf(world.server.url);
    const own = createPostgres({ ...OPTIONS, dsn: world.dsn("reader") });
    const running = ask(own, "query", { sql: "SELECT pg_sleep(15)" }).catch((error: unknown) => error);
    for (let turn = 0; turn < 200 && own.view().state !== "ready"; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await own.close();
    expect(await running).toMatchObject({ code: "mcp.closed" });
    expect(own.view()).toMatchObject({ state: "closed", connections: 0 });
    await expect(own.tools(new AbortController().signal)).rejects.toMatchObject({ code: "mcp.closed" });
    await admin.end();
  });
});
