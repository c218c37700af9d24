import type { IncomingMessage } from "node:http";
import type Dockerode from "dockerode";
import { z } from "zod";
import { OmniError } from "../../core/index.ts";
import type { LaunchSpec } from "../../engines/engine.ts";
import { isMissing } from "./daemon-answer.ts";

/** What Docker gives a container whose image names no PATH. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const MODE_DIRECTORY = 2 ** 31;

const stat = z.object({ mode: z.number() });

/**
 * Throws OmniError `engine.no-binary` when the program of a container that was made, and not started yet, is not in it:
 * with an init process in front, Docker would start it, and it would end with code 127 for no reason that anybody is told.
 * A path relative to the image's folder is left to Docker.
 */
export async function checkProgram(container: Dockerode.Container, launch: LaunchSpec): Promise<void> {
  const [program] = launch.command;
  if (program.startsWith("/") ? await isProgram(container, program) : await inPath(container, program))
    return;
  throw new OmniError(
    "engine.no-binary",
    `${launch.service}: the image ${launch.container?.image ?? ""} holds no program ${program}.`,
    {
      hint: `docker run --rm --entrypoint sh ${launch.container?.image ?? "IMAGE"} -c 'command -v ${program}' shows whether it has another place.`,
    },
  );
}

async function inPath(container: Dockerode.Container, program: string): Promise<boolean> {
  if (program.includes("/")) return true;
  const { Config } = await container.inspect();
  const path = Config.Env.find((line) => line.startsWith("PATH="))?.slice("PATH=".length) ?? DEFAULT_PATH;
  for (const folder of path.split(":").filter((one) => one.startsWith("/")))
    if (await isProgram(container, `${folder}/${program}`)) return true;
  return false;
}

/** There is such a file, or a link that leads on; not a folder. */
async function isProgram(container: Dockerode.Container, path: string): Promise<boolean> {
  try {
    const response: IncomingMessage = await container.infoArchive({ path });
    response.resume();
    const header = z.string().parse(response.headers["x-docker-container-path-stat"]);
    const { mode } = stat.parse(JSON.parse(Buffer.from(header, "base64").toString("utf8")));
    return mode < MODE_DIRECTORY;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
}
