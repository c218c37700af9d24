import { quotedIdentifier } from "./quoted-identifier.ts";

/** Connections beside the pool's: to cancel statements of the others. */
const SPARE = 4;

/** The statements that make a role which can read the schemas, or also change their rows, and nothing else. */
export function properRole(place: {
  readonly database: string;
  readonly schemas: readonly string[];
  readonly writable: boolean;
  readonly connections: number;
}): string {
  const role = place.writable ? "omni_writer" : "omni_reader";
  const rights = place.writable ? "SELECT, INSERT, UPDATE, DELETE" : "SELECT";
  const grants = place.schemas
    .map(quotedIdentifier)
    .flatMap((schema) => [
      `GRANT USAGE ON SCHEMA ${schema} TO ${role};`,
      `GRANT ${rights} ON ALL TABLES IN SCHEMA ${schema} TO ${role};`,
      `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ${rights} ON TABLES TO ${role};`,
      ...(place.writable ? [`GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};`] : []),
    ]);
  return [
    `CREATE ROLE ${role} LOGIN PASSWORD '...' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT ${place.connections + SPARE};`,
    `GRANT CONNECT ON DATABASE ${quotedIdentifier(place.database)} TO ${role};`,
    ...grants,
  ].join("\n");
}
