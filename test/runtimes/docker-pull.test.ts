import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TestContext } from "vitest";
import { imageLayers } from "../../src/binaries/index.ts";
import { GIB, MIB, OmniError } from "../../src/core/index.ts";
import { createDockerRuntime } from "../../src/runtimes/docker/index.ts";
import type { DockerRuntimeOptions } from "../../src/runtimes/docker/index.ts";
import { tarArchive } from "../../src/runtimes/docker/tar-archive.ts";
import type { Runtime, StartProgress, Unit } from "../../src/runtimes/index.ts";
import type { DockerEngine } from "../fakes/docker-engine.ts";
import { startDockerEngine } from "../fakes/docker-engine.ts";
import type { ImageRegistry } from "../fakes/image-registry.ts";
import { digestOf, startImageRegistry } from "../fakes/image-registry.ts";
import { eventually } from "../fakes/alive.ts";
import { containerLaunch, programFolders } from "./docker-launch.ts";

const LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const LOGIN = { user: "omni", password: "pull-password-of-the-test" };

let engine: DockerEngine | string = "not started";
let registry: ImageRegistry;
let folder = "";
const runtimes: Runtime[] = [];
const notes: string[] = [];

/** Text of so many bytes that compresses to three quarters; another for another seed. */
function noise(seed: number, bytes: number): string {
  let state = seed;
  const random = Buffer.alloc((bytes * 3) / 4);
  for (let at = 0; at < random.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    random[at] = state >>> 24;
  }
  return random.toString("base64");
}

/** An image of one file a layer; the same seeds and sizes make the same layers. */
function put(
  repository: string,
  layers: readonly (readonly [seed: number, bytes: number])[],
): readonly string[] {
  const unpacked = layers.map(([seed, bytes], index) =>
    tarArchive([{ path: `/layer-${index}`, content: noise(seed, bytes), mode: 0o644 }]),
  );
  const stored = unpacked.map((bytes) => ({ bytes: gzipSync(bytes), mediaType: LAYER }));
  registry.put(repository, "1", { layers: stored, diffIds: unpacked.map(digestOf) });
  return stored.map(({ bytes }) => digestOf(bytes));
}

beforeAll(async () => {
  registry = await startImageRegistry(LOGIN);
  folder = mkdtempSync(join(tmpdir(), "omni-pull-"));
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString("base64");
  writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  process.env["DOCKER_CONFIG"] = folder;
  engine = await startDockerEngine();
}, 60_000);

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  notes.length = 0;
});

afterAll(async () => {
  delete process.env["DOCKER_CONFIG"];
  if (typeof engine !== "string") await engine.stop();
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
});

function on(context: TestContext, changes: Partial<DockerRuntimeOptions> = {}) {
  if (typeof engine === "string") return context.skip(engine);
  const runtime = createDockerRuntime({
    socket: engine.socket,
    node: "node-a",
    dataRoot: "/var/lib/docker",
    imageLayers,
    onNote: (message) => notes.push(message),
    ...changes,
  });
  runtimes.push(runtime);
  return { at: engine, runtime };
}

const launch = (repository: string, service = "oracle") =>
  containerLaunch(
    ["/bin/sleep", "1000"],
    { image: `${registry.host}/${repository}:1`, mounts: programFolders() },
    { service },
  );

