import { expect, it } from "vitest";
import type { RoleFacts, RoleRights } from "./role-facts.ts";
import { judgeRole, roleRefusal } from "./role-verdict.ts";

const plain: RoleRights = {
  name: "reader",
  itself: true,
  superuser: false,
  bypassRls: false,
  createRole: false,
  createDatabase: false,
  replication: false,
};
const facts = (change: Partial<RoleFacts>): RoleFacts => ({
  roles: [plain],
  ownsDatabase: false,
  functions: [],
  reach: [],
  ...change,
});

it("finds nothing in a role that only reads", () => {
  expect(judgeRole(facts({}), false)).toEqual({ refused: [], warnings: [], keepsState: false });
});

it("says of a superuser that it is one, and nothing else", () => {
  const superuser = { ...plain, superuser: true, createRole: true };
  const verdict = judgeRole(
    facts({ roles: [superuser], ownsDatabase: true, functions: ["lo_import"] }),
    false,
  );
  expect(verdict.refused).toEqual(["it is a superuser"]);
});

it("names the role through which another right is reached", () => {
  const boss = { ...plain, name: "boss", itself: false, createRole: true, replication: true };
  expect(judgeRole(facts({ roles: [plain, boss] }), true).refused).toEqual([
    "through boss it may create roles (CREATEROLE)",
    "through boss it may replicate everything (REPLICATION)",
  ]);
});

it("warns of what a read-only source's role could change, and uses a session once where state outlives it", () => {
  const reach = [
    { kind: "writable", name: "orders" },
    { kind: "extension", name: "dblink" },
  ] as const;
  const reading = judgeRole(facts({ reach }), false);
  expect(reading.keepsState).toBe(true);
  expect(reading.warnings.map(({ names }) => names)).toEqual([["orders"], ["dblink"]]);
  expect(judgeRole(facts({ reach }), true).warnings.map(({ names }) => names)).toEqual([["dblink"]]);
});

it("quotes names in the statements of its refusal", () => {
  const verdict = judgeRole(facts({ functions: ["pg_read_file"] }), true);
  const error = roleRefusal(verdict, { database: 'a"b', schemas: ["x y"], writable: true, connections: 2 });
  expect(error.message).toContain("it may call pg_read_file");
  expect(error.hint).toContain('GRANT CONNECT ON DATABASE "a""b" TO omni_writer;');
  expect(error.hint).toContain(
    'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "x y" TO omni_writer;',
  );
  expect(error.hint).toContain("CONNECTION LIMIT 6");
  expect(error.exitCode).toBe(3);
});
