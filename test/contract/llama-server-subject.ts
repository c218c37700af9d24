import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { NOT_SHOWN_BY_REAL_ENGINES } from "./embedded-subject.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

const MODEL = fileURLToPath(new URL("../../demo/omni-demo.gguf", import.meta.url));
const BINARY = process.env["OMNI_LLAMA_SERVER"] ?? onPath();

function onPath(): string {
  try {
    return execFileSync("/bin/sh", ["-c", "command -v llama-server"], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

/** Processes of this machine with a real llama-server and the demo model. */
export const subject: RuntimeSubject = {
  name: "process, llama-server",
  ...(BINARY === "" ? { absent: "no llama-server on PATH or in OMNI_LLAMA_SERVER" } : {}),
  make: (stateFolder, adoptionGrace) => createProcessRuntime({ stateFolder, adoptionGrace }),
  async launch(runtime, service) {
    const address = await runtime.allocate(service, { socket: false });
    if (address.kind !== "tcp") throw new Error("llama-server was given no port.");
    const { host, port } = address;
    const listen = ["--host", host, "--port", String(port)];
    const size = ["--ctx-size", "256", "--parallel", "1", "--threads", "1", "--no-warmup"];
    return {
      service,
      command: [BINARY, "--model", MODEL, ...listen, ...size, "--alias", "demo"],
      environment: {},
      address,
      loadTimeout: 60_000,
      digest: "llama-server demo",
    };
  },
  // It logs why it refuses a request.
  async provoke(address, word) {
    if (address.kind !== "tcp") return;
    const messages = [{ role: "user", content: "Hello" }];
    const body = JSON.stringify({ messages, response_format: { type: word } });
    await fetch(`http://${address.host}:${address.port}/v1/chat/completions`, { method: "POST", body });
  },
  NOT_SUPPORTED: NOT_SHOWN_BY_REAL_ENGINES,
};
