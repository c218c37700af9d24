import type { ClientConfig } from "pg";
import { OmniError } from "../../core/index.ts";
import type { PostgresOptions } from "./postgres-options.ts";

/** Milliseconds after which a silent connection is asked whether the other side is still there. */
const KEEP_ALIVE = 30_000;

/**
 * How to connect: the owner's connection string with our settings in it, so that they are the session's own defaults,
 * which `RESET ALL` returns to and which outrank those of role and database. Throws OmniError `mcp.postgres-address`,
 * which does not repeat the string.
 */
export function connectionSettings(options: PostgresOptions): ClientConfig {
  const url = URL.parse(options.dsn);
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw new OmniError("mcp.postgres-address", "The connection string of a PostgreSQL tool is not one.");
  }
  // The last of equal settings wins, so ours come behind the owner's.
  const before = url.searchParams.get("options");
  const settings = Object.entries(sessionSettings(options)).map(([name, value]) => `-c ${name}=${value}`);
  url.searchParams.set("options", [...(before === null ? [] : [before]), ...settings].join(" "));
  url.searchParams.set("application_name", "omni-mcp");
  // These would be other ways to say the same; the driver sends the encoding itself.
  for (const name of ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]) {
    url.searchParams.delete(name);
  }
  return { connectionString: url.href, keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE };
}

const sessionSettings = (options: PostgresOptions): Readonly<Record<string, string>> => ({
  default_transaction_read_only: "on",
  statement_timeout: String(options.statementTimeout),
  lock_timeout: String(options.lockTimeout),
  idle_in_transaction_session_timeout: String(options.idleTimeout),
  standard_conforming_strings: "on",
});
