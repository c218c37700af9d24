import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TestContext } from "vitest";
import { OmniError } from "../../src/core/index.ts";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import { createDockerRuntime } from "../../src/runtimes/docker/index.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import type { DockerEngine } from "../fakes/docker-engine.ts";
import { EMPTY_IMAGE, startDockerEngine } from "../fakes/docker-engine.ts";
import { containerLaunch, programFolders } from "./docker-launch.ts";

let engine: DockerEngine | string = "not started";
const notes: string[] = [];
const runtimes: Runtime[] = [];
const mounts = programFolders();

beforeAll(async () => {
  engine = await startDockerEngine();
}, 60_000);

afterEach(async () => {
  if (typeof engine === "string") return;
  for (const runtime of runtimes.splice(0)) await runtime.close({ keep: true });
  const left = engine.docker("ps", "--all", "--quiet").split("\n").filter(Boolean);
  if (left.length > 0) engine.docker("rm", "--force", "--volumes", ...left);
  notes.length = 0;
});

afterAll(async () => {
  if (typeof engine !== "string") await engine.stop();
});

/** A runtime of the engine; the test is skipped, with the reason, where this machine starts none. */
function on(context: TestContext, node = "node-a"): { readonly at: DockerEngine; readonly runtime: Runtime } {
  if (typeof engine === "string") return context.skip(engine);
  const runtime = createDockerRuntime({
    socket: engine.socket,
    node,
    dataRoot: "/var/lib/docker",
    onNote: (message) => notes.push(message),
  });
  runtimes.push(runtime);
  return { at: engine, runtime };
}

const shell = (script: string, changes: Partial<LaunchSpec> = {}): LaunchSpec =>
  containerLaunch(["/bin/sh", "-c", script], { mounts }, changes);

const talking = (unit: Unit, word: string): Promise<void> =>
  eventually(`it says ${word}`, () => unit.lastLines().includes(word));

