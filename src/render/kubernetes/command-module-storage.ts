import type {
  KubernetesObject,
  V1Container,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, CommandModule } from "../../deployment/index.ts";
import { kubernetesText } from "../escape/kubernetes-variable.ts";
import type { Data } from "./object.ts";
import { memoryQuantity } from "./quantity.ts";
import { asRoot } from "./security-context.ts";
import { isTalos } from "./storage/node-disk.ts";

const PATH = "runbook.commandModule";
const VOLUME = "data";

/** Storage of the shell pod: a volume, where it is mounted, and what has to run before. */
interface ModuleStorage {
  readonly volume: V1Volume;
  readonly mount: V1VolumeMount;
  readonly before: readonly V1Container[];
  readonly objects: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

const storage = (
  volume: V1Volume,
  mount: V1VolumeMount,
  rest: Partial<ModuleStorage> = {},
): ModuleStorage => ({
  volume,
  mount,
  before: [],
  objects: [],
  diagnostics: [],
  ...rest,
});

/** A folder of the node, a claim, or nothing that stays. */
export function moduleStorage(
  module: CommandModule,
  metadata: Data<V1ObjectMeta>,
  cluster: Cluster,
): ModuleStorage {
  const mount = { name: VOLUME, mountPath: module.at };
  if (module.folder !== undefined) return folder(module, module.folder, mount, cluster);
  if (module.storage === undefined) {
    return storage({ name: VOLUME, emptyDir: {} }, mount, {
      diagnostics: [
        {
          code: "render.needs-value",
          severity: "warning",
          path: PATH,
          message: `The command module names neither a disk nor a size of storage, so what lies under ${module.at} ends with its pod.`,
          hint: `${PATH}.disk: NAME, or ${PATH}.storage: 100GiB for a claim`,
        },
      ],
    });
  }
  const claim: V1PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata,
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(cluster.storageClass === undefined ? {} : { storageClassName: cluster.storageClass }),
      resources: { requests: { storage: memoryQuantity(module.storage) } },
    },
  };
  return storage({ name: VOLUME, persistentVolumeClaim: { claimName: metadata.name ?? "" } }, mount, {
    objects: [claim],
  });
}

/**
 * A folder of the node, made where it is missing. Talos shows /var/mnt to the kubelet read-only, so there the volume is
 * mounted whole and a container makes the folder within it: containers get the node's own mount.
 */
function folder(
  module: CommandModule,
  path: string,
  mount: { readonly name: string; readonly mountPath: string },
  cluster: Cluster,
): ModuleStorage {
  const inVolume = /^(\/var\/mnt\/[^/]+)\/+(.+?)\/*$/.exec(path);
  const [, root, within] = inVolume ?? [];
  if (!isTalos(cluster) || root === undefined || within === undefined || path.split("/").includes(".."))
    return storage({ name: VOLUME, hostPath: { path, type: "DirectoryOrCreate" } }, mount);
  const make: V1Container = {
    name: "make-folder",
    image: module.image,
    command: ["mkdir", "-p", "--"],
    args: [kubernetesText(`/volume/${within}`, `${PATH}.path`)],
    env: [{ name: "NVIDIA_VISIBLE_DEVICES", value: "void" }],
    securityContext: asRoot(["DAC_OVERRIDE"]),
    volumeMounts: [{ name: VOLUME, mountPath: "/volume" }],
  };
  return storage(
    { name: VOLUME, hostPath: { path: root, type: "Directory" } },
    { ...mount, subPath: within },
    { before: [make] },
  );
}
