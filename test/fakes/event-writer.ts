/** Opens the store of the folder given and records events until it is killed; prints the number of each. */
import { openStore } from "../../src/store/index.ts";

const store = openStore(process.argv[2] ?? "");
store.announce("http://127.0.0.1:4664");
const write = (): void => {
  const { seq } = store.events.record({ kind: "test.tick", severity: "info", message: "tick" });
  process.stdout.write(`${seq}\n`);
};
setInterval(write, 1);
