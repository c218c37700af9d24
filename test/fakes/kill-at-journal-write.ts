/**
 * A preload (`node --import`) that counts what a process writes into the journal of the runbook and kills it with SIGKILL
 * before or after the write that is asked for. `KILL_AT_WRITE` is its number from 1, `KILL_WHEN` is `before` or `after`;
 * without a number the count is written to the file `COUNT_WRITES_TO` when the process ends.
 */
import { writeFileSync } from "node:fs";
import { StatementSync } from "node:sqlite";
import type { SQLInputValue } from "node:sqlite";

const JOURNAL = /\b(?:INSERT|UPDATE|DELETE)\b.*\brunbook_(?:journal|runs)\b/is;
const target = Number(process.env["KILL_AT_WRITE"] ?? 0);
const when = process.env["KILL_WHEN"] ?? "before";
const counted = process.env["COUNT_WRITES_TO"];

// oxlint-disable-next-line typescript/unbound-method -- it is called with the statement that it is asked of
const run = StatementSync.prototype.run;
let writes = 0;

Object.assign(StatementSync.prototype, {
  run(this: StatementSync, ...values: readonly SQLInputValue[]): unknown {
    if (!JOURNAL.test(this.sourceSQL)) return Reflect.apply(run, this, values);
    writes += 1;
    if (writes === target && when === "before") die();
    const result: unknown = Reflect.apply(run, this, values);
    if (writes === target && when === "after") die();
    return result;
  },
});

/** Nothing of this process runs any more, not even what ends it. */
function die(): void {
  process.kill(process.pid, "SIGKILL");
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

if (counted !== undefined) process.once("exit", () => writeFileSync(counted, String(writes)));
