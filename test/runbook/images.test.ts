import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storedImage } from "../../src/binaries/index.ts";
import type { ImageBuild } from "../../src/deployment/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { makeImage, observeImage } from "../../src/runbook/images/index.ts";
import { memoryContext } from "../fakes/step-context.ts";
import type { MemoryContext } from "../fakes/step-context.ts";
import { buildFolder, dockerBench, inputWith, machineWith, ownBuild } from "./images-bench.ts";

const { engine, skipped, home, registry } = await dockerBench();

let round = 0;
let folder = "";
beforeEach(() => {
  folder = join(home, `round-${++round}`);
});
afterEach(() => {
  if (typeof engine !== "string") registry().release();
});

const socket = typeof engine === "string" ? "" : engine.socket;
const docker = (...words: readonly string[]): string =>
  typeof engine === "string" ? "" : engine.docker(...words);

const machine = (): HostTransport =>
  machineWith({ DOCKER_HOST: socket, DOCKER_CONFIG: join(home, "client") });
const contextOf = (signal?: AbortSignal): MemoryContext =>
  memoryContext({
    hosts: { "": machine() },
    ...(signal === undefined ? {} : { signal }),
  });

/** A build of its own that goes to the registry. */
const pushedBuild = (change: Partial<ImageBuild> = {}): ImageBuild =>
  ownBuild(folder, {
    tag: `${registry().host}/omni/engine:round-${round}`,
    push: { registry: "local", address: registry().host, insecure: true },
    ...change,
  });

