/** Takes the lock of the runbook `toy` in the folder given and writes notes into its journal until it is killed; prints the number of each. */
import { createRedactor, openJournal } from "../../src/runbook/index.ts";
import { lockRunbook, openRunbookBook } from "../../src/store/index.ts";

const folder = process.argv[2] ?? "";
if (lockRunbook(folder, "toy") === undefined) throw new Error("the lock is taken");
const book = openRunbookBook(folder);
const { id } = book.begin({ spec: "toy", pid: process.pid, by: "test", begun: Date.now() });
const journal = openJournal(book, id, createRedactor());
let written = 0;
setInterval(() => {
  journal.write({ kind: "note", text: `note ${written}` });
  process.stdout.write(`${written}\n`);
  written += 1;
}, 1);
