import type { Manifest } from "../../cluster/cluster-api.ts";
import type { ManifestFile } from "./cluster-parts.ts";

/** The objects of a file as they are sent: what the renderer left undefined is not there. */
export const manifestsOf = ({ objects }: ManifestFile): readonly Manifest[] =>
  objects.map(({ apiVersion = "", kind = "", metadata, ...rest }) => ({
    ...plain(rest),
    apiVersion,
    kind,
    metadata: { ...plain(metadata ?? {}), name: metadata?.name ?? "" },
  }));

const plain = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
