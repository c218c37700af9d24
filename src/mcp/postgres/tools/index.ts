/** The tools of the PostgreSQL server, in the order in which clients see them. */
import type { DatabaseTool } from "../database-tool.ts";
import { dbHealth } from "./db-health.ts";
import { describeTable } from "./describe-table.ts";
import { execute } from "./execute.ts";
import { explain } from "./explain.ts";
import { listSchemas } from "./list-schemas.ts";
import { listTables } from "./list-tables.ts";
import { query } from "./query.ts";
import { sampleRows } from "./sample-rows.ts";
import { topQueries } from "./top-queries.ts";

const READING: readonly DatabaseTool[] = [
  listSchemas,
  listTables,
  describeTable,
  sampleRows,
  query,
  explain,
  dbHealth,
  topQueries,
];

/** Tools of a source; only a writable one has what changes it. */
export const toolsOf = (writable: boolean): readonly DatabaseTool[] =>
  writable ? [...READING, execute] : READING;
