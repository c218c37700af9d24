import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { DeployedService, Deployment } from "../../src/deployment/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { sha256 } from "../../src/render/index.ts";
import type { RenderedFile } from "../../src/render/index.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import type { Step } from "../../src/runbook/step.ts";
import { serviceSteps } from "../../src/runbook/steps/services/index.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { startDockerEngine } from "../fakes/docker-engine.ts";
import { memoryContext, takeStep } from "../fakes/step-context.ts";
import type { MemoryContext } from "../fakes/step-context.ts";
import { referenceDeployment } from "../render/deployments.ts";
import { asProcess, buildFolder, inputWith, machineWith, unplaced } from "./images-bench.ts";

const compose =
  spawnSync("docker-compose", ["version"]).status === 0 ||
  spawnSync("docker", ["compose", "version"]).status === 0;
const engine = compose ? await startDockerEngine() : "not installed: docker-compose";
const skipped = typeof engine === "string" ? ` (skipped: ${engine})` : "";

const home = temporaryFolder();
afterAll(async () => {
  if (typeof engine !== "string") await engine.stop();
  home.remove();
});

let round = 0;
let folder = "";
beforeEach(() => {
  folder = join(home.path, `round-${++round}`);
  mkdirSync(folder);
});

const IMAGE = "omni-service:1";
const machine = (more: Readonly<Record<string, string>> = {}): HostTransport =>
  machineWith({
    DOCKER_HOST: typeof engine === "string" ? "" : engine.socket,
    DOCKER_CONFIG: join(home.path, "client"),
    ...more,
  });
/** One for all tests: what a host has is asked for once. */
const here = machine();
const contextOf = (host = here): MemoryContext => memoryContext({ hosts: { "": host } });

/** Serves by sleeping; `healthy`, `sick` and `broken` are what it is told to be. */
const PROGRAM = `#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "check")) return argc > 2;
  printf("loading weights\\n");
  if (argc > 1 && !strcmp(argv[1], "broken")) { printf("CUDA error: out of memory\\n"); return 3; }
  fflush(stdout);
  for (;;) pause();
}`;

const file = (path: string, content: string, mode = 0o644): RenderedFile => ({
  path,
  content,
  mode,
  reason: "asked for by a test",
  owner: "compose",
  sha256: sha256(content),
});

/** A service of a compose file as Omni renders it, on the network that the engine of a test has. */
const service = (command: readonly string[], more: Readonly<Record<string, unknown>> = {}): object => ({
  image: IMAGE,
  entrypoint: ["/program"],
  command,
  network_mode: "host",
  restart: "unless-stopped",
  healthcheck: { test: ["CMD", "/program", "check"], interval: "1s", timeout: "5s", retries: 2 },
  ...more,
});

/** Two services and the gateway of a project, with a variable to be filled in. */
async function composeInput(
  services: Readonly<Record<string, object>>,
  secret = "a $b \\ c#d",
  loadTimeout = 60_000,
): Promise<RunbookInput> {
  const bunker = await referenceDeployment("concrete-bunker.fixed");
  const names = Object.keys(services).filter((name) => name !== "gateway");
  const deployed = names.map((name, index): DeployedService => ({
    ...unplaced(bunker),
    name,
    image: IMAGE,
    loadTimeout,
    mounts: [],
    after: names.slice(0, index),
  }));
  const input = await inputWith(folder, [], (deployment) => ({
    ...deployment,
    docker: { ...deployment.docker, project: `omni-test-${round}` },
    services: deployed,
  }));
  return {
    ...input,
    rendered: {
      ...input.rendered,
      files: [
        file("compose/compose.yaml", JSON.stringify({ version: "3.8", services })),
        file("compose/.env.example", "# For service alpha.\nHF_TOKEN=\n"),
        file("compose/omni.yaml", "omni: 1\n"),
      ],
    },
    secret: () => Promise.resolve(secret),
  };
}

const build = (): void => {
  if (typeof engine === "string" || existsSync(join(home.path, "image"))) return;
  buildFolder(join(home.path, "image"), 120, PROGRAM);
  writeFileSync(join(home.path, "image/Dockerfile"), "FROM scratch\nCOPY program /program\n");
  engine.docker("build", "-t", IMAGE, join(home.path, "image"));
};

const named = (steps: readonly Step[], id: string): Step => {
  const step = steps.find((one) => one.id === id);
  if (step === undefined) throw new Error(`no ${id} among ${steps.map((one) => one.id).join(", ")}`);
  return step;
};

const HEALTHY = { HF_TOKEN: "${HF_TOKEN}" };

/** Compose of Debian is a Python program that needs seconds to start, many on a busy machine. */
const SLOW = 240_000;

