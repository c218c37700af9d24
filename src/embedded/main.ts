/**
 * The embedded engine: one process that serves one GGUF model over node-llama-cpp in the OpenAI dialect, on loopback
 * or a Unix socket, like every other engine that Omni starts. Requests are parsed here, rendered through the
 * model's chat template, batched over the sequences of one context and streamed back. Nothing here knows of
 * plans, services or other engines; nothing outside this folder loads native code.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { watchParent } from "./parent-watch.ts";

// Before everything else: an engine must not outlive its parent even if loading what follows hangs.
watchParent();
// A pipe that nobody reads means that the parent is gone; the watch acts on that, and no error should.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

// Stripping types and compiling is a good part of the start.
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/omni"));

const { runEngine } = await import("./run-engine.ts");
await runEngine(process.argv.slice(2));
