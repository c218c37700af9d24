import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { formatCudaArchitecture, OmniError } from "../core/index.ts";
import { cudaLibrary, elfFile, fatbinContainer } from "../../test/fakes/fatbin-elf.ts";
import { digestOf, startImageRegistry } from "../../test/fakes/image-registry.ts";
import type { ImageRegistry, StoredLayer } from "../../test/fakes/image-registry.ts";
import { tarArchive, tarHeader } from "../../test/fakes/tar-writer.ts";
import type { TarMember } from "../../test/fakes/tar-writer.ts";
import { inspectImage } from "./inspect-image.ts";
import type { ImageReport } from "./inspect-image.ts";

const GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
const PLAIN = "application/vnd.oci.image.layer.v1.tar";
const gzip = (members: readonly TarMember[]): StoredLayer => ({
  bytes: gzipSync(tarArchive(members)),
  mediaType: GZIP,
});

const running: ImageRegistry[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((registry) => registry.close()));
});
async function registry(...login: Parameters<typeof startImageRegistry>): Promise<ImageRegistry> {
  const started = await startImageRegistry(...login);
  running.push(started);
  return started;
}

const NO_CREDENTIALS = { HOME: "/nonexistent" };
const summary = (report: ImageReport): Record<string, string> =>
  Object.fromEntries(
    (report.binaries ?? []).map((binary) => [
      binary.path,
      binary.architectures.map((entry) => formatCudaArchitecture(entry)).join(" "),
    ]),
  );

describe("an image in a registry", () => {
  it("is read through a token and an index: labels, environment, sizes", async () => {
    const at = await registry();
    const layer = gzip([{ path: "etc/hostname", content: Buffer.from("engine") }]);
    const digest = at.put("team/vllm", "v0.13.0", {
      environment: [
        "PATH=/usr/bin",
        "CUDA_VERSION=12.8.1",
        "NVIDIA_REQUIRE_CUDA=cuda>=12.8 brand=unknown,driver>=470",
        "TORCH_CUDA_ARCH_LIST=8.0 9.0a 12.0+PTX",
        "NVIDIA_API_KEY=not-to-be-shown",
      ],
      labels: { "org.opencontainers.image.version": "0.13.0" },
      layers: [layer],
      indexed: true,
    });
    const report = await inspectImage(`${at.host}/team/vllm:v0.13.0`, { environment: NO_CREDENTIALS });
    expect(report).toMatchObject({
      digest,
      platform: "linux/amd64",
      cuda: "12.8.1",
      driverCuda: "12.8",
      compressedBytes: layer.bytes.length,
      labels: { "org.opencontainers.image.version": "0.13.0" },
    });
    expect(report.declared?.map((entry) => formatCudaArchitecture(entry))).toEqual([
      "sm_80",
      "sm_90a",
      "sm_120",
      "compute_120",
    ]);
    expect(Object.keys(report.environment).toSorted()).toEqual([
      "CUDA_VERSION",
      "NVIDIA_REQUIRE_CUDA",
      "TORCH_CUDA_ARCH_LIST",
    ]);
    expect(report.uncompressedBytes).toBeUndefined();
    expect(report.binaries).toBeUndefined();
    expect(at.requests.slice(0, 3)).toEqual([
      "GET /v2/team/vllm/manifests/v0.13.0",
      "GET /token",
      "GET /v2/team/vllm/manifests/v0.13.0 +auth",
    ]);
  });

  it("shows the device code of its binaries, gzip, zstd or plain, and what later layers leave of them", async () => {
    const at = await registry();
    const old = elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version: 75 }]) });
    const long = `opt/${"folder/".repeat(20)}libdeep.so`;
    const zstdArchive = tarArchive([
      { path: "./usr/lib/libggml-cuda.so", content: cudaLibrary() },
      { path: long, content: old },
      { path: "usr/lib/.wh.libold.so" },
    ]);
    at.put("engine", "1", {
      layers: [
        gzip([
          { path: "usr/lib/", type: "5" },
          { path: "usr/lib/libggml-cuda.so", content: old },
          { path: "usr/lib/libold.so", content: old },
          { path: "srv/gone/lib.so", content: old },
          { path: "usr/bin/sh", content: elfFile({ ".text": Buffer.alloc(5000, 1) }) },
          { path: "etc/passwd", content: Buffer.from("root:x:0:0\n") },
          { path: "usr/lib/cut.so", content: cudaLibrary().subarray(0, 1500) },
        ]),
        { bytes: zstdCompressSync(zstdArchive), mediaType: ZSTD },
        { bytes: tarArchive([{ path: "srv/.wh.gone" }]), mediaType: PLAIN },
      ],
    });
    const seen: number[] = [];
    const report = await inspectImage(`${at.host}/engine:1`, {
      layers: true,
      environment: NO_CREDENTIALS,
      onLayer: (index, count) => seen.push(index, count),
    });
    expect(summary(report)).toEqual({
      "usr/lib/cut.so": "sm_86 compute_90 sm_120a",
      "usr/lib/libggml-cuda.so": "sm_86 compute_90 sm_100f sm_120a",
      [long]: "sm_75",
    });
    expect(seen).toEqual([0, 3, 1, 3, 2, 3]);
    expect(report.uncompressedBytes).toBeGreaterThan(zstdArchive.length);
  });

  const [real] = globSync(
    join(
      resolve(import.meta.dirname, "../../node_modules/@node-llama-cpp"),
      "linux-x64-cuda/bins/**/libggml-cuda.so",
    ),
  );
  it.runIf(real !== undefined)("with the real libggml-cuda.so says the same as the file itself", async () => {
    const at = await registry();
    const content = readFileSync(real ?? "");
    at.put("real", "1", {
      layers: [{ bytes: tarArchive([{ path: "app/libggml-cuda.so", content }]), mediaType: PLAIN }],
    });
    const report = await inspectImage(`${at.host}/real:1`, { layers: true, environment: NO_CREDENTIALS });
    expect(summary(report)).toEqual({
      "app/libggml-cuda.so": "compute_75 compute_80 sm_86 sm_89 compute_90 sm_120a sm_121a",
    });
    expect(report.binaries?.[0]?.bytes).toBe(statSync(real ?? "").size);
  });
});

