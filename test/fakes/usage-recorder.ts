/** A node's books alone: records one request every ten milliseconds, and prints a dot for each, until it is killed. */
import { openKeys } from "../../src/keys/index.ts";

const [, , folder = ""] = process.argv;
const { usage } = await openKeys({ folder }, { spec: [], retention: 1e10, onEvent: () => {} });
setInterval(() => {
  usage.record({ key: "a", model: "m", service: "s", promptTokens: 1, completionTokens: 1 });
  process.stdout.write(".");
}, 10);
