import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Look } from "./main.ts";
import type { Settings } from "./open-hub.ts";

export interface RunningGateway {
  /** Its root, without a path. */
  readonly url: string;
  readonly pid: number;
  /** `collected`: after a collection of garbage, which costs time and makes code forgotten that was compiled. */
  look(collected?: boolean): Promise<Look>;
  /** Ends it and all behind it; resolves when its process is gone. */
  close(): Promise<void>;
}

/** Starts a gateway in a process of its own. Rejects when it ends before it listens. */
export async function startGateway(settings: Settings): Promise<RunningGateway> {
  const child = fork(join(import.meta.dirname, "main.ts"), [JSON.stringify(settings)], {
    execArgv: ["--expose-gc"],
  });
  const ended = once(child, "exit");
  const died = ended.then(([code]) => {
    throw new Error(`The gateway ended with ${String(code)} before it listened.`);
  });
  died.catch(() => undefined);
  const [{ url }] = await Promise.race([once(child, "message"), died]);
  return {
    url,
    pid: child.pid ?? 0,
    async look(collected = false) {
      const answer = once(child, "message");
      child.send(collected ? "collected" : "look");
      const [found] = await answer;
      return found;
    },
    async close() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
