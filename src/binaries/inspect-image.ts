import { parseCudaArchitectureList } from "../core/index.ts";
import type { CudaArchitecture } from "../core/index.ts";
import { parseImageName } from "./image-name.ts";
import { readManifest } from "./image-manifest.ts";
import type { Layer, Manifest } from "./image-manifest.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistryOptions } from "./registry-client.ts";
import { scanLayer } from "./scan-layer.ts";
import type { ImageBinary, LayerContents } from "./scan-layer.ts";

export interface InspectImageOptions extends RegistryOptions {
  /** Read the layers and look into every binary; otherwise only what the registry's documents say. */
  readonly layers?: boolean;
  /** Processor as images name it; `amd64` when absent. */
  readonly architecture?: string;
  /** Called before each layer: which of how many, and its compressed bytes. */
  readonly onLayer?: (index: number, count: number, bytes: number) => void;
}

/** An image of a registry. Bytes. */
export interface ImageReport {
  readonly image: string;
  readonly registry: string;
  readonly repository: string;
  /** Digest of the manifest for this platform. */
  readonly digest: string;
  readonly platform: string;
  readonly created?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Variables that speak of CUDA, PyTorch or the engine; the others are nobody's business. */
  readonly environment: Readonly<Record<string, string>>;
  /** CUDA toolkit, by `CUDA_VERSION`. */
  readonly cuda?: string;
  /** CUDA that the driver must speak at least, by `NVIDIA_REQUIRE_CUDA`. */
  readonly driverCuda?: string;
  readonly compressedBytes: number;
  /** On disk; known when the layers were read or are not compressed. */
  readonly uncompressedBytes?: number;
  readonly layers: readonly Layer[];
  /** What `TORCH_CUDA_ARCH_LIST` claims; binaries know better. */
  readonly declared?: readonly CudaArchitecture[];
  /** Files with device code, when the layers were read. */
  readonly binaries?: readonly ImageBinary[];
}

const TELLING = /CUDA|TORCH|NVIDIA|NCCL|VLLM|SGL|TRITON|TENSORRT|LLAMA|GGML/;
const SECRET = /TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL/i;

/**
 * An image as its registry knows it: labels, environment, sizes; with `layers` also the architectures of every binary,
 * read as the layers stream by, none of it written to disk. Throws `OmniError` `image.unreachable` or `image.malformed`.
 */
export async function inspectImage(text: string, options: InspectImageOptions = {}): Promise<ImageReport> {
  const name = parseImageName(text);
  const client = new RegistryClient(name, options);
  const manifest = await readManifest(client, name.reference, options.architecture ?? "amd64");
  const contents = options.layers === true ? await readLayers(client, manifest, options) : undefined;
  return {
    image: text,
    registry: name.registry,
    repository: name.repository,
    digest: manifest.digest,
    platform: manifest.platform,
    ...(manifest.created === undefined ? {} : { created: manifest.created }),
    labels: manifest.labels,
    layers: manifest.layers,
    compressedBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    ...environmentOf(manifest.environment),
    ...uncompressed(manifest.layers, contents),
    ...(contents === undefined ? {} : { binaries: surviving(contents) }),
  };
}

async function readLayers(
  client: RegistryClient,
  manifest: Manifest,
  options: InspectImageOptions,
): Promise<readonly LayerContents[]> {
  const contents: LayerContents[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    options.onLayer?.(index, manifest.layers.length, layer.size);
    contents.push(await scanLayer(client.layer(layer.digest), layer.digest));
  }
  return contents;
}

/** What is left of the binaries when every layer has replaced and removed what it does. */
function surviving(layers: readonly LayerContents[]): readonly ImageBinary[] {
  const files = new Map<string, ImageBinary>();
  for (const layer of layers) {
    for (const gone of layer.removed) {
      for (const path of files.keys())
        if (path === gone || path.startsWith(gone === "" || gone.endsWith("/") ? gone : `${gone}/`))
          files.delete(path);
    }
    for (const path of layer.replaced) files.delete(path);
    for (const binary of layer.binaries) files.set(binary.path, binary);
  }
  return [...files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function environmentOf(
  environment: ReadonlyMap<string, string>,
): Pick<ImageReport, "environment" | "cuda" | "driverCuda" | "declared"> {
  const cuda = environment.get("CUDA_VERSION");
  const driverCuda = /cuda>=(\d+\.\d+)/.exec(environment.get("NVIDIA_REQUIRE_CUDA") ?? "")?.[1];
  const declared = parseCudaArchitectureList(environment.get("TORCH_CUDA_ARCH_LIST") ?? "");
  const telling = [...environment].filter(([key]) => TELLING.test(key) && !SECRET.test(key));
  return {
    environment: Object.fromEntries(telling),
    ...(cuda === undefined ? {} : { cuda }),
    ...(driverCuda === undefined ? {} : { driverCuda }),
    ...(declared === undefined ? {} : { declared }),
  };
}

function uncompressed(
  layers: readonly Layer[],
  contents: readonly LayerContents[] | undefined,
): Pick<ImageReport, "uncompressedBytes"> {
  if (contents !== undefined)
    return { uncompressedBytes: contents.reduce((sum, layer) => sum + layer.bytes, 0) };
  const plain = layers.every((layer) => /\.tar$|layer\.v1\.tar$/.test(layer.mediaType));
  return plain && layers.length > 0
    ? { uncompressedBytes: layers.reduce((sum, layer) => sum + layer.size, 0) }
    : {};
}
