import { z } from "zod";
import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";
import { driverCards } from "../scope.ts";
import type { Check, DoctorSubject, Finding, Fix, HostView } from "../check.ts";
import { loadedDriver } from "../driver/loaded-driver.ts";
import { dockerInfo } from "./docker-info.ts";
import { gpuContainers, toolkitVersion } from "./gpu-containers.ts";

const ID = "containers.cdi";
/** /var/run is a link to /run. */
const FOLDERS = ["etc/cdi", "run/cdi"] as const;
const WRITTEN = "/etc/cdi/nvidia.yaml";

const GENERATE: Fix = {
  title: `Describe the cards of the running driver in ${WRITTEN}.`,
  changes: [{ kind: "run", argv: ["nvidia-ctk", "cdi", "generate", `--output=${WRITTEN}`], timeout: 60_000 }],
  needsReboot: false,
};

interface CdiSpec {
  readonly path: string;
  readonly text: string;
}

/** The container device descriptions of NVIDIA's that the host holds. */
const cdiSpecs = ({ root }: HostView): readonly CdiSpec[] =>
  FOLDERS.flatMap((folder) =>
    namesIn(`${root}${folder}`)
      .filter((name) => /\.(?:ya?ml|json)$/.test(name))
      .map((name) => ({ path: `/${folder}/${name}`, text: readText(`${root}${folder}/${name}`) })),
  ).filter(({ text }) => /kind["']?\s*:\s*["']?nvidia\.com\/gpu\b/.test(text));

/** Versions of the driver whose libraries a description mounts: `libcuda.so.580.95.05`. */
const driversIn = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/libcuda\.so\.(\d+\.[\d.]*\d)/g)].map((match) => z.string().parse(match[1]))),
];

/** Devices that a description names, without `all`. */
const devicesIn = (text: string): number =>
  new Set(
    [...text.matchAll(/["']?\bname["']?\s*:\s*["']?(\d+|GPU-[0-9a-f-]+)["']?/g)].map((match) => match[1]),
  ).size;

/** The descriptions by which containers are given cards are there, whole, and of the running driver. */
export const cdiCurrent: Check = {
  id: ID,
  title: "Container device descriptions",
  look: async (subject) => {
    if (!(await gpuContainers(subject)) || (await toolkitVersion(subject)) === undefined) return [];
    const wanted = subject.deployment?.docker.gpus === "cdi";
    const specs = cdiSpecs(subject.view);
    if (specs.length > 0) return specs.map((spec) => findingOf(subject, spec));
    const info = await dockerInfo(subject.view);
    const looksThere = info.answered && (info.CDISpecDirs ?? []).length > 0;
    if (!wanted && (subject.spec !== undefined || !looksThere)) return [];
    return [
      {
        check: ID,
        state: wanted ? "error" : "note",
        seen: "no description of an NVIDIA card in /etc/cdi or /var/run/cdi",
        ...(wanted
          ? { wanted: `one for each card in ${WRITTEN}`, path: "runtime.docker.gpus", fix: GENERATE }
          : {}),
        why: "Docker cannot resolve nvidia.com/gpu=… without it.",
        remedy: `nvidia-ctk cdi generate --output=${WRITTEN}`,
      },
    ];
  },
};

function findingOf(subject: DoctorSubject, { path, text }: CdiSpec): Finding {
  const base = { check: ID, subject: path } as const;
  const running = loadedDriver(subject.view)?.version;
  const described = driversIn(text);
  const cards = driverCards(subject).length;
  const devices = devicesIn(text);
  const stale = running !== undefined && described.length > 0 && !described.includes(running);
  if (!stale && devices >= cards)
    return {
      ...base,
      state: "ok",
      seen: `${devices} devices, driver ${described.join(", ") || "not named"}`,
    };
  return {
    ...base,
    state: "error",
    seen: stale
      ? `made for driver ${described.join(", ")}, while ${running} runs`
      : `${devices} devices for ${cards} cards`,
    wanted: stale ? `driver ${running}` : `every card`,
    why: stale
      ? "It mounts libraries that are gone since the driver was upgraded: containers fail to start."
      : "A card without a description cannot be given to a container.",
    remedy: `nvidia-ctk cdi generate --output=${path}`,
    ...(path === WRITTEN ? { fix: GENERATE } : {}),
  };
}
