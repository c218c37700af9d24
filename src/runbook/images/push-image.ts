import { setTimeout as sleep } from "node:timers/promises";
import { OmniError } from "../../core/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import { ANY_STATUS } from "./image-builder.ts";
import type { BuilderPlace } from "./image-builder.ts";

/** 21 GB over a slow network, milliseconds. */
const PATIENCE = 4 * 3_600_000;
/** A registry that was just restarted; milliseconds before each further attempt. */
const PAUSES = [2000, 10_000];
/** Faults that another attempt does not mend. */
const FINAL =
  /server gave HTTP response to HTTPS client|unauthorized|authentication required|denied|certificate|no such host|invalid reference/i;

/**
 * Sends an image to its registry, layers that are there already excepted. Credentials are those of the tool's own
 * configuration on that machine. Throws `OmniError` `image.push-failed`.
 */
export async function pushImage(place: BuilderPlace, build: ImageBuild): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const fault = await pushOnce(place, build);
    if (fault === undefined) return;
    const pause = FINAL.test(fault) ? undefined : PAUSES[attempt];
    if (pause === undefined) throw pushFailed(build, fault, place);
    place.context.note(
      `${build.tag} was not taken whole (${lastLine(fault)}); another attempt in ${pause / 1000} s`,
    );
    await sleep(pause, undefined, { signal: place.context.signal });
  }
}

/** What was said where it failed. */
async function pushOnce(
  { context, host, program }: BuilderPlace,
  { tag, push }: ImageBuild,
): Promise<string | undefined> {
  const seen = new Map<string, boolean>();
  const result = await context.run(
    host,
    {
      argv: [
        program,
        "push",
        ...(program === "buildah" && push?.insecure === true ? ["--tls-verify=false"] : []),
        tag,
      ],
      timeout: PATIENCE,
      mostBytes: 65_536,
      onOutput: (_stream, text) => {
        for (const line of text.split("\n")) sawLayer(line, seen);
        if (seen.size > 0)
          context.progress({
            done: [...seen.values()].filter(Boolean).length,
            total: seen.size,
            unit: "steps",
            text: `layers of ${tag}`,
          });
      },
    },
    ANY_STATUS,
  );
  return result.code === 0 ? undefined : `${result.stdout}\n${result.stderr}`.trim();
}

/** `5f70bf18a086: Pushed` of Docker, `Copying blob 5f70bf18a086 done` of buildah. */
function sawLayer(line: string, seen: Map<string, boolean>): void {
  // Without a terminal, buildah tells of blobs only that they begin; the configuration comes after the last of them.
  if (line.startsWith("Copying config")) for (const layer of seen.keys()) seen.set(layer, true);
  const docker = /^([0-9a-f]{12}): (.+)$/.exec(line);
  const buildah = /^Copying blob (?:sha256:)?([0-9a-f]{12})[0-9a-f]*(.*)$/.exec(line);
  const [, layer = "", said = ""] = docker ?? buildah ?? [];
  if (layer === "") return;
  const isThere = /Pushed|already exists|Mounted|done|skipped/.test(said);
  seen.set(layer, isThere || seen.get(layer) === true);
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

function pushFailed({ tag, push }: ImageBuild, fault: string, { host, program }: BuilderPlace): OmniError {
  const plain = fault.includes("server gave HTTP response to HTTPS client");
  const remedy =
    push?.insecure === true && program === "docker"
      ? `${push.address} speaks plain HTTP. On ${host.name}, /etc/docker/daemon.json needs { "insecure-registries": ["${push.address}"] }; then systemctl restart docker.`
      : `${push?.address} speaks plain HTTP: say insecure: true for it in the spec if that is meant.`;
  return new OmniError(
    "image.push-failed",
    `${tag} is built and checked, but ${push?.address} did not take it from ${host.name}: ${lastLine(fault)}`,
    plain
      ? { hint: remedy }
      : /unauthorized|authentication required|denied/i.test(fault)
        ? { hint: `Log in on ${host.name}: ${program} login ${push?.address}` }
        : {},
  );
}
