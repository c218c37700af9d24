import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** A layer as it is stored, compressed or not. */
export interface StoredLayer {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface StoredImage {
  readonly environment?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly layers: readonly StoredLayer[];
  /** Under an index for several platforms, as published images are. */
  readonly indexed?: boolean;
  /** Digests of the layers unpacked, without which Docker takes no image. */
  readonly diffIds?: readonly string[];
}

export interface ImageRegistry {
  /** `127.0.0.1:40000`. */
  readonly host: string;
  /** What was asked, `GET /v2/…`, with `+auth` when it came with a token. */
  readonly requests: readonly string[];
  readonly put: (repository: string, tag: string, image: StoredImage) => string;
  /** Serves these bytes under the digest of others: a registry that lies. */
  readonly corrupt: (digest: string) => void;
  /** Sends half of this blob and breaks the connection. */
  readonly breakOff: (digest: string) => void;
  /** Sends this blob in ten pieces, so many ms apart. */
  readonly slow: (digest: string, ms: number) => void;
  /** Refuses a repository's manifests with the words of a registry. */
  readonly refuse: (repository: string, status: number, code: string, message: string) => void;
  readonly close: () => Promise<void>;
}

export const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

/** A registry (OCI distribution, pull only) on loopback; with `login` it hands tokens to that user alone. */
export async function startImageRegistry(login?: {
  readonly user: string;
  readonly password: string;
}): Promise<ImageRegistry> {
  const blobs = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  const tags = new Map<string, string>();
  const requests: string[] = [];
  const broken = new Set<string>();
  const slowed = new Map<string, number>();
  const refused = new Map<string, { readonly status: number; readonly body: string }>();
  const token = "a-token-of-the-test";
  const store = (bytes: Buffer, type: string): string => {
    const digest = digestOf(bytes);
    blobs.set(digest, { bytes, type });
    return digest;
  };
  const server = createServer((request, response) => {
    answer(request, response);
  });
  const giveToken = (request: IncomingMessage, response: ServerResponse): void => {
    const expected = `Basic ${Buffer.from(`${login?.user}:${login?.password}`).toString("base64")}`;
    const may = login === undefined || request.headers.authorization === expected;
    if (may) send(response, 200, { "content-type": "application/json" }, JSON.stringify({ token }));
    else send(response, 401, {});
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? "";
    const authorized = request.headers.authorization === `Bearer ${token}`;
    requests.push(`GET ${url.replace(/\?.*/, "")}${authorized ? " +auth" : ""}`);
    if (url.startsWith("/token?")) return giveToken(request, response);
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url);
    if (match === null && url !== "/v2/") return send(response, 404, {});
    if (!authorized) {
      const realm = `http://${request.headers.host}/token`;
      const scope = `repository:${match?.[1] ?? ""}:pull`;
      return send(response, 401, {
        "www-authenticate": `Bearer realm="${realm}",service="test",scope="${scope}"`,
      });
    }
    if (match === null) return send(response, 200, {});
    const refusal = refused.get(match[1] ?? "");
    if (refusal !== undefined && match[2] === "manifests")
      return send(response, refusal.status, { "content-type": "application/json" }, refusal.body);
    const wanted = match[3] ?? "";
    const digest = wanted.startsWith("sha256:") ? wanted : tags.get(`${match[1]}:${wanted}`);
    const blob = digest === undefined ? undefined : blobs.get(digest);
    if (blob === undefined) return send(response, 404, {});
    response.writeHead(200, {
      "content-type": blob.type,
      "content-length": blob.bytes.length,
      "docker-content-digest": digest,
    });
    const pace = slowed.get(wanted);
    if (pace !== undefined) return void sendSlowly(response, blob.bytes, pace);
    if (!broken.has(wanted)) return void response.end(blob.bytes);
    response.write(blob.bytes.subarray(0, blob.bytes.length / 2), () => response.destroy());
  };
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    requests,
    put: (repository, tag, image) => {
      const digest = store(manifestOf(image, store), MANIFEST);
      const size = blobs.get(digest)?.bytes.length ?? 0;
      const platforms = [
        { os: "linux", architecture: "arm64" },
        { os: "linux", architecture: "amd64" },
        { os: "unknown", architecture: "unknown" },
      ];
      const other = `sha256:${"0".repeat(64)}`;
      const index = {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: platforms.map((platform) => ({
          mediaType: MANIFEST,
          size,
          digest: platform.architecture === "amd64" ? digest : other,
          platform,
        })),
      };
      const top = image.indexed === true ? store(Buffer.from(JSON.stringify(index)), INDEX) : digest;
      tags.set(`${repository}:${tag}`, top);
      return digest;
    },
    corrupt: (digest) => {
      const blob = blobs.get(digest);
      if (blob !== undefined)
        blobs.set(digest, { ...blob, bytes: Buffer.concat([blob.bytes, Buffer.from(" ")]) });
    },
    breakOff: (digest) => {
      broken.add(digest);
    },
    slow: (digest, ms) => {
      slowed.set(digest, ms);
    },
    refuse: (repository, status, code, message) => {
      refused.set(repository, { status, body: JSON.stringify({ errors: [{ code, message }] }) });
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body = ""): void {
  response.writeHead(status, headers).end(body);
}

async function sendSlowly(response: ServerResponse, bytes: Buffer, ms: number): Promise<void> {
  const piece = Math.ceil(bytes.length / 10);
  for (let from = 0; from < bytes.length && !response.destroyed; from += piece) {
    response.write(bytes.subarray(from, from + piece));
    await sleep(ms);
  }
  response.end();
}

function manifestOf(image: StoredImage, store: (bytes: Buffer, type: string) => string): Buffer {
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      created: "2026-10-01T00:00:00Z",
      config: { Env: image.environment ?? [], Labels: image.labels ?? {} },
      rootfs: { type: "layers", diff_ids: image.diffIds ?? [] },
    }),
  );
  const describe = (bytes: Buffer, mediaType: string): object => ({
    mediaType,
    size: bytes.length,
    digest: store(bytes, "application/octet-stream"),
  });
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: describe(config, "application/vnd.oci.image.config.v1+json"),
      layers: image.layers.map((layer) => describe(layer.bytes, layer.mediaType)),
    }),
  );
}
