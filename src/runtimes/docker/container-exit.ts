import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type Dockerode from "dockerode";
import { z } from "zod";
import type { ProcessExit } from "../../engines/engine.ts";
import { daemonAnswer, isMissing, isSilent } from "./daemon-answer.ts";
import type { DockerConnection } from "./docker-connection.ts";

const FIRST_WAIT = 200;
const LONGEST_WAIT = 10_000;

export interface ContainerEnd {
  readonly exit: ProcessExit;
  /** Its own memory limit, or the machine's memory, was used up. */
  readonly outOfMemory: boolean;
}

const waited = z.object({ StatusCode: z.number() });
const state = z.object({
  State: z.object({ Running: z.boolean(), ExitCode: z.number(), OOMKilled: z.boolean().default(false) }),
});

/**
 * Waits for the end of a container, `undefined` when the connection was closed first. An engine does not end because
 * Docker does (live restore): while nobody answers, it goes on asking, at most every 10 s, and says so once.
 */
export async function containerEnd(
  connection: DockerConnection,
  id: string,
  onNote: (message: string) => void,
): Promise<ContainerEnd | undefined> {
  const { signal } = connection.closing;
  let told = false;
  for (let wait = FIRST_WAIT; !signal.aborted;) {
    try {
      const container = (await connection.api()).getContainer(id);
      if (told) {
        await container.inspect();
        onNote("Docker answers again");
        told = false;
      }
      const end = await waitOnce(container, signal);
      if (end !== undefined) return end;
      wait = FIRST_WAIT;
    } catch (thrown) {
      if (signal.aborted) return undefined;
      if (isMissing(thrown)) return { exit: { code: null, signal: null }, outOfMemory: false };
      // A connection that broke is looked at again before anybody is told.
      if (wait > FIRST_WAIT && !told && isSilent(thrown)) {
        told = true;
        onNote(
          `Docker does not answer (${daemonAnswer(thrown).words}); its container may live on, and is looked for until it does`,
        );
      }
    }
    await sleep(wait, undefined, { signal }).catch(() => {});
    wait = Math.min(LONGEST_WAIT, wait * 2);
  }
  return undefined;
}

/** `undefined` when it runs again: somebody restarted it by hand. */
async function waitOnce(
  container: Dockerode.Container,
  abortSignal: AbortSignal,
): Promise<ContainerEnd | undefined> {
  const { StatusCode } = waited.parse(JSON.parse(await waitAnswer(container, abortSignal)));
  try {
    const { State } = state.parse(await container.inspect());
    if (State.Running) return undefined;
    return { exit: processExit(State.ExitCode), outOfMemory: State.OOMKilled };
  } catch (thrown) {
    // Removed by hand in the meantime.
    if (isMissing(thrown)) return { exit: processExit(StatusCode), outOfMemory: false };
    throw thrown;
  }
}

/**
 * The answer of `POST /containers/ID/wait`, read as a stream: Docker sends its head at once, and the library's own `wait`
 * would never return when the connection breaks after that, as when Docker is restarted.
 */
async function waitAnswer({ id, modem }: Dockerode.Container, abortSignal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<AsyncIterable<Buffer>>();
  const dial: (options: object, done: (error: Error | null, answer: AsyncIterable<Buffer>) => void) => void =
    modem.dial.bind(modem);
  dial(
    {
      path: `/containers/${id}/wait?`,
      method: "POST",
      isStream: true,
      options: { condition: "not-running" },
      statusCodes: { 200: true, 404: "no such container", 500: "server error" },
      abortSignal,
    },
    (error, answer) => (error === null || error === undefined ? resolve(answer) : reject(error)),
  );
  let text = "";
  for await (const chunk of await promise) text += chunk.toString("utf8");
  return text;
}

/** Docker tells a death by signal as a shell does: 128 and the signal's number. */
export function processExit(status: number): ProcessExit {
  const found = Object.entries(constants.signals).find(([, number]) => number === status - 128);
  const signal = signalNames.safeParse(found?.[0]).data;
  return signal === undefined ? { code: status, signal: null } : { code: null, signal };
}

const signalNames = z.custom<NodeJS.Signals>((name) => typeof name === "string" && name in constants.signals);
