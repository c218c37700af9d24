/** A thread that writes requests as the store's own does, and dies on the way: the file `dies` of its folder says where. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { RequestTable } from "../../src/store/request-table.ts";
import { RequestWriter } from "../../src/store/request-writer.ts";
import type { FromThread, ToThread } from "../../src/store/thread-writer.ts";

const { stateFolder } = z.object({ stateFolder: z.string() }).parse(workerData);
const when = readFileSync(join(stateFolder, "dies"), "utf8");
if (when === "at once") throw new Error("died at once");

const say = (message: FromThread): void => parentPort?.postMessage(message, []);
const table = new RequestTable(stateFolder, {}, 200);
const done = (number: number): void => {
  if (when === "after a batch") say({ is: "done", number });
};
const writer = new RequestWriter(table, { done, lost: (rows, why) => say({ is: "lost", rows, why }) }, 0);
parentPort?.on("message", (message: ToThread) => {
  if (message.is !== "rows") return;
  writer.take(message);
  // What was said is on its way by then.
  setImmediate(() => {
    throw new Error(`died ${when}`);
  });
});
