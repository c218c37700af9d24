import { z } from "zod";
import { OmniError } from "../core/index.ts";
import type { RegistryClient } from "./registry-client.ts";

const INDEX_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFEST_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
/** Everything that can stand under an image's name. */
export const MANIFEST_ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES];

const descriptor = z.object({
  mediaType: z.string().default(""),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
});
const INDEX = z.object({
  manifests: z.array(
    descriptor.extend({
      platform: z.object({ os: z.string(), architecture: z.string() }).partial().optional(),
    }),
  ),
});
const AMBIGUOUS = z.object({ manifests: z.array(z.unknown()), layers: z.array(z.unknown()) });
const MANIFEST = z.object({ config: descriptor, layers: z.array(descriptor).max(1000) });
const CONFIG = z.object({
  architecture: z.string().optional(),
  os: z.string().optional(),
  created: z.string().optional(),
  config: z
    .object({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).optional() }).nullish(),
});

export type Layer = z.infer<typeof descriptor>;

/** A manifest for one platform, and what its configuration says. */
export interface Manifest {
  /** Of the manifest of this platform: what a spec pins. */
  readonly digest: string;
  /** Digest of its configuration, by which builders name an image. */
  readonly config: string;
  readonly platform: string;
  readonly created: string | undefined;
  readonly layers: readonly Layer[];
  /** Digests of the layers unpacked, in the same order; empty where the image does not say. */
  readonly diffIds: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The parts of an image as its registry lists them. */
export interface ImageParts {
  /** Of the manifest of this platform. */
  readonly digest: string;
  readonly config: Layer;
  readonly layers: readonly Layer[];
}

/**
 * What the manifest of an image for linux and this processor's name (`amd64`, `arm64`) lists; none of it is read. Throws
 * `OmniError` `image.malformed` when there is none for it or the documents are no image.
 */
export async function readParts(
  client: RegistryClient,
  reference: string,
  architecture: string,
): Promise<ImageParts> {
  const first = await client.manifest(reference, MANIFEST_ACCEPT);
  const parsed = json(first.text);
  // A document that is both would be another image to another reader. Source: CVE-2021-41190.
  if (AMBIGUOUS.safeParse(parsed).success)
    throw new OmniError(
      "image.malformed",
      `What the registry has under ${reference} is an index and an image.`,
    );
  const index = INDEX.safeParse(parsed);
  const chosen = index.success ? choose(index.data, architecture) : undefined;
  const document = chosen === undefined ? first : await client.manifest(chosen, MANIFEST_TYPES);
  const manifest = MANIFEST.safeParse(json(document.text));
  if (!manifest.success) {
    throw new OmniError("image.malformed", `What the registry has under ${reference} is no image manifest.`, {
      hint: "Images of schema version 1 are not read; push the image anew.",
    });
  }
  return { digest: document.digest, ...manifest.data };
}

/**
 * The manifest and configuration of an image for linux and this processor's name (`amd64`, `arm64`). Throws `OmniError`
 * `image.malformed` when there is none for it or the documents are no image.
 */
export async function readManifest(
  client: RegistryClient,
  reference: string,
  architecture: string,
): Promise<Manifest> {
  return withConfiguration(client, await readParts(client, reference, architecture), architecture);
}

/** Parts of an image with what its configuration says. Throws as `readManifest` does. */
export async function withConfiguration(
  client: RegistryClient,
  { digest, config: { digest: named }, layers }: ImageParts,
  architecture: string,
): Promise<Manifest> {
  const config = CONFIG.safeParse(json((await client.blob(named)).text));
  if (!config.success) throw new OmniError("image.malformed", "The image's configuration is not valid.");
  return {
    digest,
    config: named,
    platform: `${config.data.os ?? "linux"}/${config.data.architecture ?? architecture}`,
    created: config.data.created,
    layers,
    diffIds: config.data.rootfs?.diff_ids ?? [],
    environment: new Map((config.data.config?.Env ?? []).map(splitVariable)),
    labels: config.data.config?.Labels ?? {},
  };
}

function choose(index: z.infer<typeof INDEX>, architecture: string): string {
  const { manifests } = index;
  const fits = manifests.find(
    ({ platform }) => platform?.os === "linux" && platform.architecture === architecture,
  );
  // An index of one image need not say its platform.
  const only = manifests.length === 1 && manifests[0]?.platform === undefined ? manifests[0] : undefined;
  const chosen = fits ?? only;
  if (chosen === undefined) {
    const there = manifests
      .map(({ platform }) => `${platform?.os ?? "?"}/${platform?.architecture ?? "?"}`)
      .filter((name) => !name.includes("unknown"));
    throw new OmniError(
      "image.malformed",
      `The image is not there for linux/${architecture}, but for ${there.join(", ") || "nothing"}.`,
      { hint: "Use a tag that is built for this processor." },
    );
  }
  return chosen.digest;
}

const splitVariable = (line: string): [string, string] => {
  const equals = line.indexOf("=");
  return equals < 0 ? [line, ""] : [line.slice(0, equals), line.slice(equals + 1)];
};

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
