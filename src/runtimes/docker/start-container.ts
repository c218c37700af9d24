import type Dockerode from "dockerode";
import type { LaunchSpec } from "../../engines/engine.ts";
import { endpointOf } from "./container-request.ts";
import { daemonAnswer, isSilent } from "./daemon-answer.ts";
import { checkProgram } from "./program-check.ts";
import { startError } from "./start-error.ts";
import { tarArchive } from "./tar-archive.ts";

/**
 * Makes a container, gives it its files, connects it to further networks and starts it; it is removed again when any of
 * these fails. Returns Docker's id. Throws OmniError as `Runtime.start` does, and what the library throws where Docker
 * does not answer.
 */
export async function startContainer(
  api: Dockerode,
  launch: LaunchSpec,
  request: Dockerode.ContainerCreateOptions,
  networks: readonly string[],
): Promise<string> {
  let created: Dockerode.Container | undefined;
  try {
    created = await api.createContainer(request);
    if (launch.files !== undefined && launch.files.length > 0)
      await created.putArchive(tarArchive(launch.files), { path: "/" });
    await checkProgram(created, launch);
    for (const network of networks) {
      const EndpointConfig = endpointOf(network, launch.service);
      await api.getNetwork(network).connect({ Container: created.id, EndpointConfig });
    }
    await created.start();
    return created.id;
  } catch (thrown) {
    await created?.remove({ v: true, force: true }).catch(() => {});
    if (isSilent(thrown) || isLimitRefused(thrown)) throw thrown;
    throw startError(launch, thrown);
  }
}

/** Docker itself may not raise limits, as in an unprivileged LXC container. */
export const isLimitRefused = (thrown: unknown): boolean =>
  /error setting rlimit/i.test(daemonAnswer(thrown).words);