describe("services of a compose project", () => {
  it.skipIf(skipped !== "")(
    `are started in order, proven, and left alone afterwards${skipped}`,
    async () => {
      build();
      const input = await composeInput({
        alpha: service(["healthy"], { environment: HEALTHY }),
        beta: service(["healthy"]),
        gateway: service(["healthy"]),
      });
      const steps = serviceSteps(input);
      expect(steps.map(({ id }) => id)).toEqual(["service/alpha", "service/beta", "gateway"]);
      expect(named(steps, "service/beta").needs).toContain("service/alpha");
      expect(named(steps, "gateway").needs).toEqual(["engine/omni", "service/alpha", "service/beta"]);
      const context = contextOf();
      const started = steps.filter(({ id }) => id !== "gateway");
      for (const step of started)
        expect(await takeStep(step, context)).toMatchObject({
          done: true,
          evidence: [
            expect.stringContaining("running, healthy"),
            expect.stringContaining(IMAGE),
            expect.stringMatching(/configuration [0-9a-f]{64}/),
          ],
        });
      const again = contextOf();
      for (const step of started) await takeStep(step, again);
      expect(again.ran).toEqual([]);
      const placed = join(input.workFolder, "placed/compose");
      expect(statSync(join(placed, ".env")).mode & 0o777).toBe(0o600);
      expect(context.hidden).toContain("a $b \\ c#d");
      expect(context.ran.join("\n")).not.toContain("a $b");
      const seen = await machine().run({
        argv: ["docker", "inspect", "--format", "{{json .Config.Env}}", `omni-test-${round}_alpha_1`],
        timeout: 30_000,
      });
      expect(seen.stdout).toContain(JSON.stringify("HF_TOKEN=a $b \\ c#d"));
    },
    SLOW,
  );

  it.skipIf(skipped !== "")(
    `are replaced when their rendering changes, and that is told${skipped}`,
    async () => {
      build();
      await takeStep(
        named(serviceSteps(await composeInput({ alpha: service(["healthy"]) })), "service/alpha"),
        contextOf(),
      );
      const changed = await composeInput({ alpha: service(["healthy", "--context", "8192"]) });
      const step = named(serviceSteps(changed), "service/alpha");
      const context = contextOf();
      expect(await step.verify(context)).toMatchObject({
        done: false,
        missing: expect.stringContaining("not as rendered"),
      });
      expect(await takeStep(step, context)).toMatchObject({ done: true });
      expect(context.notes.join("\n")).toMatch(/replaces omni-test-\d+_alpha_1 .*running/);
      const rotated = await composeInput({ alpha: service(["healthy", "--context", "8192"]) }, "another");
      expect(await named(serviceSteps(rotated), "service/alpha").verify(contextOf())).toMatchObject({
        done: false,
        missing: expect.stringContaining(".env"),
      });
    },
    SLOW,
  );

  it.skipIf(skipped !== "")(
    `that end or are sick are told with their last words${skipped}`,
    async () => {
      build();
      const input = await composeInput({
        broken: service(["broken"], { restart: "no" }),
        sick: service(["healthy"], {
          healthcheck: {
            test: ["CMD", "/program", "check", "fail"],
            interval: "1s",
            timeout: "5s",
            retries: 1,
          },
        }),
      });
      const steps = serviceSteps(input);
      await expect(takeStep(named(steps, "service/broken"), contextOf())).rejects.toMatchObject({
        code: "service.unhealthy",
        message: expect.stringMatching(
          /broken does not serve .*ended with status 3.*\n {2}loading weights\n {2}CUDA error: out of memory/s,
        ),
      });
      await expect(takeStep(named(steps, "service/sick"), contextOf())).rejects.toMatchObject({
        code: "service.unhealthy",
        message: expect.stringContaining("running, unhealthy"),
      });
    },
    SLOW,
  );

  it.skipIf(skipped !== "")(
    `that do not come within their time are told${skipped}`,
    async () => {
      build();
      const slow = service(["healthy"], {
        healthcheck: { test: ["CMD", "/program", "check"], interval: "1h", timeout: "5s", retries: 1 },
      });
      const step = named(serviceSteps(await composeInput({ slow }, "x", 1500)), "service/slow");
      const context = contextOf();
      await expect(takeStep(step, context)).rejects.toMatchObject({
        message: expect.stringContaining("running, starting"),
      });
      expect(context.progressed.at(-1)).toMatchObject({ unit: "seconds", text: "slow is starting" });
    },
    SLOW,
  );

  it("say what is missing where there is no Compose", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    symlinkSync("/bin/sh", join(bin, "sh"));
    const step = named(serviceSteps(await composeInput({ alpha: service([]) })), "service/alpha");
    await expect(takeStep(step, contextOf(machine({ PATH: bin })))).rejects.toMatchObject({
      code: "service.no-compose",
      hint: expect.stringContaining("docker-compose"),
    });
  });
});

