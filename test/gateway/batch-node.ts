/** A node that works on the batches of a folder until it is killed. Arguments: the folder, the URL of an engine. */
import { join } from "node:path";

import { BatchRunner } from "../../src/gateway/batches/batch-runner.ts";
import { BatchStore } from "../../src/gateway/batches/batch-store.ts";
import { FILE_LIMITS } from "../../src/gateway/files/file-limits.ts";
import { FileStore } from "../../src/gateway/files/file-store.ts";
import { askEngine } from "../fakes/inside-engine.ts";
import { callerOf } from "../fakes/surface-server.ts";

const [folder = "", url = ""] = process.argv.slice(2);
const store = await BatchStore.open(join(folder, "batches"));
const files = await FileStore.open(join(folder, "files"), FILE_LIMITS);
const runner = new BatchRunner({
  store,
  files,
  ask: askEngine(url),
  caller: callerOf,
  free: (_model, own) => 8 - own,
});
runner.start();
process.stdout.write("running\n");
// The parent holds the other end: when it is gone, so is this process.
process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0));
process.stdin.resume();
