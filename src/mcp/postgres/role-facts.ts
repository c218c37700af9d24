import { z } from "zod";
import type { Session } from "./session.ts";

/** Functions of the server that reach its files or all of it; PostgreSQL gives them to superusers, and owners sometimes to others. */
const POWERFUL = [
  "pg_read_file",
  "pg_read_binary_file",
  "pg_ls_dir",
  "pg_stat_file",
  "lo_import",
  "lo_export",
  "pg_file_write",
  "pg_file_unlink",
  "pg_reload_conf",
  "pg_promote",
  "pg_create_restore_point",
  "pg_switch_wal",
];

/** Roles that the session's role is, or can become or inherit from; a superuser can become everybody and is shown alone. */
const ROLES = `
SELECT r.rolname, r.rolname = session_user, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication
FROM pg_catalog.pg_roles r
WHERE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
  AND (r.rolname = session_user
    OR NOT (SELECT s.rolsuper FROM pg_catalog.pg_roles s WHERE s.rolname = session_user))
ORDER BY r.rolname`;

const OWNER = `
SELECT pg_catalog.pg_has_role(session_user, d.datdba, 'MEMBER')
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`;

const FUNCTIONS = `
SELECT DISTINCT p.proname FROM pg_catalog.pg_proc p
WHERE p.proname = ANY ($1) AND p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
  AND pg_catalog.has_function_privilege(session_user, p.oid, 'EXECUTE') ORDER BY 1`;

/** What the role may use that acts with others' rights, or outside of the transaction; at most 20 of each kind. */
const REACH = `
(SELECT 'definer', p.oid::pg_catalog.regprocedure::pg_catalog.text FROM pg_catalog.pg_proc p
 JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND NOT pg_catalog.pg_has_role(session_user, p.proowner, 'MEMBER')
   AND pg_catalog.has_function_privilege(session_user, p.oid, 'EXECUTE')
   AND pg_catalog.has_schema_privilege(session_user, n.oid, 'USAGE') ORDER BY 2 LIMIT 20)
UNION ALL
(SELECT 'untrusted', p.oid::pg_catalog.regprocedure::pg_catalog.text FROM pg_catalog.pg_proc p
 JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c', 'sql')
   AND pg_catalog.has_function_privilege(session_user, p.oid, 'EXECUTE')
   AND pg_catalog.has_schema_privilege(session_user, n.oid, 'USAGE') ORDER BY 2 LIMIT 20)
UNION ALL
(SELECT 'extension', e.extname::pg_catalog.text FROM pg_catalog.pg_extension e
 WHERE e.extname IN ('dblink', 'postgres_fdw', 'file_fdw', 'http', 'pg_net', 'pg_cron', 'plproxy', 'plperl', 'plperlu',
   'plpython3u', 'pltcl', 'pltclu', 'plv8', 'plrust', 'pg_background') ORDER BY 2)
UNION ALL
(SELECT 'server', s.srvname::pg_catalog.text FROM pg_catalog.pg_foreign_server s
 WHERE pg_catalog.has_server_privilege(session_user, s.oid, 'USAGE') ORDER BY 2 LIMIT 20)
UNION ALL
(SELECT 'foreign', c.oid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_class c
 WHERE c.relkind = 'f' AND pg_catalog.has_table_privilege(session_user, c.oid, 'SELECT') ORDER BY 2 LIMIT 20)
UNION ALL
(SELECT 'writable', c.oid::pg_catalog.regclass::pg_catalog.text FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND pg_catalog.has_table_privilege(session_user, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
   AND pg_catalog.has_schema_privilege(session_user, n.oid, 'USAGE') ORDER BY 2 LIMIT 20)
UNION ALL
(SELECT 'create', n.nspname::pg_catalog.text FROM pg_catalog.pg_namespace n
 WHERE pg_catalog.has_schema_privilege(session_user, n.oid, 'CREATE') AND n.nspname NOT LIKE 'pg\\_%'
 ORDER BY 2 LIMIT 20)`;

const KINDS = ["definer", "untrusted", "extension", "server", "foreign", "writable", "create"] as const;
export type ReachKind = (typeof KINDS)[number];
const reach = z.array(z.tuple([z.enum(KINDS), z.string()]));

/** A role that the session's role is or can become. */
export interface RoleRights {
  readonly name: string;
  readonly itself: boolean;
  readonly superuser: boolean;
  readonly bypassRls: boolean;
  readonly createRole: boolean;
  readonly createDatabase: boolean;
  readonly replication: boolean;
}

/** What the server says about the role that the session has. */
export interface RoleFacts {
  readonly roles: readonly RoleRights[];
  readonly ownsDatabase: boolean;
  /** Powerful functions of the server that it may call. */
  readonly functions: readonly string[];
  readonly reach: readonly { readonly kind: ReachKind; readonly name: string }[];
}

/** Asks for the rights of the role of this session; rejects with what the driver throws. */
export async function readRoleFacts(session: Session): Promise<RoleFacts> {
  const roles = await session.run(ROLES);
  const [owner] = await session.run(OWNER);
  const functions = await session.run(FUNCTIONS, [POWERFUL]);
  const reached = reach.parse(await session.run(REACH));
  return {
    roles: roles.map(([name, ...flags]) => {
      const [itself, superuser, bypassRls, createRole, createDatabase, replication] = flags.map(
        (flag) => flag === "t",
      );
      return {
        name: name ?? "",
        itself: itself === true,
        superuser: superuser === true,
        bypassRls: bypassRls === true,
        createRole: createRole === true,
        createDatabase: createDatabase === true,
        replication: replication === true,
      };
    }),
    ownsDatabase: owner?.[0] === "t",
    functions: functions.map(([name]) => name ?? ""),
    reach: reached.map(([kind, name]) => ({ kind, name })),
  };
}
