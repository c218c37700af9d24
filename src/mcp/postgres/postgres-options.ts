/** Settings of one PostgreSQL server of the tool gateway; times are milliseconds. */
export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`; a secret. */
  readonly dsn: string;
  /** Offers `execute`, and lets a role in that may write. */
  readonly writable: boolean;
  /** Goes on in spite of a role that could do anything. */
  readonly allowSuperuser: boolean;
  /** Schemas that lists show and that a name without schema is looked up in; all that the role may use when absent. */
  readonly schemas?: readonly string[];
  readonly statementTimeout: number;
  readonly lockTimeout: number;
  /** Longest transaction in which nothing happens. */
  readonly idleTimeout: number;
  readonly maxRows: number;
  /** Most bytes of the rows of one answer. */
  readonly maxBytes: number;
  /** Most connections at the same time. */
  readonly connections: number;
}