describe("on a real Docker engine", () => {
  test("an engine and all it started are named by this machine's numbers, and gone with it", async (context) => {
    const { runtime } = on(context);
    const unit = await runtime.start(shell("sleep 1000 & setsid sleep 1000 & echo up; sleep 1000"));
    await talking(unit, "up");
    const processes = await unit.processes();
    expect(processes.length).toBeGreaterThanOrEqual(4);
    expect(processes).toContain(unit.pid);
    expect(processes.every(isAlive)).toBe(true);
    await unit.stop(0);
    await eventually("all of it is gone", () => !processes.some(isAlive));
    expect(await unit.processes()).toEqual([]);
  });

  test("an engine killed from outside is told, and its container and anonymous volumes are removed", async (context) => {
    const { at, runtime } = on(context);
    const volume = (source: string, path: string) =>
      ({ source, kind: "volume", at: path, readOnly: false }) as const;
    const volumes = [volume("", "/scratch"), volume("weights", "/weights")];
    const unit = await runtime.start(
      containerLaunch(["/bin/sleep", "1000"], { mounts: [...mounts, ...volumes] }),
    );
    expect(at.docker("volume", "ls", "--quiet").split("\n")).toHaveLength(2);
    process.kill(unit.pid ?? 0, "SIGKILL");
    expect(await unit.exited).toEqual({ code: null, signal: "SIGKILL" });
    expect(at.docker("ps", "--all", "--quiet")).toBe("");
    expect(at.docker("volume", "ls", "--quiet")).toBe("weights");
    expect(at.docker("image", "ls", "--quiet", EMPTY_IMAGE)).not.toBe("");
  });

  test("a Docker that is restarted under it is told as a note; the engine lives on and no line repeats", async (context) => {
    const { at, runtime } = on(context);
    const unit = await runtime.start(
      shell("n=0; while true; do n=$((n + 1)); echo line $n; sleep 0.1; done"),
    );
    const heard: string[] = [];
    unit.onLine((line) => heard.push(line));
    await talking(unit, "line 5");
    await at.restart();
    const next = (): number => Number(unit.lastLines().at(-1)?.slice("line ".length));
    const before = next();
    await eventually("it goes on", () => next() > before + 5);
    expect(isAlive(unit.pid ?? 0)).toBe(true);
    const numbers = heard.map((line) => Number(line.slice("line ".length)));
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(notes.filter((note) => note.includes("Docker does not answer"))).toHaveLength(1);
    expect(await unit.stop(20_000)).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("containers of another node, and of nobody, are neither seen nor touched", async (context) => {
    const { at, runtime } = on(context);
    const other = on(context, "node-b").runtime;
    await other.start(shell("sleep 1000"));
    const foreign = at.docker("create", EMPTY_IMAGE, "/bin/true");
    await other.close({ keep: true });
    expect(await runtime.survivors()).toEqual([]);
    expect(at.docker("ps", "--all", "--quiet").split("\n")).toHaveLength(2);
    expect(at.docker("ps", "--all", "--quiet", "--no-trunc")).toContain(foreign);
  });

  test("what ended while nobody watched is removed; what is taken over tells its last lines", async (context) => {
    const { at, runtime } = on(context);
    await runtime.start(shell("echo over; exit 3", { service: "short" }));
    const lives = await runtime.start(shell("echo alive; sleep 1000"));
    await talking(lives, "alive");
    await runtime.close({ keep: true });
    // One that was made and never started, as a start that was killed leaves it.
    at.docker("create", "--label", "omni.node=node-a", EMPTY_IMAGE, "/bin/true");
    const later = on(context).runtime;
    const [survivor, ...more] = await later.survivors();
    expect(more).toEqual([]);
    expect(survivor).toMatchObject({ id: lives.id, service: "oracle", digest: "digest of the test" });
    expect(at.docker("ps", "--all", "--quiet").split("\n")).toHaveLength(1);
    const adopted = await survivor?.adopt();
    await eventually("its earlier lines are there", () => adopted?.lastLines().includes("alive") === true);
    expect(adopted).toMatchObject({ id: lives.id, adopted: true, startedAt: lives.startedAt });
    // Its shell is the first process and asks nothing of SIGTERM: tini passes it on.
    expect(await adopted?.stop(20_000)).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("files are there before the start, with their content and rights", async (context) => {
    const { runtime } = on(context);
    const path = `/etc/omni/${"deep/".repeat(30)}config.pbtxt`;
    const launch = shell(`stat -c %a ${path}; cat ${path}; echo; echo read`);
    const unit = await runtime.start({ ...launch, files: [{ path, content: "first Ω", mode: 0o640 }] });
    await unit.exited;
    expect(unit.lastLines()).toEqual(["640", "first Ω", "read"]);
  });

  test("a program by its bare name is looked for in PATH; one that is not there is told before the start", async (context) => {
    const { at, runtime } = on(context);
    const found = await runtime.start(containerLaunch(["echo", "found"], { mounts }));
    await found.exited;
    expect(found.lastLines()).toEqual(["found"]);
    const missing = await refusal(runtime.start(containerLaunch(["vllm-serve"], { mounts })));
    expect(missing).toMatchObject({ code: "engine.no-binary" });
    expect(missing.message).toBe(`oracle: the image ${EMPTY_IMAGE} holds no program vllm-serve.`);
    expect(at.docker("ps", "--all", "--quiet")).toBe("");
  });

  test("a folder that is not there is told with its path, and no container stays behind", async (context) => {
    const { at, runtime } = on(context);
    const gone = { source: "/nowhere/weights", kind: "folder", at: "/models", readOnly: true } as const;
    const error = await refusal(runtime.start(containerLaunch(["/bin/true"], { mounts: [gone] })));
    expect(error.code).toBe("engine.not-started");
    expect(error.message).toContain("a folder that it is to see is not there");
    expect(error.message).toContain("/nowhere/weights");
    expect(at.docker("ps", "--all", "--quiet")).toBe("");
  });

  test("no card: the runtime of NVIDIA that Docker lacks is named with its remedy", async (context) => {
    const { runtime } = on(context);
    const cards = ["GPU-11111111-2222-3333-4444-555555555555"];
    for (const gpuAccess of ["device-requests", "environment", "cdi"] as const) {
      const error = await refusal(
        runtime.start(containerLaunch(["/bin/true"], { mounts, cards, gpuAccess })),
      );
      expect(error, gpuAccess).toMatchObject({ code: "engine.no-card" });
      expect(error.hint).toContain(gpuAccess === "cdi" ? "nvidia-ctk cdi generate" : "nvidia-ctk runtime");
    }
  });

  test("limits arrive in the container, and memory beyond its own kills and is told", async (context) => {
    const { at, runtime } = on(context);
    const memory = 64 * 2 ** 20;
    const hold = "echo up; exec tail /dev/zero";
    const unit = await runtime.start(shell(`sleep 0.5; ${hold}`, { limits: { memory, cpus: "0" } }));
    const [id = ""] = at.docker("ps", "--quiet").split("\n");
    const limits = at.docker("inspect", "--format", "{{json .HostConfig}}", id);
    expect(JSON.parse(limits)).toMatchObject({ Memory: memory, MemorySwap: memory, CpusetCpus: "0" });
    const exit = await unit.exited;
    expect(exit).toEqual({ code: null, signal: "SIGKILL" });
    expect(unit.lastLines().at(-1)).toContain("OOMKilled");
  });

  test("an idle container costs nothing: two connections, no request", async (context) => {
    const { runtime } = on(context);
    const unit = await runtime.start(shell("echo up; sleep 1000"));
    await talking(unit, "up");
    const from = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { user, system } = process.cpuUsage(from);
    expect((user + system) / 1000).toBeLessThan(200);
    await unit.stop(0);
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
