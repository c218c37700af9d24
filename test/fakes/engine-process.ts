import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ENGINE = fileURLToPath(new URL("fake-engine.ts", import.meta.url));

/** A child process that this process ends, and the first line that it said. */
export interface ChildUnderTest extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly said: string;
  /** Ends it at once, as nothing can hinder. */
  kill(): Promise<void>;
}

/** Starts a program of this repository and waits for its first line. */
export async function startChild(
  path: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ChildUnderTest> {
  const child = spawn(process.execPath, [path, ...words], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once("close", () => reject(new Error(`${path} ended: ${errors}`)));
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  };
  return { child, said, kill, [Symbol.asyncDispose]: kill };
}

/** A fake engine on a free port of loopback. */
export async function startEngine(
  environment: Readonly<Record<string, string>> = {},
): Promise<ChildUnderTest & { readonly url: string }> {
  const started = await startChild(ENGINE, ["tcp:0"], environment);
  return { ...started, url: `http://127.0.0.1:${started.said.split(" ")[1] ?? ""}` };
}
