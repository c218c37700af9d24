import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { makeImage, observeImage, precheckImage } from "../../src/runbook/images/index.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { startRegistryServer, whyNoRegistry } from "../fakes/registry-server.ts";
import type { RegistryServer } from "../fakes/registry-server.ts";
import { memoryContext } from "../fakes/step-context.ts";
import type { MemoryContext } from "../fakes/step-context.ts";
import { buildFolder, inputWith, machineWith, ownBuild } from "./images-bench.ts";

const buildah = process.getuid?.() === 0 && spawnSync("buildah", ["--version"]).status === 0;
const lacking = whyNoRegistry() ?? (buildah ? undefined : "needs root and buildah");
const skipped = lacking === undefined ? "" : ` (skipped: ${lacking})`;

const home = temporaryFolder();
let registry: RegistryServer;
beforeAll(async () => {
  if (lacking === undefined) registry = await startRegistryServer();
});
afterAll(async () => {
  if (lacking === undefined) await registry.close();
  home.remove();
});

let round = 0;
let folder = "";
beforeEach(() => {
  folder = join(home.path, `round-${++round}`);
});

/** This machine with a store of images of its own, at a path. */
function machine(store = join(home.path, "store")): HostTransport {
  const settings = join(home.path, `storage-${round}.conf`);
  writeFileSync(
    settings,
    `[storage]\ndriver = "vfs"\ngraphroot = "${store}"\nrunroot = "${join(home.path, "run")}"\n`,
  );
  return machineWith({ CONTAINERS_STORAGE_CONF: settings, BUILDAH_ISOLATION: "chroot" });
}

const contextOf = (host = machine()): MemoryContext => memoryContext({ hosts: { "": host } });

describe("an image built by buildah", () => {
  it.skipIf(skipped !== "")(
    `is built, looked into, pushed over plain HTTP where the spec says so, and proven${skipped}`,
    async () => {
      buildFolder(folder, 120);
      const build = ownBuild(folder, {
        builder: "buildah",
        tag: `${registry.host}/omni/engine:buildah`,
        push: { registry: "local", address: registry.host, insecure: true },
      });
      const job = { input: await inputWith(folder, [build]), build };
      const context = contextOf();
      await makeImage(job, context);
      expect(context.notes.join("\n")).toContain("app/libggml-cuda.so carries sm_120");
      expect(context.progressed).toContainEqual({
        done: 3,
        total: 6,
        unit: "steps",
        text: 'RUN ["/program"]',
      });
      expect(context.progressed.at(-1)).toMatchObject({ done: 3, total: 3 });
      expect(await observeImage(job, context)).toMatchObject({
        done: true,
        evidence: [expect.any(String), expect.stringContaining("what the builder holds: sha256:")],
      });
      const sent = registry.sent();
      const again = contextOf();
      await makeImage(job, again);
      expect(again.ran).toEqual([`buildah push --tls-verify=false ${build.tag}`]);
      expect(registry.sent() - sent).toBeLessThan(20_000);
      const strict = { ...build, push: { registry: "local", address: registry.host, insecure: false } };
      await expect(makeImage({ ...job, build: strict }, contextOf())).rejects.toMatchObject({
        code: "image.push-failed",
        hint: expect.stringContaining("insecure: true"),
      });
    },
  );

  it.skipIf(skipped !== "")(
    `for another card is refused with nothing sent, and no container is left${skipped}`,
    async () => {
      buildFolder(folder, 90);
      const build = ownBuild(folder, {
        builder: "buildah",
        tag: `${registry.host}/omni/engine:wrong`,
        push: { registry: "local", address: registry.host, insecure: true },
      });
      const job = { input: await inputWith(folder, [build]), build };
      const sent = registry.sent();
      await expect(makeImage(job, contextOf())).rejects.toMatchObject({
        code: "binary.lacks-architecture",
        message: expect.stringContaining("lacks sm_120; it carries sm_90"),
      });
      expect(registry.sent()).toBe(sent);
      const left = await machine().run({ argv: ["buildah", "containers", "--quiet"], timeout: 60_000 });
      expect(left).toMatchObject({ code: 0, stdout: "" });
    },
  );

  it.skipIf(skipped !== "")(
    `that fails tells the instruction, and hides the secret that it printed${skipped}`,
    async () => {
      buildFolder(
        folder,
        120,
        '#include <stdio.h>\nint main(void) { char t[64] = ""; FILE *f = fopen("/run/secrets/HF_TOKEN", "r"); if (f) fgets(t, 64, f); printf("token %s\\n", t); return 9; }',
      );
      writeFileSync(
        join(folder, "Dockerfile"),
        'FROM scratch\nCOPY program /program\nRUN --mount=type=secret,id=HF_TOKEN ["/program"]\n',
      );
      const build = ownBuild(folder, {
        builder: "buildah",
        tag: "localhost/omni/failing:1",
        environment: { HF_TOKEN: { env: "MY_TOKEN" } },
      });
      const job = { input: await inputWith(folder, [build]), build };
      const context = contextOf();
      const thrown: unknown = await makeImage(job, context).catch((error: unknown) => error);
      expect(thrown).toMatchObject({
        code: "image.build-failed",
        message: expect.stringMatching(/at RUN .*token …/s),
      });
      expect(String(thrown)).not.toContain("secret of MY_TOKEN");
      expect(context.ran.join("\n")).not.toContain("secret of");
      expect(context.hidden).toEqual(["secret of MY_TOKEN"]);
      expect(readdirSync(`${folder}-work/images/blackwell`)).toEqual([]);
    },
  );

  it.skipIf(skipped !== "")(`is refused before it begins on a disk that is too small${skipped}`, async () => {
    buildFolder(folder, 120);
    const disk = join(home.path, "disk");
    mkdirSync(disk);
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", disk]).status).toBe(0);
    try {
      const build = ownBuild(folder, { builder: "buildah", tag: "localhost/omni/large:1" });
      const job = { input: await inputWith(folder, [build]), build };
      const context = contextOf(machine(join(disk, "store")));
      await expect(precheckImage(job, context)).rejects.toMatchObject({
        code: "image.no-space",
        message: expect.stringMatching(
          /needs .*GiB on .*disk of this machine \(9.*GiB CUDA base with compiler \+ .*\); 6.*MiB of 64.*MiB are free/,
        ),
      });
    } finally {
      spawnSync("umount", ["--lazy", disk]);
    }
  });
});