const root = process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0;
const unrooted = root ? "" : " (skipped: needs root for a mount namespace)";

/** A host whose /etc and /usr/local are folders of the test, and whose systemctl writes down what it is told. */
function plainHost(): { readonly host: HostTransport; readonly said: () => string; readonly etc: string } {
  const etc = join(folder, "etc");
  const local = join(folder, "local");
  const bin = join(folder, "bin");
  const said = join(folder, "said");
  spawnSync("cp", ["-a", "/etc", etc]);
  for (const each of [bin, join(local, "bin"), join(etc, "systemd/system")])
    mkdirSync(each, { recursive: true });
  const program = (path: string, text: string): void => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };
  program(
    join(bin, "systemctl"),
    `echo "$*" >> ${said}
case $1 in
is-active) if [ -e ${folder}/active-$2 ]; then echo active; else echo inactive; exit 3; fi ;;
restart) if [ -e ${folder}/broken ]; then echo "Job for $2 failed" >&2; exit 1; fi; touch ${folder}/active-$2 ;;
esac`,
  );
  program(join(bin, "systemd-analyze"), "exit 0");
  program(join(bin, "journalctl"), 'echo "ggml_cuda_init: no CUDA devices found"');
  program(join(local, "bin/omni"), "exit 0");
  writeFileSync(said, "");
  const there = machineWith({ PATH: `${bin}:${process.env["PATH"] ?? ""}` });
  const inside = (path: string): string => (path.startsWith("/etc/") ? join(etc, path.slice(5)) : path);
  const enter = 'mount --bind "$1" /etc && mount --bind "$2" /usr/local && shift 2 && exec "$@"';
  return {
    etc,
    said: () => readFileSync(said, "utf8"),
    host: {
      ...there,
      run: (command) =>
        there.run({
          ...command,
          argv: ["unshare", "--mount", "sh", "-c", enter, "sh", etc, local, ...command.argv],
        }),
      readFile: (path, most) => there.readFile(inside(path), most),
      writeFile: (path, content, options) => there.writeFile(inside(path), content, options),
    },
  };
}

async function unitInput(): Promise<RunbookInput> {
  const bunker = await referenceDeployment("concrete-bunker.fixed");
  const change = (deployment: Deployment): Deployment => ({
    ...deployment,
    runtime: "process",
    process: { cgroups: false, systemd: true },
    services: [{ ...asProcess(bunker), name: "alpha", environment: { HF_TOKEN: { env: "HF_TOKEN" } } }],
  });
  return { ...(await inputWith(folder, [], change)), secret: () => Promise.resolve('se"cret') };
}

describe("services that are units", () => {
  it.skipIf(!root)(`are installed by the rendered script, started and proven${unrooted}`, async () => {
    const input = await unitInput();
    const { host, said, etc } = plainHost();
    const steps = serviceSteps(input);
    expect(steps.map(({ id }) => id)).toEqual(["units/systemd", "service/alpha", "gateway"]);
    expect(named(steps, "service/alpha").needs).toContain("units/systemd");
    const context = contextOf(host);
    for (const step of steps) expect(await takeStep(step, context)).toMatchObject({ done: true });
    expect(said()).toContain("restart omni-alpha.service");
    expect(said()).toMatch(/enable .*omni-alpha\.service/);
    const secrets = join(etc, "omni/omni-alpha.env");
    expect([readFileSync(secrets, "utf8"), statSync(secrets).mode & 0o777]).toEqual([
      'HF_TOKEN="se\\"cret"\n',
      0o600,
    ]);
    const again = contextOf(host);
    for (const step of steps) await takeStep(step, again);
    expect(again.ran).toEqual([]);
    const unit = join(etc, "systemd/system/omni-alpha.service");
    expect(existsSync(dirname(unit))).toBe(true);
    writeFileSync(unit, "[Unit]\n");
    expect(await named(steps, "units/systemd").verify(contextOf(host))).toMatchObject({
      done: false,
      missing: expect.stringContaining("omni-alpha.service"),
    });
  });

  it.skipIf(!root)(`that do not start are told with the journal's last words${unrooted}`, async () => {
    const input = await unitInput();
    const { host } = plainHost();
    writeFileSync(join(folder, "broken"), "");
    await expect(
      takeStep(named(serviceSteps(input), "service/alpha"), contextOf(host)),
    ).rejects.toMatchObject({
      code: "service.unhealthy",
      message: expect.stringContaining("no CUDA devices found"),
    });
  });
});
