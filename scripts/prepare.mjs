/**
 * Builds the console into dist/console; npm runs this after `npm ci` in a clone. Plain JavaScript, because the Node that runs it
 * may be older than the one that the package brings. Without Vite (`--omit=dev`) there is nothing to build with, and it is left.
 */
import { fileURLToPath } from "node:url";

const vite = await import("vite").catch(() => undefined);
if (vite === undefined)
  process.stdout.write("The console is not built: its tools are left out (--omit=dev).\n");
else await vite.build({ root: fileURLToPath(new URL("../console", import.meta.url)), logLevel: "warn" });
