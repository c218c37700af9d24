import { scanLayer, storedImage } from "../../../binaries/index.ts";
import type { StoredImage } from "../../../binaries/index.ts";
import { messageOf, OmniError } from "../../../core/index.ts";
import type { DeployedService, Deployment } from "../../../deployment/index.ts";
import {
  ANY_STATUS,
  checkPulledCode,
  exportedFiles,
  fileSystemOf,
  isSameImage,
  localImage,
  requireSpace,
  storageRoot,
} from "../../images/index.ts";
import type { BuilderPlace } from "../../images/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { rememberLook, wasLookedInto } from "./looked-into.ts";
import { machineOf } from "./machine-of.ts";
import { registryOptions } from "./registry-options.ts";
import { withoutEngine } from "./without-engine.ts";

/** 25 GB over a home's line, milliseconds. */
const TIMEOUT = 6 * 3_600_000;
/** Layers of engines unpack to about this many times what is sent. */
const UNPACKED = 2.2;

/** An image that services of one machine run, made elsewhere. */
export interface PulledImage {
  readonly image: string;
  readonly machine: string | undefined;
  readonly users: readonly DeployedService[];
  /** Steps that put it where it is pulled from. */
  readonly needs: readonly string[];
}

/** `image/…`: an image on the Docker of a machine, as its registry has it and with code for the cards there. */
export function pulledImageStep(input: RunbookInput, id: string, pulled: PulledImage): Step {
  const { deployment } = input;
  const { image, machine, users, needs } = pulled;
  const [user] = users;
  return {
    id,
    phase: "engines",
    title: `${image} pulled${machine === undefined ? "" : ` on ${machine}`}`,
    asked: `engines.${user?.planned.engine.name ?? ""}`,
    needs: [...(machine === undefined ? [] : [`host/${machine}`]), ...needs],
    inputs: { image, machine },
    timeout: TIMEOUT,
    retries: { times: 2, delay: 30_000 },
    precheck: async (context) =>
      requirePullSpace(deployment, pulled, await placeOf(deployment, pulled, context)),
    verify: async (context) => observePulled(input, pulled, await placeOf(deployment, pulled, context)),
    apply: async (context) => pull(input, pulled, await placeOf(deployment, pulled, context)),
    preview: [`docker pull ${image}`],
    ...withoutEngine(user?.planned.engine.name ?? "", users),
  };
}

const placeOf = async (
  deployment: Deployment,
  { machine }: PulledImage,
  context: StepContext,
): Promise<BuilderPlace> => ({
  context,
  host: await context.host(machineOf(deployment, machine)),
  program: "docker",
});

/** What the registry has; the reason where it does not say. */
const asked = (deployment: Deployment, image: string): Promise<StoredImage | string | undefined> =>
  storedImage(image, registryOptions(deployment, image)).catch((thrown: unknown) => messageOf(thrown));

async function observePulled(
  { deployment, workFolder }: RunbookInput,
  { image, users }: PulledImage,
  place: BuilderPlace,
): Promise<Observation> {
  const local = await localImage(place, image);
  if (local === undefined) return { done: false, missing: `Docker on ${place.host.name} has no ${image}` };
  if (!wasLookedInto({ workFolder, id: local.id, cards: capabilitiesOf(users) }))
    return { done: false, missing: `nobody has looked into ${image} for code for its cards` };
  const stored = await asked(deployment, image);
  const here = `Docker on ${place.host.name} has ${image}: ${local.id}`;
  if (typeof stored !== "object")
    return {
      done: true,
      evidence: [here, `not compared with its registry: ${stored ?? "it has none of it"}`],
    };
  return isSameImage(local, stored)
    ? { done: true, evidence: [here, `as its registry has it: ${stored.digest}`] }
    : {
        done: false,
        missing: `the registry has another ${image} than Docker on ${place.host.name}: ${stored.digest}`,
      };
}

async function requirePullSpace(
  deployment: Deployment,
  { image }: PulledImage,
  place: BuilderPlace,
): Promise<void> {
  const stored = await asked(deployment, image);
  if (typeof stored === "string") return place.context.note(`size of ${image} is not known: ${stored}`);
  if (stored === undefined) throw absent(image);
  const root = await storageRoot(place);
  const disk = root === undefined ? undefined : await fileSystemOf(place.context, place.host, root);
  if (disk === undefined)
    return place.context.note(`free space for images on ${place.host.name} is not known`);
  const terms = [
    { what: "layers as they arrive", bytes: stored.bytes },
    { what: `unpacked, about ${UNPACKED} times that`, bytes: Math.round(UNPACKED * stored.bytes) },
  ];
  requireSpace(`pulling ${image}`, terms, disk, place.host);
}

export const absent = (image: string): OmniError =>
  new OmniError("image.unreachable", `There is no image ${image} in its registry.`, {
    hint: "Correct its name and tag in the spec, or push it there.",
  });

async function pull(
  { workFolder }: RunbookInput,
  { image, users }: PulledImage,
  place: BuilderPlace,
): Promise<void> {
  const { context, host } = place;
  const layers = new Map<string, boolean>();
  const result = await context.run(
    host,
    {
      argv: ["docker", "pull", image],
      timeout: TIMEOUT,
      mostBytes: 65_536,
      onOutput: (_stream, text) => {
        for (const [, layer = "", said = ""] of text.matchAll(/^([0-9a-f]{12}): (.+)$/gm))
          layers.set(layer, /Pull complete|Already exists/.test(said) || layers.get(layer) === true);
        const done = [...layers.values()].filter(Boolean).length;
        if (layers.size > 0)
          context.progress({ done, total: layers.size, unit: "steps", text: `layers of ${image}` });
      },
    },
    ANY_STATUS,
  );
  if (result.code !== 0) {
    const said = result.stderr.trim().split("\n").at(-1) ?? "";
    throw new OmniError(
      /no space left on device/i.test(said) ? "image.no-space" : "image.unreachable",
      `Docker on ${host.name} cannot pull ${image}: ${said}`,
    );
  }
  await lookInto(workFolder, image, users, place);
}

/** Of the cards that services run on, each once. */
const capabilitiesOf = (users: readonly DeployedService[]): readonly string[] => [
  ...new Set(users.flatMap(({ cards }) => cards.flatMap((card) => card.computeCapability ?? []))),
];

/** A published image that lacks code for a card fails at its first kernel, hours later. */
async function lookInto(
  workFolder: string,
  image: string,
  users: readonly DeployedService[],
  place: BuilderPlace,
): Promise<void> {
  const [user] = users;
  const cards = capabilitiesOf(users);
  if (user === undefined || cards.length === 0) return;
  const local = await localImage(place, image);
  const { binaries } = await scanLayer(exportedFiles(place, image), "");
  const evidence = checkPulledCode(image, user.kind, cards, binaries);
  place.context.note(evidence.join("; "));
  if (local !== undefined) await rememberLook({ workFolder, id: local.id, cards }, evidence);
}
