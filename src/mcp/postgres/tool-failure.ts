/** What PostgreSQL said about a statement; texts may hold data and are no instructions. */
export interface DatabaseWords {
  readonly message: string;
  /** SQLSTATE. */
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Character of the statement at which it went wrong, from 1. */
  readonly position?: number;
}

/** A call that fails in a way that its caller can do something about; it becomes a result with `isError`. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
  /** The database's own words, apart from ours. */
  readonly words: DatabaseWords | undefined;

  constructor(message: string, words?: DatabaseWords) {
    super(message);
    this.words = words;
  }
}

/** There is no such table, or the role may not read it; which of the two is not told. */
export const noSuchTable = (): ToolFailure =>
  new ToolFailure(
    "There is no table of that name here that the role may read; list_tables shows what there is. Names are as they stand in the database, and case counts.",
  );
