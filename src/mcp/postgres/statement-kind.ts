/** What may come before a statement's first word and says nothing: blanks, parentheses, and the openings of comments. */
const BLANK = /[\s(;]/u;

/**
 * The first word of a statement in capitals, and `""` when there is none. PostgreSQL's grammar needs no more to know which
 * command it is. This is a second net and a clear message, never the wall: a statement that gets past it meets a role
 * without rights in a read-only transaction.
 */
export function firstWord(sql: string): string {
  let at = 0;
  while (at < sql.length) {
    if (sql.startsWith("--", at)) {
      // A carriage return alone ends a comment for PostgreSQL, too.
      while (at < sql.length && sql[at] !== "\n" && sql[at] !== "\r") at += 1;
    } else if (sql.startsWith("/*", at)) {
      at = afterComment(sql, at);
    } else if (BLANK.test(sql.charAt(at))) {
      at += 1;
    } else {
      return (/^[a-z]+/iu.exec(sql.slice(at, at + 32))?.[0] ?? "").toUpperCase();
    }
  }
  return "";
}

/** The place behind a comment; comments nest. */
function afterComment(sql: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < sql.length) {
    if (sql.startsWith("/*", at)) {
      depth += 1;
      at += 2;
    } else if (sql.startsWith("*/", at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else {
      at += 1;
    }
  }
  return at;
}

/** Commands that give rows and are meant to change nothing. */
export const READS: readonly string[] = ["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN"];

/** What EXPLAIN takes; without ANALYZE it runs none of them. */
export const EXPLAINABLE: readonly string[] = [
  "SELECT",
  "WITH",
  "VALUES",
  "TABLE",
  "INSERT",
  "UPDATE",
  "DELETE",
  "MERGE",
];

/** What `execute` takes: data and definitions; never what ends the transaction, changes the session or copies files. */
export const WRITES: readonly string[] = [
  "SELECT",
  "WITH",
  "VALUES",
  "INSERT",
  "UPDATE",
  "DELETE",
  "MERGE",
  "CREATE",
  "ALTER",
  "DROP",
  "TRUNCATE",
  "COMMENT",
  "GRANT",
  "REVOKE",
  "REFRESH",
  "REINDEX",
  "ANALYZE",
  "CALL",
  "DO",
];
