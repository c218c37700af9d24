import { formatBytes, GIB } from "../../../core/index.ts";
import { mountOf } from "../../../inventory/index.ts";
import type { MachineInventory } from "../../../inventory/index.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { saidText } from "../said.ts";
import { modelsHere, servicesHere } from "../scope.ts";
import { dockerInfo } from "../containers/docker-info.ts";

const ID = "disks.room";
/** Images with CUDA and PyTorch take 8 to 21 GB unpacked; the larger is what filled a 98 GB root partition once. */
const IMAGE = 20 * GIB;

/** One thing that will lie on a file system, bytes. */
interface Need {
  readonly path: string;
  readonly what: string;
  readonly bytes: number;
}

type Mount = NonNullable<MachineInventory["root"]>;

/** Models, images and caches of the plan fit into what is free, mount by mount. */
export const diskRoom: Check = {
  id: ID,
  title: "Room for models and images",
  look: async (subject) => {
    const needs = [...(await modelNeeds(subject)), ...(await imageNeeds(subject))];
    const byMount = new Map<string, { readonly mount: Mount; readonly needs: Need[] }>();
    for (const need of needs) {
      const mount = mountOf(subject.view.machine, need.path);
      if (mount === undefined) continue;
      const known = byMount.get(mount.path);
      if (known === undefined) byMount.set(mount.path, { mount, needs: [need] });
      else known.needs.push(need);
    }
    return [...byMount.values()].map((one) => findingOf(one.mount, one.needs));
  },
};

function findingOf(mount: Mount, needs: readonly Need[]): Finding {
  const base = { check: ID, subject: mount.path } as const;
  const total = needs.reduce((sum, { bytes }) => sum + bytes, 0);
  const terms = needs.map(({ what, bytes }) => `${what} ${formatBytes(bytes)}`).join(" + ");
  const free = `${formatBytes(mount.free)} of ${formatBytes(mount.size)} free`;
  if (total <= mount.free) return { ...base, state: "ok", seen: `${free}; still to come: ${terms}` };
  return {
    ...base,
    state: "error",
    seen: free,
    wanted: `${formatBytes(total)}: ${terms}`,
    why: `${formatBytes(total - mount.free)} are missing; a download or a pull would end in the middle with a full file system.`,
    remedy: `Free space on ${mount.path}, or put models (models.NAME.store) or Docker's data folder on a larger disk.`,
  };
}

/** What of each model is not there yet. */
async function modelNeeds(subject: DoctorSubject): Promise<readonly Need[]> {
  const models = modelsHere(subject).filter(
    ({ download, sizeBytes }) => download !== undefined && sizeBytes > 0,
  );
  return Promise.all(
    models.map(async ({ name, path, sizeBytes }) => {
      const used = await saidText(subject.view, ["du", "--summarize", "--bytes", path]);
      const there = Number(/^\d+/.exec(used ?? "")?.[0] ?? 0);
      return { path, what: `model ${name}`, bytes: Math.max(0, sizeBytes - there) };
    }),
  );
}

async function imageNeeds(subject: DoctorSubject): Promise<readonly Need[]> {
  const images = new Set(
    servicesHere(subject).flatMap(({ runtime, image, cards }) =>
      runtime === "docker" && image !== undefined && cards.length > 0 ? [image] : [],
    ),
  );
  if (images.size === 0) return [];
  const argv = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"] as const;
  const there = new Set((await saidText(subject.view, argv))?.split("\n") ?? []);
  const info = await dockerInfo(subject.view);
  const path =
    (info.answered ? info.DockerRootDir : undefined) ??
    subject.spec?.runtime.docker.dataRoot ??
    "/var/lib/docker";
  return [...images]
    .filter((image) => !there.has(image.replace(/@sha256:.*$/, "")))
    .map((image) => ({ path, what: `image ${image}, about`, bytes: IMAGE }));
}