describe("pulls from a registry", () => {
  test("say how far they are, in bytes and layers; a second start of the same image joins", async (context) => {
    const { at, runtime } = on(context);
    const [first = ""] = put("engines/slow", [
      [1, 2 * MIB],
      [2, MIB],
    ]);
    registry.slow(first, 150);
    const seen: StartProgress[] = [];
    const [one, two] = await Promise.all([
      runtime.start(launch("engines/slow"), (progress) => seen.push(progress)),
      runtime.start(launch("engines/slow", "second")),
    ]);
    const layersAsked = registry.requests.filter((line) => line.includes("/blobs/") && line.includes(first));
    expect(layersAsked).toHaveLength(1);
    const fractions = seen.flatMap(({ fraction }) => (fraction === undefined ? [] : [fraction]));
    expect(fractions.length).toBeGreaterThan(1);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    expect(seen.some(({ message }) => / of .*MiB, \d of 2 layers$/.test(message))).toBe(true);
    expect(seen.at(-1)?.message).toMatch(/2 of 2 layers$/);
    await Promise.all([one.stop(0), two.stop(0)]);
    // The image stays: it is asked for once only.
    const before = registry.requests.length;
    const again = await runtime.start(launch("engines/slow"));
    expect(registry.requests).toHaveLength(before);
    await again.stop(0);
    expect(at.docker("ps", "--all", "--quiet")).toBe("");
  });

  test("are refused before a byte is pulled when the disk is too small, with what would free some", async (context) => {
    const { at, runtime } = on(context, { dataFree: 512 * MIB + 6 * MIB });
    const layers = put("engines/large", [
      [3, 2 * MIB],
      [4, 2 * MIB],
    ]);
    const error = await refusal(runtime.start(launch("engines/large")));
    expect(error.code).toBe("engine.no-space");
    expect(error.message).toMatch(
      /needs about 522\.\d\d MiB \(3\.\d\d MiB compressed, about 7\.\d\d MiB unpacked, 512\.00 MiB left free\)/,
    );
    expect(error.message).toContain("has 518.00 MiB");
    expect(error.hint).toMatch(
      /docker image rm of what no container uses now: .*engines\/slow:1 3\.\d\d MiB/,
    );
    expect(registry.requests.some((line) => layers.some((digest) => line.includes(digest)))).toBe(false);
    expect(at.docker("image", "ls", "--quiet", `${registry.host}/engines/large`)).toBe("");
  });

  test("count only the layers that Docker does not have", async (context) => {
    put("engines/base", [[5, 2 * MIB]]);
    const first = on(context).runtime;
    await (await first.start(launch("engines/base"))).stop(0);
    const [base = ""] = put("engines/grown", [
      [5, 2 * MIB],
      [6, 16_384],
    ]);
    const { runtime } = on(context, { dataFree: 512 * MIB + MIB });
    const unit = await runtime.start(launch("engines/grown"));
    await unit.stop(0);
    expect(registry.requests.filter((line) => line.includes(`/blobs/${base}`))).toHaveLength(1);
  });

  test("without a size of the registry go on, and say so", async (context) => {
    put("engines/unknown", [[7, 16_384]]);
    const { runtime } = on(context, {
      dataFree: GIB,
      imageLayers: () => Promise.reject(new Error("the registry does not tell")),
    });
    await (await runtime.start(launch("engines/unknown"))).stop(0);
    expect(notes).toContain(
      `oracle: the size of ${registry.host}/engines/unknown:1 is not known before its pull; the disk is watched meanwhile.`,
    );
  });

  test.for([
    [401, "UNAUTHORIZED", "unauthorized", "docker login"] as const,
    [404, "MANIFEST_UNKNOWN", "manifest unknown", "Check the tag"] as const,
    [429, "TOOMANYREQUESTS", "You have reached your pull rate limit", "raises the limit"] as const,
  ])(
    "tell the registry's own words for HTTP %i and what to do",
    async ([status, code, message, remedy], context) => {
      const { runtime } = on(context);
      const repository = `engines/refused-${status}`;
      registry.refuse(repository, status, code, message);
      const error = await refusal(runtime.start(launch(repository)));
      expect(error.code).toBe("engine.no-image");
      expect(error.message).toContain(`${registry.host}/${repository}:1 cannot be pulled`);
      expect(error.message.toLowerCase()).toContain(message.toLowerCase());
      expect(error.hint).toContain(remedy);
      expect(`${error.message} ${error.hint} ${notes.join(" ")}`).not.toContain(LOGIN.password);
    },
  );

  test("that are under way when the runtime is closed end with it and leave no image", async (context) => {
    const { at, runtime } = on(context);
    const [slow = ""] = put("engines/cancelled", [[8, 4 * MIB]]);
    registry.slow(slow, 1000);
    const started = refusal(runtime.start(launch("engines/cancelled")));
    await eventually("the layer is on its way", () => registry.requests.some((line) => line.includes(slow)));
    await runtime.close();
    expect((await started).message).toContain("was ended with Omni");
    expect(at.docker("image", "ls", "--quiet", `${registry.host}/engines/cancelled`)).toBe("");
  });
});

async function refusal(start: Promise<Unit>): Promise<OmniError> {
  const thrown: unknown = await start.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof OmniError) return thrown;
  throw new Error("no OmniError was thrown", { cause: thrown });
}
