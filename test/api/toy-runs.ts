import { openRunbookBook } from "../../src/store/index.ts";

/** A run of the spec `toy` that has ended, in a state folder that no node has yet. */
export function writeToyRuns(stateFolder: string): void {
  const book = openRunbookBook(stateFolder);
  try {
    const begun = Date.now();
    const { id } = book.begin({ spec: "toy", pid: process.pid, by: "somebody@somewhere", begun });
    book.end(id, begun + 1000, "done");
  } finally {
    book.close();
  }
}
