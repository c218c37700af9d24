import { parseCudaArchitectureList } from "../core/index.ts";
import type { CudaArchitecture } from "../core/index.ts";
import { parseImageName } from "./image-name.ts";
import { readManifest } from "./image-manifest.ts";
import type { Layer, Manifest } from "./image-manifest.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistryOptions } from "./registry-client.ts";
import { scanLayer } from "./scan-layer.ts";
import type { ImageBinary } from "./scan-layer.ts";

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
const SECRET = /TOKEN|SECRET|PASS|PWD|KEY|CREDENTIAL|AUTH/i;
const SECRET_LABEL = /token|secret|passw|credential/i;
/** Builders leave the address they cloned from in labels, at times with the token they cloned with. */
const USERINFO = /(\/\/)[^/\s@]*@/g;
const withoutUserinfo = (text: string): string => text.replaceAll(USERINFO, "$1…@");

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
    labels: shownLabels(manifest.labels),
    layers: manifest.layers,
    compressedBytes: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    ...environmentOf(manifest.environment),
    ...uncompressed(manifest.layers, contents),
    ...(contents === undefined ? {} : { binaries: contents.binaries }),
  };
}

interface ImageContents {
  readonly binaries: readonly ImageBinary[];
  /** Of all layers unpacked. */
  readonly bytes: number;
}

/** The binaries that are left when every layer has replaced and removed what it does. */
async function readLayers(
  client: RegistryClient,
  manifest: Manifest,
  options: InspectImageOptions,
): Promise<ImageContents> {
  const files = new Map<string, ImageBinary>();
  let bytes = 0;
  for (const [index, layer] of manifest.layers.entries()) {
    options.onLayer?.(index, manifest.layers.length, layer.size);
    const done = new AbortController();
    try {
      const chunks = client.layer(layer, done.signal);
      const contents = await scanLayer(chunks, layer.digest, { below: new Set(files.keys()) });
      for (const path of contents.gone) files.delete(path);
      for (const binary of contents.binaries) files.set(binary.path, binary);
      bytes += contents.bytes;
    } finally {
      // A layer that is given up may have a read under way, which would keep its connection for minutes.
      done.abort();
    }
  }
  return { binaries: [...files.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)), bytes };
}

function environmentOf(
  environment: ReadonlyMap<string, string>,
): Pick<ImageReport, "environment" | "cuda" | "driverCuda" | "declared"> {
  const cuda = environment.get("CUDA_VERSION");
  const driverCuda = /cuda>=(\d+\.\d+)/.exec(environment.get("NVIDIA_REQUIRE_CUDA") ?? "")?.[1];
  const declared = parseCudaArchitectureList(environment.get("TORCH_CUDA_ARCH_LIST") ?? "");
  const telling = [...environment]
    .filter(([key]) => TELLING.test(key) && !SECRET.test(key))
    .map(([key, value]) => [key, withoutUserinfo(value)] as const);
  return {
    environment: Object.fromEntries(telling),
    ...(cuda === undefined ? {} : { cuda }),
    ...(driverCuda === undefined ? {} : { driverCuda }),
    ...(declared === undefined ? {} : { declared }),
  };
}

const shownLabels = (labels: Manifest["labels"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([key]) => !SECRET_LABEL.test(key))
      .map(([key, value]) => [key, withoutUserinfo(value)]),
  );

function uncompressed(
  layers: readonly Layer[],
  contents: ImageContents | undefined,
): Pick<ImageReport, "uncompressedBytes"> {
  if (contents !== undefined) return { uncompressedBytes: contents.bytes };
  const plain = layers.every((layer) => /\.tar$|layer\.v1\.tar$/.test(layer.mediaType));
  return plain && layers.length > 0
    ? { uncompressedBytes: layers.reduce((sum, layer) => sum + layer.size, 0) }
    : {};
}
