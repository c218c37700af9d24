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

const baseOf = (at: string): string => at.slice(at.lastIndexOf("/") + 1);

/** Keys of a ConfigMap (letters, digits and `- _ .`): the files' own names where these are keys and differ, else numbers. */
function keysOf(files: readonly ConfigFile[]): readonly string[] {
  const names = files.map(({ at }) => baseOf(at));
  const plain = names.every((name) => /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}$/.test(name));
  return plain && new Set(names).size === names.length ? names : files.map((_file, index) => `file-${index}`);
}

/**
 * Files as one ConfigMap, each mounted at its own path by `subPath`. Mounted as a folder a ConfigMap would bring links
 * named `..data` along, which Triton takes for a model and which hide what else is in the folder.
 */
export function configFiles(
  metadata: V1ObjectMeta,
  volume: string,
  files: readonly ConfigFile[],
): ConfigFiles {
  const keys = keysOf(files);
  const keyed = files.map((file, index) => ({ ...file, key: keys[index] ?? "" }));
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
