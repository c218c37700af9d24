import { parseImageName } from "./image-name.ts";
import { readManifest } from "./image-manifest.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistryOptions } from "./registry-client.ts";

/** A layer of an image, as one who pulls it needs to know it. */
export interface StoredImageLayer {
  /** Compressed, as the registry stores it. */
  readonly bytes: number;
  /** Digest of it unpacked; absent where the image does not say. */
  readonly diffId?: string;
}

/**
 * The layers of an image in their order, from its manifest and configuration alone. `architecture` as images name it,
 * `amd64` when absent. Throws `OmniError` `image.unreachable` or `image.malformed`.
 */
export async function imageLayers(
  text: string,
  options: RegistryOptions & { readonly architecture?: string } = {},
): Promise<readonly StoredImageLayer[]> {
  const name = parseImageName(text);
  const client = new RegistryClient(name, options);
  const { layers, diffIds } = await readManifest(client, name.reference, options.architecture ?? "amd64");
  return layers.map(({ size }, index) => {
    const diffId = diffIds[index];
    return { bytes: size, ...(diffId === undefined ? {} : { diffId }) };
  });
}