describe("an image built by Docker", () => {
  it.skipIf(skipped !== "")(`is built, looked into, pushed and proven${skipped}`, async () => {
    buildFolder(folder, 120);
    const build = pushedBuild();
    const job = { input: await inputWith(folder, [build]), build };
    const context = contextOf();
    expect(await observeImage(job, context)).toMatchObject({
      done: false,
      missing: expect.stringContaining("has no"),
    });
    await makeImage(job, context);
    const proof = await observeImage(job, context);
    expect(proof).toMatchObject({
      done: true,
      evidence: [expect.stringContaining("all 2 layers"), expect.stringContaining("what the builder holds")],
    });
    expect(context.notes.join("\n")).toContain("app/libggml-cuda.so carries sm_120");
    expect(context.progressed).toContainEqual(expect.objectContaining({ total: 6, unit: "steps" }));
    expect(readFileSync(`${folder}-work/logs/engine-blackwell.log`, "utf8")).toContain("Successfully built");
    expect(docker("ps", "--all", "--quiet")).toBe("");
    expect(docker("images", "--quiet", `${build.tag}-unverified`)).toBe("");
  });

  it.skipIf(skipped !== "")(`is neither built nor sent again where it is there${skipped}`, async () => {
    buildFolder(folder, 120);
    const build = pushedBuild();
    const job = { input: await inputWith(folder, [build]), build };
    await makeImage(job, contextOf());
    const before = registry().sent();
    const again = contextOf();
    await makeImage(job, again);
    expect(again.ran).toEqual([`docker push ${build.tag}`]);
    expect(registry().sent() - before).toBeLessThan(20_000);
    const changed = { ...job, build: { ...build, environment: { FLAG: "1" } } };
    expect(await observeImage(changed, contextOf())).toMatchObject({
      done: false,
      missing: expect.stringContaining("another recipe"),
    });
  });

  it.skipIf(skipped !== "")(`for another card is refused, and nothing of it arrives${skipped}`, async () => {
    buildFolder(folder, 90);
    const build = pushedBuild();
    const job = { input: await inputWith(folder, [build]), build };
    const before = registry().sent();
    await expect(makeImage(job, contextOf())).rejects.toMatchObject({
      code: "binary.lacks-architecture",
      message: expect.stringContaining("app/libggml-cuda.so lacks sm_120; it carries sm_90"),
    });
    expect(registry().sent()).toBe(before);
    expect(docker("images", "--quiet", build.tag)).toBe("");
    const context = contextOf();
    await expect(makeImage(job, context)).rejects.toMatchObject({ code: "binary.lacks-architecture" });
    expect(context.ran).toEqual([]);
  });

  it.skipIf(skipped !== "")(
    `that fails to build tells the instruction and its last words${skipped}`,
    async () => {
      buildFolder(
        folder,
        120,
        '#include <stdio.h>\nint main(void) { puts("nvcc fatal: Unsupported gpu architecture"); return 7; }',
      );
      const build = pushedBuild();
      const job = { input: await inputWith(folder, [build]), build };
      await expect(makeImage(job, contextOf())).rejects.toMatchObject({
        code: "image.build-failed",
        message: expect.stringMatching(
          /at RUN \["\/program"\]:[\s\S]*nvcc fatal: Unsupported gpu architecture[\s\S]*code: 7/,
        ),
      });
    },
  );

  it.skipIf(skipped !== "")(`is sent on where a run ended in the middle of its push${skipped}`, async () => {
    buildFolder(
      folder,
      120,
      "static volatile char ballast[8 << 20] = {1};\nint main(void) { return ballast[1]; }",
    );
    const build = pushedBuild();
    const job = { input: await inputWith(folder, [build]), build };
    const stop = new AbortController();
    const first = contextOf(stop.signal);
    registry().hold(3000);
    const cut = makeImage(job, first);
    await Promise.race([registry().held(), cut]);
    stop.abort();
    await expect(cut).rejects.toMatchObject({ code: "host.command-failed" });
    registry().release();
    expect(await observeImage(job, contextOf())).toMatchObject({ done: false });
    const second = contextOf();
    await makeImage(job, second);
    expect(second.ran).toEqual([`docker push ${build.tag}`]);
    expect(await observeImage(job, second)).toMatchObject({ done: true });
  });

  it.skipIf(skipped !== "")(
    `that the registry lost a part of is found out and sent again${skipped}`,
    async () => {
      buildFolder(folder, 120, `int main(void) { return ${round} - ${round}; }`);
      const build = pushedBuild();
      const job = { input: await inputWith(folder, [build]), build };
      await makeImage(job, contextOf());
      const stored = await storedImage(build.tag);
      registry().lose(stored?.config ?? "");
      expect(await observeImage(job, contextOf())).toMatchObject({
        done: false,
        missing: expect.stringContaining("has lost 1 of 3 parts"),
      });
      await makeImage(job, contextOf());
      expect(await observeImage(job, contextOf())).toMatchObject({ done: true });
    },
  );

  it.skipIf(skipped !== "")(`under whose tag the registry holds another is told${skipped}`, async () => {
    buildFolder(folder, 120);
    const build = pushedBuild();
    const job = { input: await inputWith(folder, [build]), build };
    await makeImage(job, contextOf());
    const [label = ""] = docker(
      "inspect",
      "--format",
      '{{ index .Config.Labels "dev.omni.inputs" }}',
      build.tag,
    ).split("\n");
    writeFileSync(`${folder}.Dockerfile`, "FROM scratch\nCOPY program /other\n");
    const other = "omni-other";
    docker("tag", build.tag, "omni-kept");
    docker("build", "--label", `dev.omni.inputs=${label}`, "-f", `${folder}.Dockerfile`, "-t", other, folder);
    docker("tag", other, build.tag);
    // Not at once: the wire to the registry is this process's own.
    const pushed = await machine().run({ argv: ["docker", "push", build.tag], timeout: 60_000 });
    expect(pushed).toMatchObject({ code: 0 });
    docker("tag", "omni-kept", build.tag);
    const seen = await observeImage(job, contextOf());
    expect(seen).toMatchObject({
      done: false,
      missing: expect.stringMatching(/is sha256:.*what was built is sha256:/),
    });
    await makeImage(job, contextOf());
    expect(await observeImage(job, contextOf())).toMatchObject({ done: true });
  });

  it.skipIf(skipped !== "")(
    `for processors is told, and stays where no registry is named${skipped}`,
    async () => {
      buildFolder(folder, 120);
      writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY program /program\n");
      const build = ownBuild(folder, { tag: `omni/cpu:${round}` });
      const job = { input: await inputWith(folder, [build]), build };
      const context = contextOf();
      await makeImage(job, context);
      expect(context.notes.join("\n")).toContain("an image for processors");
      expect(await observeImage(job, context)).toMatchObject({ done: true });
      expect(context.ran.filter((line) => line.includes("push"))).toEqual([]);
    },
  );

  it.skipIf(skipped !== "")(
    `asks for BuildKit where secrets are named, and leaves none behind${skipped}`,
    async () => {
      buildFolder(folder, 120);
      const build = pushedBuild({ environment: { HF_TOKEN: { env: "HF_TOKEN" } } });
      const job = { input: await inputWith(folder, [build]), build };
      await expect(makeImage(job, contextOf())).rejects.toMatchObject({
        code: "image.no-builder",
        message: expect.stringContaining("buildx is missing"),
      });
      expect(existsSync(`${folder}-work/images/blackwell/.secrets`)).toBe(false);
    },
  );
});
