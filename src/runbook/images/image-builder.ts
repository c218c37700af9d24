import { z } from "zod";
import { messageOf, OmniError } from "../../core/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import type { CommandResult, HostTransport } from "../../host/transport/index.ts";
import type { StepContext } from "../step.ts";

/** Where an image is built, and with what. */
export interface BuilderPlace {
  readonly context: StepContext;
  readonly host: HostTransport;
  readonly program: ImageBuild["builder"];
}

/** An image in the builder's own store. */
export interface LocalImage {
  /** Digest of its configuration; of its manifest in Docker's containerd store. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Manifests it is known by in registries, `sha256:…`. */
  readonly digests: readonly string[];
}

/** Every exit status: whoever passes it judges for itself. */
export const ANY_STATUS: readonly number[] = Array.from({ length: 256 }, (_, status) => status);
/** Questions to a builder, milliseconds; a daemon that unpacks at the same time answers late. */
const PATIENCE = 60_000;

export const builderOf = async (context: StepContext, build: ImageBuild): Promise<BuilderPlace> => ({
  context,
  host: await context.host(build.host),
  program: build.builder,
});

/** Asks the builder, and answers what it printed; nothing where it says no. Throws `OmniError` `image.no-builder`. */
async function askBuilder(
  { context, host, program }: BuilderPlace,
  ...words: readonly string[]
): Promise<string | undefined> {
  const result = await context.look(host, {
    argv: [program, ...words],
    timeout: PATIENCE,
    mostBytes: 2 ** 20,
  });
  if (!result.ended) throw noBuilder(host, program, result);
  if (result.code === 0) return result.stdout.trim();
  if (/Cannot connect to the Docker daemon|permission denied/i.test(result.stderr))
    throw noBuilder(host, program, { message: result.stderr.trim() });
  return undefined;
}

const REMEDY = {
  docker: "Install Docker there and start it: apt-get install docker.io, systemctl start docker.",
  buildah: "Install it there: apt-get install buildah.",
};

const noBuilder = (
  host: HostTransport,
  program: ImageBuild["builder"],
  { message }: Pick<Extract<CommandResult, { ended: false }>, "message">,
): OmniError =>
  new OmniError("image.no-builder", `${program} does not answer on ${host.name}: ${message}`, {
    hint: REMEDY[program],
  });

const labels = z.record(z.string(), z.string()).nullish();
const DOCKER = z.object({
  Id: z.string(),
  RepoDigests: z.array(z.string()).nullish(),
  Config: z.object({ Labels: labels }).nullish(),
});
const BUILDAH = z.object({
  FromImageID: z.string(),
  FromImageDigest: z.string().nullish(),
  OCIv1: z.object({ config: z.object({ Labels: labels }).nullish() }),
});

/** The image under a name; nothing where the builder has none. Throws `OmniError` `image.no-builder`. */
export async function localImage(place: BuilderPlace, name: string): Promise<LocalImage | undefined> {
  const words =
    place.program === "docker"
      ? ["image", "inspect", "--format", "{{json .}}", name]
      : ["inspect", "--type", "image", name];
  const text = await askBuilder(place, ...words);
  if (text === undefined) return undefined;
  try {
    return place.program === "docker" ? dockerImage(text) : buildahImage(text);
  } catch (thrown) {
    const why = `${place.program} on ${place.host.name} describes ${name} in an unknown way: ${messageOf(thrown)}`;
    throw new OmniError("image.no-builder", why, { cause: thrown });
  }
}

function dockerImage(text: string): LocalImage {
  const { Id, RepoDigests, Config } = DOCKER.parse(JSON.parse(text));
  const digests = (RepoDigests ?? []).flatMap((one) => one.split("@")[1] ?? []);
  return { id: Id, labels: Config?.Labels ?? {}, digests };
}

function buildahImage(text: string): LocalImage {
  const { FromImageID, FromImageDigest, OCIv1 } = BUILDAH.parse(JSON.parse(text));
  return {
    id: `sha256:${FromImageID}`,
    labels: OCIv1.config?.Labels ?? {},
    digests: FromImageDigest === null || FromImageDigest === undefined ? [] : [FromImageDigest],
  };
}

/** Folder in which the builder keeps its images; nothing where it does not tell. */
export const storageRoot = (place: BuilderPlace): Promise<string | undefined> =>
  place.program === "docker"
    ? askBuilder(place, "info", "--format", "{{.DockerRootDir}}")
    : askBuilder(place, "info", "--format", "{{.store.GraphRoot}}");

/** Whether Docker has BuildKit: mounts of secrets and of other images are known to it alone. */
export const hasBuildKit = async (place: BuilderPlace): Promise<boolean> =>
  place.program === "buildah" || (await askBuilder(place, "buildx", "version")) !== undefined;
