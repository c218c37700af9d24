import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { cudaLibrary, elfFile, fatbinContainer } from "../fakes/fatbin-elf.ts";
import { startImageRegistry } from "../fakes/image-registry.ts";
import type { ImageRegistry } from "../fakes/image-registry.ts";
import { tarArchive } from "../fakes/tar-writer.ts";
import { omni, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
let registry: ImageRegistry;
beforeAll(async () => {
  registry = await startImageRegistry();
});
afterAll(async () => {
  await registry.close();
  folder.remove();
});

const CODE = z.object({
  architectures: z.array(z.string()),
  cards: z.array(z.object({ computeCapability: z.string(), by: z.string() })),
});

describe("engines inspect", () => {
  it("tells which cards a library serves, by machine code, by PTX, and not at all", async () => {
    const path = join(folder.path, "libggml-cuda.so");
    writeFileSync(path, cudaLibrary());
    const told = await omni(["engines", "inspect", path], folder.path);
    expect(told.code).toBe(0);
    expect(told.stdout).toContain("machine code  sm_86 (2 of 3), sm_100f (1 of 3), sm_120a (2 of 3)");
    expect(told.stdout).toContain("PTX           compute_90 (2 of 3)");
    expect(told.stdout).toMatch(/^12\.0 {2}runs +sm_120a +RTX PRO 6000 Blackwell/m);
    expect(told.stdout).toMatch(/^12\.1 {2}compiles PTX at first start +compute_90 +GB10$/m);
    expect(told.stdout).toMatch(/^8\.0 {3}does not run/m);
    const json = await omni(["engines", "inspect", path, "--json"], folder.path);
    const { architectures, cards } = CODE.parse(JSON.parse(json.stdout));
    expect(architectures).toEqual(["sm_86", "compute_90", "sm_100f", "sm_120a"]);
    expect(cards.find((card) => card.computeCapability === "7.5")?.by).toBe("nothing");
  });

  it("tells what a registry says of an image, and what its layers hold", async () => {
    const archive = tarArchive([{ path: "app/libggml-cuda.so", content: cudaLibrary() }]);
    registry.put("engine", "1", {
      environment: ["CUDA_VERSION=12.8.1", "TORCH_CUDA_ARCH_LIST=9.0a"],
      labels: { title: "an \u001B[31mengine" },
      layers: [{ bytes: gzipSync(archive), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
      indexed: true,
    });
    const image = `${registry.host}/engine:1`;
    const told = await omni(["engines", "inspect", image], folder.path);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/^CUDA +12\.8\.1$/m);
    expect(told.stdout).toMatch(/^12\.0 {2}does not run/m);
    expect(told.stdout).toContain("Add --layers to read its binaries.");
    expect(told.stdout).not.toContain("\u001B");
    const layers = await omni(["engines", "inspect", image, "--layers"], folder.path);
    expect(layers.stderr).toContain("layer 1 of 1");
    expect(layers.stdout).toContain("app/libggml-cuda.so");
    expect(layers.stdout).toMatch(/^12\.0 {2}1 of 1 {2}RTX PRO 6000/m);
    expect(layers.stdout).toMatch(/^8\.0 {3}0 of 1 {2}A30/m);
    const json = await omni(["engines", "inspect", image, "--layers", "--json"], folder.path);
    const { binaries } = z.object({ binaries: z.array(CODE) }).parse(JSON.parse(json.stdout));
    expect(binaries[0]?.architectures).toContain("sm_120a");
  });

  it("exits 1 when a required architecture is not in a file, and 0 when it is", async () => {
    const library = (version: number): Buffer =>
      elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version }]) });
    const hopper = join(folder.path, "hopper.so");
    const blackwell = join(folder.path, "blackwell.so");
    writeFileSync(hopper, library(90));
    writeFileSync(blackwell, library(120));
    const refused = await omni(["engines", "inspect", hopper, "--require", "12.0"], folder.path);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("binary.lacks-architecture");
    expect(refused.stderr).toContain(`${hopper} lacks 12.0; it carries sm_90`);
    for (const wanted of ["12.0", "sm_120", "12.1"]) {
      const met = await omni(["engines", "inspect", blackwell, "--require", wanted], folder.path);
      expect([wanted, met.code, met.stderr]).toEqual([wanted, 0, ""]);
    }
    const typo = await omni(["engines", "inspect", hopper, "--require", "blackwell"], folder.path);
    expect([typo.code, typo.stderr]).toEqual([2, expect.stringContaining("--require 12.0")]);
  });

  it("requires of every library in a folder, of those that --only matches, and never of none", async () => {
    const root = join(folder.path, "app");
    mkdirSync(join(root, "lib"), { recursive: true });
    const library = (version: number): Buffer =>
      elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version }]) });
    writeFileSync(join(root, "lib", "libggml-cuda.so"), library(120));
    writeFileSync(join(root, "lib", "libflash.so"), library(90));
    writeFileSync(join(root, "lib", "libplain.so"), elfFile({ ".text": Buffer.alloc(64) }));
    writeFileSync(join(root, "README"), "no binary");
    symlinkSync("/", join(root, "loop"));
    const inspect = (...more: string[]): ReturnType<typeof omni> =>
      omni(["engines", "inspect", root, "--require", "sm_120", ...more], folder.path);
    const all = await inspect();
    expect([all.code, all.stderr]).toEqual([1, expect.stringContaining("libflash.so lacks sm_120")]);
    expect(all.stderr).not.toContain("libggml-cuda.so lacks");
    expect((await inspect("--only", "**/libggml-cuda*")).code).toBe(0);
    const none = await inspect("--only", "**/libcublas*");
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("no binary here carries CUDA code"),
    ]);
  });

  it("requires of an image by reading its layers", async () => {
    const content = elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version: 90 }]) });
    const archive = tarArchive([{ path: "app/libggml-cuda.so", content }]);
    registry.put("hopper", "1", {
      environment: [],
      labels: {},
      layers: [{ bytes: gzipSync(archive), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
      indexed: true,
    });
    const image = `${registry.host}/hopper:1`;
    const refused = await omni(["engines", "inspect", image, "--require", "sm_120"], folder.path);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("libggml-cuda.so lacks sm_120; it carries sm_90"),
    ]);
    expect((await omni(["engines", "inspect", image, "--require", "9.0"], folder.path)).code).toBe(0);
  });

  it("refuses what is no engine with what to type", async () => {
    const absent = await omni(["engines", "inspect", "./missing.so"], folder.path);
    expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining("Cannot open ./missing.so")]);
    const action = await omni(["engines", "list", "x"], folder.path);
    expect([action.code, action.stderr]).toEqual([
      2,
      expect.stringContaining("./omni engines inspect FILE|FOLDER|IMAGE"),
    ]);
    const image = await omni(["engines", "inspect", `${registry.host}/none:1`], folder.path);
    expect([image.code, image.stderr]).toEqual([1, expect.stringContaining("There is no image")]);
  });
});
