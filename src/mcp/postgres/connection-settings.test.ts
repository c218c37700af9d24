import { expect, it } from "vitest";
import { connectionSettings } from "./connection-settings.ts";

const OPTIONS = {
  writable: false,
  allowSuperuser: false,
  statementTimeout: 15_000,
  lockTimeout: 2000,
  idleTimeout: 30_000,
  maxRows: 1000,
  maxBytes: 1_048_576,
  connections: 1,
};

it("puts its settings behind the owner's, so that they win", () => {
  const dsn =
    "postgresql://u:p%40ss@db.example/x?sslmode=verify-full&options=-c%20statement_timeout%3D0&application_name=me&statement_timeout=0";
  const url = new URL(connectionSettings({ ...OPTIONS, dsn }).connectionString ?? "");
  expect(url.searchParams.get("options")).toBe(
    "-c statement_timeout=0 -c default_transaction_read_only=on -c statement_timeout=15000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=30000 -c standard_conforming_strings=on",
  );
  expect(url.searchParams.get("application_name")).toBe("omni-mcp");
  expect(url.searchParams.get("statement_timeout")).toBeNull();
  expect(url.searchParams.get("sslmode")).toBe("verify-full");
  expect(url.password).toBe("p%40ss");
});

it.each(["host=db password=hidden", "mysql://u:hidden@db/x", ""])(
  "refuses %j without repeating it",
  (dsn) => {
    const act = (): unknown => connectionSettings({ ...OPTIONS, dsn });
    expect(act).toThrow(expect.objectContaining({ code: "mcp.postgres-address" }));
    expect(act).not.toThrow(/hidden/u);
  },
);
