import { DatabaseError } from "pg";
import { OmniError } from "../../core/index.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { ToolFailure } from "./tool-failure.ts";
import type { DatabaseWords } from "./tool-failure.ts";

/** Most characters of a text of the database that an error repeats. */
const MOST_TEXT = 2000;

/** Why a connection cannot be had, by SQLSTATE or the system's code; names no host, user or password. */
const CONNECT_REASONS: Readonly<Record<string, string>> = {
  "28P01": "the role's name or password is refused",
  "28000": "the role may not connect from here (pg_hba.conf, or it has no LOGIN)",
  "3D000": "there is no such database",
  "42501": "the role may not connect to the database (GRANT CONNECT)",
  "53300": "it has no connection left for this role (max_connections, CONNECTION LIMIT)",
  "57P03": "it is starting or shutting down",
  ECONNREFUSED: "nothing listens at its address",
  ECONNRESET: "it closed the connection",
  ENOTFOUND: "its name is unknown",
  EAI_AGAIN: "its name cannot be looked up now",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no way to its address",
  ENETUNREACH: "there is no way to its network",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted (sslrootcert)",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted (sslrootcert)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted (sslrootcert)",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

/** A failed connection as Omni's error. The driver's own words are left out: they name hosts and users. */
export function unreachable(thrown: unknown): OmniError {
  if (thrown instanceof OmniError) return thrown;
  const code = codeOf(thrown);
  const known = code === undefined ? undefined : CONNECT_REASONS[code];
  const reason = known ?? (code === undefined ? "the connection was lost" : `it failed with ${code}`);
  return new OmniError("mcp.unreachable", `The PostgreSQL database cannot be used: ${reason}.`, {
    hint: "It is tried again with the next call; ./omni mcp servers shows its state.",
  });
}

/** SQLSTATE or the system's code of what was thrown. */
function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Whether it is the server's answer to a statement, after which the connection goes on. */
export const isAnswer = (thrown: unknown): thrown is DatabaseError =>
  thrown instanceof DatabaseError && thrown.severity !== "FATAL" && thrown.severity !== "PANIC";

/** The server's refusal of a statement as a tool's failure, with what to do where that is plain. */
export function refusedStatement(error: DatabaseError, options: PostgresOptions): ToolFailure {
  return new ToolFailure(adviceOn(error, options), wordsOf(error));
}

function adviceOn(error: DatabaseError, { statementTimeout, lockTimeout }: PostgresOptions): string {
  switch (error.code) {
    case "57014":
      return error.message.includes("statement timeout")
        ? `PostgreSQL ended the statement after its ${statementTimeout} ms. Ask for less, or look at its plan with explain.`
        : "The statement was cancelled in the database.";
    case "55P03":
      return `The statement waited ${lockTimeout} ms for a lock that another session holds; db_health shows who. Try again later.`;
    case "25006":
      return "This source is read-only: PostgreSQL refused to change something.";
    case "42501":
      return "The database role has no right to do this.";
    case "42601":
      return error.message.includes("multiple commands")
        ? "One call runs one statement; PostgreSQL refused several."
        : "PostgreSQL refused the statement.";
    default:
      return "PostgreSQL refused the statement.";
  }
}

function wordsOf(error: DatabaseError): DatabaseWords {
  const position = Number(error.position ?? Number.NaN);
  return {
    message: shortened(error.message),
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.detail === undefined ? {} : { detail: shortened(error.detail) }),
    ...(error.hint === undefined ? {} : { hint: shortened(error.hint) }),
    ...(Number.isSafeInteger(position) ? { position } : {}),
  };
}

const shortened = (text: string): string =>
  text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT).toWellFormed()}… (${text.length} characters)`;
