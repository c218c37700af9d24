/**
 * The embedded engine: one process that serves one GGUF model over node-llama-cpp in the OpenAI dialect, on loopback
 * or a Unix socket, like every other engine that Omni starts. Requests are parsed here, rendered through the
 * model's chat template, batched over the sequences of one context and streamed back. Nothing here knows of
 * plans, services or other engines; nothing outside this folder loads native code.
 */
import { watchParent } from "./parent-watch.ts";

// Before everything else: an engine must not outlive its parent even if loading what follows hangs.
watchParent();

const { runEngine } = await import("./run-engine.ts");
await runEngine(process.argv.slice(2));
