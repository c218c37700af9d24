import { MANIFEST_ACCEPT, readParts, withConfiguration } from "./image-manifest.ts";
import { parseImageName } from "./image-name.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistryOptions } from "./registry-client.ts";

/** An image in a registry, as whoever put it there compares it with what was built. */
export interface StoredImage {
  /** Of the manifest for this platform. */
  readonly digest: string;
  /** Of the configuration: what builders call the image's id. */
  readonly config: string;
  /** Empty where the configuration itself is lost. */
  readonly labels: Readonly<Record<string, string>>;
  /** Compressed bytes of its layers. */
  readonly bytes: number;
  readonly layers: number;
  /** Digests that the manifest lists and the registry has lost. */
  readonly lost: readonly string[];
}

/**
 * What a registry has under a name, each of its parts asked for and no layer read; nothing where there is no such image.
 * `architecture` as images name it, `amd64` when absent. Throws `OmniError` `image.unreachable` or `image.malformed`.
 */
export async function storedImage(
  text: string,
  options: RegistryOptions & { readonly architecture?: string } = {},
): Promise<StoredImage | undefined> {
  const name = parseImageName(text);
  const client = new RegistryClient(name, options);
  if (!(await client.holds("manifests", name.reference, MANIFEST_ACCEPT))) return undefined;
  const architecture = options.architecture ?? "amd64";
  const parts = await readParts(client, name.reference, architecture);
  const lost: string[] = [];
  for (const { digest } of [parts.config, ...parts.layers])
    if (!(await client.holds("blobs", digest, ["*/*"]))) lost.push(digest);
  const configured = lost.includes(parts.config.digest)
    ? undefined
    : await withConfiguration(client, parts, architecture);
  return {
    digest: parts.digest,
    config: parts.config.digest,
    labels: configured?.labels ?? {},
    bytes: parts.layers.reduce((sum, { size }) => sum + size, 0),
    layers: parts.layers.length,
    lost: [...new Set(lost)],
  };
}
