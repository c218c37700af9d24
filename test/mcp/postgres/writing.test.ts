import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Provider } from "../../../src/mcp/index.ts";
import { createPostgres } from "../../../src/mcp/postgres/postgres-server.ts";
import { noPostgres } from "../../fakes/postgres-server.ts";
import { ask, attackedDatabase, OPTIONS, tableOf } from "./attacked-database.ts";
import type { AttackedDatabase } from "./attacked-database.ts";

describe.skipIf(noPostgres() !== undefined)("a PostgreSQL server that may write", () => {
  let world: AttackedDatabase;
  let reader: Provider;
  let writer: Provider;

  beforeAll(async () => {
    world = await attackedDatabase();
    reader = createPostgres({ ...OPTIONS, dsn: world.dsn("reader") });
    writer = createPostgres({ ...OPTIONS, dsn: world.dsn("writer"), writable: true });
  });
  afterAll(async () => {
    for (const provider of [reader, writer]) await provider?.close();
    await world?.remove();
  });

  it("explains without running, and measures only what reads", async () => {
    const plan = await ask(writer, "explain", { sql: "DELETE FROM victims WHERE id = $1", params: [1] });
    expect(plan.json).toContain('"Operation": "Delete"');
    const measured = await ask(reader, "explain", { sql: "SELECT * FROM victims", analyze: true });
    expect(measured.json).toContain('"Actual Rows"');
    expect((await ask(writer, "explain", { sql: "DELETE FROM victims", analyze: true })).failed).toBe(true);
    const hidden = await ask(writer, "explain", {
      sql: "WITH d AS (DELETE FROM victims RETURNING 1) SELECT * FROM d",
      analyze: true,
    });
    expect(hidden.json).toContain('"code":"25006"');
    expect((await ask(reader, "explain", { sql: "ANALYZE DELETE FROM victims" })).failed).toBe(true);
  });

  it("commits a change that is whole, and nothing of one that is not", async () => {
    const added = await ask(writer, "execute", {
      sql: "INSERT INTO victims SELECT n, 'new ' || n FROM generate_series(1000, 1149) n RETURNING id",
    });
    expect(added.note).toContain("Committed. It touched 150 rows.");
    expect(tableOf(added)).toMatchObject({ rowCount: 100, cut: true });
    const counted = () => world.admin.query<{ n: string }>("SELECT count(*) AS n FROM victims");
    expect((await counted()).rows).toEqual([{ n: "153" }]);
    const failing = await ask(writer, "execute", {
      sql: "UPDATE victims SET name = (1 / (id - 1100))::text",
    });
    expect(failing.json).toContain('"code":"22012"');
    for (const sql of [
      "COMMIT",
      "ROLLBACK",
      "SET ROLE omni",
      "COPY victims TO STDOUT",
      "PREPARE TRANSACTION 'x'",
      "DELETE FROM victims; COMMIT",
    ]) {
      expect((await ask(writer, "execute", { sql })).failed).toBe(true);
    }
    expect(
      (await ask(writer, "execute", { sql: "DO $$ BEGIN DELETE FROM victims; COMMIT; END $$" })).failed,
    ).toBe(true);
    const client = new AbortController();
    const slow = ask(
      writer,
      "execute",
      { sql: "WITH d AS (DELETE FROM victims RETURNING 1) SELECT pg_sleep(0.5)" },
      client.signal,
    ).catch((error: unknown) => error);
    setTimeout(() => client.abort(new Error("no longer")), 150);
    expect(await slow).toEqual(new Error("no longer"));
    expect((await ask(writer, "query", { sql: "DELETE FROM victims" })).failed).toBe(true);
    expect((await counted()).rows).toEqual([{ n: "153" }]);
    const removed = await ask(writer, "execute", { sql: "DELETE FROM victims WHERE id >= 1000" });
    expect(removed.note).toContain("It touched 150 rows.");
  });
});
