/**
 * The command line: the only composition root, the only place that prints or sets an exit code.
 * Commands are data in `commands/`; what they do lives in the other rooms.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Stripping types and compiling is half of a short command's time. It must be switched on before the first import.
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/omni"));

// A reader that closed the pipe (`omni events | head`) wants no more; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
const { runCommandLine } = await import("./command-line.ts");
process.exitCode = await runCommandLine(process.argv.slice(2));
