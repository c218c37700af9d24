import { storedImage } from "../../binaries/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import type { Observation } from "../step.ts";
import type { LocalImage } from "./image-builder.ts";

/** Label that says what an image was built from. */
export const INPUTS_LABEL = "dev.omni.inputs";

/**
 * Whether the registry has this very image: the recipe's label, all of its parts, and the digest of what the builder holds
 * where it holds one. Throws `OmniError` `image.unreachable` or `image.malformed`.
 */
export async function registryProof(
  { tag, push }: ImageBuild,
  hash: string,
  local: LocalImage | undefined,
): Promise<Observation> {
  const stored = await storedImage(tag, { insecure: push?.insecure === true });
  if (stored === undefined) return { done: false, missing: `${push?.address} has no ${tag}` };
  if (stored.lost.length > 0)
    return {
      done: false,
      missing: `${push?.address} has lost ${stored.lost.length} of ${stored.layers + 1} parts of ${tag}: ${stored.lost.join(", ")}`,
    };
  if (stored.labels[INPUTS_LABEL] !== hash)
    return { done: false, missing: `${tag} in ${push?.address} was built from another recipe` };
  if (local !== undefined && !isSameImage(local, stored))
    return {
      done: false,
      missing: `${tag} in ${push?.address} is ${stored.digest} (${stored.config}), and what was built is ${local.id}`,
    };
  return {
    done: true,
    evidence: [
      `${tag} is in ${push?.address}: ${stored.digest}, all ${stored.layers} layers there`,
      local === undefined
        ? "the builder keeps no copy of its own to compare with"
        : `it is what the builder holds: ${local.id}`,
    ],
  };
}

/** Builders name an image by its configuration or by its manifest. */
export const isSameImage = (
  { id, digests }: LocalImage,
  { digest, config }: { readonly digest: string; readonly config: string },
): boolean => id === config || id === digest || digests.includes(digest);