describe("credentials", () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-docker-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const login = { user: "reader", password: "hunter2:with-colon" };
  const withAuths = (host: string, password = login.password): NodeJS.ProcessEnv => {
    const auth = Buffer.from(`${login.user}:${password}`).toString("base64");
    writeFileSync(
      join(folder, "config.json"),
      JSON.stringify({ auths: { [host]: { auth } }, credsStore: "pass" }),
    );
    return { DOCKER_CONFIG: folder };
  };

  it("come from Docker's file and open a private image", async () => {
    const at = await registry(login);
    at.put("private", "1", { layers: [gzip([])] });
    const report = await inspectImage(`${at.host}/private:1`, { environment: withAuths(at.host) });
    expect(report.layers).toHaveLength(1);
  });

  it("that are wrong or missing refuse, and stand in no message", async () => {
    const at = await registry(login);
    at.put("private", "1", { layers: [gzip([])] });
    const environments = [NO_CREDENTIALS, withAuths(at.host, "wrong-secret"), withAuths("elsewhere.example")];
    for (const environment of environments) {
      const thrown: unknown = await inspectImage(`${at.host}/private:1`, { environment }).catch(
        (error: unknown) => error,
      );
      expect(thrown).toMatchObject({ code: "image.unreachable" });
      const said =
        thrown instanceof OmniError ? `${thrown.message} ${thrown.hint} ${String(thrown.stack)}` : "";
      expect(said).toContain("HTTP 401");
      expect(said).toContain("docker login");
      expect(said).not.toMatch(/wrong-secret|hunter2|cmVhZGVy/);
    }
  });
});

describe("a registry that is not as it should be", () => {
  const refusal = (image: string, layers = true): Promise<unknown> =>
    inspectImage(image, { layers, environment: NO_CREDENTIALS }).catch((error: unknown) => error);

  it("is named when it does not answer or has no such image", async () => {
    const at = await registry();
    expect(await refusal(`${at.host}/missing:1`)).toMatchObject({
      code: "image.unreachable",
      message: `There is no image ${at.host}/missing (1).`,
    });
    await Promise.all(running.splice(0).map((each) => each.close()));
    const thrown = await refusal(`${at.host}/missing:1`);
    expect(thrown).toMatchObject({ code: "image.unreachable" });
    expect(String(thrown)).toContain(`The registry ${at.host} cannot be reached: `);
  });

  it("is caught when bytes are not those of the digest", async () => {
    const at = await registry();
    const layer = gzip([{ path: "a", content: Buffer.alloc(10) }]);
    const digest = at.put("lies", "1", { layers: [layer] });
    at.corrupt(digestOf(layer.bytes));
    expect(await refusal(`${at.host}/lies:1`)).toMatchObject({ code: "image.malformed" });
    at.corrupt(digest);
    expect(String(await refusal(`${at.host}/lies@${digest}`))).toContain("has the digest sha256:");
  });

  it("is blamed when the connection breaks within a layer", async () => {
    const at = await registry();
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) % 251));
    const layer = gzip([{ path: "a", content: noise }]);
    at.put("broken", "1", { layers: [layer] });
    at.breakOff(digestOf(layer.bytes));
    const thrown = await refusal(`${at.host}/broken:1`);
    expect(thrown).toMatchObject({ code: "image.unreachable" });
    expect(String(thrown)).toMatch(/layer sha256:\w+ broke off after \d+ bytes/);
  });

  it.each([
    ["a layer that is no archive", { bytes: Buffer.alloc(2048, 7), mediaType: PLAIN }],
    ["a gzip that is cut", { bytes: gzipSync(Buffer.alloc(90_000, 3)).subarray(0, 60), mediaType: GZIP }],
    ["an archive that ends within a file", { bytes: tarHeader("a", "0", 5000), mediaType: PLAIN }],
    ["an extended header of gigabytes", { bytes: tarHeader("a", "x", 2 ** 32), mediaType: PLAIN }],
  ])("is told: %s", async (_what, layer) => {
    const at = await registry();
    at.put("broken", "1", { layers: [layer] });
    expect(await refusal(`${at.host}/broken:1`)).toMatchObject({ code: "image.malformed" });
  });

  it("without this platform says which there are", async () => {
    const at = await registry();
    at.put("multi", "1", { layers: [gzip([])], indexed: true });
    await expect(
      inspectImage(`${at.host}/multi:1`, { architecture: "riscv64", environment: NO_CREDENTIALS }),
    ).rejects.toThrow("The image is not there for linux/riscv64, but for linux/arm64, linux/amd64.");
  });
});
