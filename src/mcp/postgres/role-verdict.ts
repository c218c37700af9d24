import { OmniError } from "../../core/index.ts";
import { properRole } from "./proper-role.ts";
import type { ReachKind, RoleFacts, RoleRights } from "./role-facts.ts";

/** Roles of PostgreSQL whose rights reach beyond data, with what they may do (its manual, "Predefined Roles", 18). */
const DANGEROUS: Readonly<Record<string, string>> = {
  pg_execute_server_program: "run programs on the server",
  pg_read_server_files: "read any file of the server",
  pg_write_server_files: "write any file of the server",
  pg_signal_backend: "end others' sessions",
  pg_signal_autovacuum_worker: "end autovacuum",
  pg_maintain: "vacuum, reindex and lock every table",
  pg_checkpoint: "force checkpoints",
  pg_create_subscription: "make the server connect elsewhere",
};

/** What of a role's reach an owner should know, by kind. */
const WARNINGS: Readonly<Record<ReachKind, string>> = {
  definer: "may call functions that run with their owner's rights (SECURITY DEFINER)",
  untrusted: "may call functions in languages that can do anything on the server",
  extension:
    "has extensions in reach that leave the transaction, connect elsewhere or keep state of their own",
  server: "may use foreign servers",
  foreign: "may read foreign tables, which ask other servers or read files",
  writable: "has the right to change tables, so that only the read-only transaction prevents it",
  create: "may create in schemas, so that only the read-only transaction prevents it",
};

/** Something that a role reaches; the names are the database's own texts and for its owner only. */
export interface RoleWarning {
  readonly text: string;
  readonly names: readonly string[];
}

/** Whether the role may be used, and what its owner should know of it. */
export interface RoleVerdict {
  /** What it could do that it must not, in words; empty for a role that is fit. */
  readonly refused: readonly string[];
  readonly warnings: readonly RoleWarning[];
  /** Whether a session may keep state that DISCARD ALL does not end: then each is used for one statement. */
  readonly keepsState: boolean;
}

/** Extensions whose connections, or whose language's globals, live as long as the session. */
const KEEPING: ReadonlySet<string> = new Set([
  "dblink",
  "postgres_fdw",
  "plproxy",
  "plperl",
  "plperlu",
  "plpython3u",
  "pltcl",
  "pltclu",
  "plv8",
  "plrust",
  "pg_background",
]);

/** Judges a role by what the server says about it. */
export function judgeRole(facts: RoleFacts, writable: boolean): RoleVerdict {
  const refused = facts.roles.flatMap((role) => dangersOf(role, writable));
  if (facts.ownsDatabase && !facts.roles.some((role) => role.itself && role.superuser)) {
    refused.push("it owns the database, or is a member of its owner");
  }
  if (!facts.roles.some((role) => role.superuser)) {
    refused.push(...facts.functions.map((name) => `it may call ${name}`));
  }
  const kinds = new Set(facts.reach.map(({ kind }) => kind));
  const warnings = [...kinds]
    .filter((kind) => !writable || (kind !== "writable" && kind !== "create"))
    .map((kind) => {
      const names = facts.reach.filter((found) => found.kind === kind).map(({ name }) => name);
      return { text: `The database role ${WARNINGS[kind]}.`, names };
    });
  const keepsState = facts.reach.some(({ kind, name }) => kind === "extension" && KEEPING.has(name));
  return { refused, warnings, keepsState };
}

function dangersOf(role: RoleRights, writable: boolean): readonly string[] {
  const predefined = DANGEROUS[role.name];
  if (predefined !== undefined) return [`it is a member of ${role.name}, which may ${predefined}`];
  if (role.name === "pg_write_all_data" && !writable) {
    return ["it is a member of pg_write_all_data, which may change every table"];
  }
  const who = role.itself ? "it is" : `through ${role.name} it is`;
  const may = role.itself ? "it may" : `through ${role.name} it may`;
  // A superuser needs no other right.
  if (role.superuser) return [`${who} a superuser`];
  return [
    ...(role.bypassRls ? [`${may} bypass row security (BYPASSRLS)`] : []),
    ...(role.createRole ? [`${may} create roles (CREATEROLE)`] : []),
    ...(role.createDatabase ? [`${may} create databases (CREATEDB)`] : []),
    ...(role.replication ? [`${may} replicate everything (REPLICATION)`] : []),
  ];
}

/** The refusal of a role, with the statements that make a proper one. */
export function roleRefusal(verdict: RoleVerdict, place: Parameters<typeof properRole>[0]): OmniError {
  return new OmniError(
    "mcp.postgres-role",
    `The database role of this source could do more than ${place.writable ? "change data" : "read"}: ${verdict.refused.join("; ")}. No statement was run for anybody.`,
    {
      hint: `Make a role for this alone, as a superuser of the database, and put it into the source's dsn:\n${properRole(place)}\nOr set allowSuperuser: true, and whoever may call the tool has all of these rights.`,
    },
  );
}
