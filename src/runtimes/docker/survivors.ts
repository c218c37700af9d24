import type Dockerode from "dockerode";
import { OmniError } from "../../core/index.ts";
import type { Survivor } from "../runtime.ts";
import { NODE_LABEL, readLabels } from "./container-labels.ts";
import { containerUnit } from "./container-unit.ts";
import { daemonAnswer, isMissing, isSilent } from "./daemon-answer.ts";
import type { DockerConnection } from "./docker-connection.ts";
import { refusedError, unreachableError } from "./unreachable-error.ts";

const LIVES: ReadonlySet<string> = new Set(["running", "paused", "restarting"]);

/**
 * Containers of this node that still run. Those that ended, or were made and never started, are of no use and removed;
 * so are those whose labels are not whole, because nobody could say what they are.
 */
export async function survivorsOf(
  connection: DockerConnection,
  node: string,
  onNote: (message: string) => void,
): Promise<readonly Survivor[]> {
  const api = await connection.api();
  const filters = { label: [`${NODE_LABEL}=${node}`] };
  const found = await api.listContainers({ all: true, filters });
  const survivors: Survivor[] = [];
  // The filter is Docker's; that nothing of others is ended is ours to see to.
  for (const { Id, State, Labels } of found.filter((one) => one.Labels[NODE_LABEL] === node)) {
    const labelled = readLabels(Labels);
    if (labelled !== undefined && LIVES.has(State))
      survivors.push({
        id: labelled.unit,
        service: labelled.service,
        digest: labelled.digest,
        adopt: () => adopt(connection, Id, State, { ...labelled, adopted: true, onNote }),
        end: () => removeOrSay(connection, Id),
      });
    else await remove(api, Id);
  }
  return survivors;
}

async function adopt(
  connection: DockerConnection,
  id: string,
  state: string,
  labelled: Parameters<typeof containerUnit>[2],
): ReturnType<Survivor["adopt"]> {
  try {
    const container = (await connection.api()).getContainer(id);
    if (state === "paused") await container.unpause();
    const { State } = await container.inspect();
    if (!State.Running) {
      await container.remove({ v: true, force: true });
      throw new OmniError("engine.not-started", `${labelled.service}: its container ended in the meantime.`);
    }
    return await containerUnit(connection, id, labelled);
  } catch (thrown) {
    if (thrown instanceof OmniError) throw thrown;
    if (isSilent(thrown)) throw unreachableError(connection.socket, thrown);
    throw new OmniError(
      "engine.not-started",
      `${labelled.service}: its container cannot be taken over: ${daemonAnswer(thrown).words}.`,
      { cause: thrown },
    );
  }
}

async function removeOrSay(connection: DockerConnection, id: string): Promise<void> {
  try {
    await remove(await connection.api(), id);
  } catch (thrown) {
    const { socket } = connection;
    throw isSilent(thrown) ? unreachableError(socket, thrown) : refusedError(socket, thrown);
  }
}

/** By force, with its anonymous volumes; resolves once it is gone. */
async function remove(api: Dockerode, id: string): Promise<void> {
  try {
    await api.getContainer(id).remove({ v: true, force: true });
  } catch (thrown) {
    // 404: it is gone. 409: its removal is under way.
    if (!isMissing(thrown) && daemonAnswer(thrown).status !== 409) throw thrown;
  }
}
