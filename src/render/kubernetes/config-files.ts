import { createHash } from "node:crypto";
import type { V1ConfigMap, V1ObjectMeta, V1Volume, V1VolumeMount } from "@kubernetes/client-node";
import { PREFIX } from "./labels.ts";

/** A file that a container reads from a ConfigMap, at its whole path. */
export interface ConfigFile {
  readonly at: string;
  readonly content: string;
}

export interface ConfigFiles {
  readonly object: V1ConfigMap;
  readonly volume: V1Volume;
  readonly mounts: readonly V1VolumeMount[];
  /** Annotation of the pod: a changed file is a changed pod, so that it is replaced. */
  readonly annotation: Record<string, string>;
}

/** A key of a ConfigMap: letters, digits and `- _ .`; numbered, because two paths may look alike without their slashes. */
const keyOf = (at: string, index: number): string =>
  `${index}-${at
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^-+/g, "")
    .slice(-200)}`;

/**
 * Files as one ConfigMap, each mounted at its own path by `subPath`. Mounted as a folder a ConfigMap would bring links
 * named `..data` along, which Triton takes for a model and which hide what else is in the folder.
 */
export function configFiles(
  metadata: V1ObjectMeta,
  volume: string,
  files: readonly ConfigFile[],
): ConfigFiles {
  const keyed = files.map((file, index) => ({ ...file, key: keyOf(file.at, index) }));
  const hash = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  return {
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: Object.fromEntries(keyed.map(({ key, content }) => [key, content])),
    },
    volume: { name: volume, configMap: { name: metadata.name ?? "" } },
    mounts: keyed.map(({ key, at }) => ({ name: volume, mountPath: at, subPath: key, readOnly: true })),
    annotation: { [`${PREFIX}/config-sha256`]: hash },
  };
}
