import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sshTransport } from "../../src/host/transport/index.ts";
import { makeImage, observeImage } from "../../src/runbook/images/index.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { startRegistryServer, whyNoRegistry } from "../fakes/registry-server.ts";
import { noSshServer, startSshServer } from "../fakes/ssh-server.ts";
import { memoryContext } from "../fakes/step-context.ts";
import { buildFolder, inputWith, ownBuild } from "./images-bench.ts";

const lacking =
  noSshServer() ??
  whyNoRegistry() ??
  (spawnSync("buildah", ["--version"]).status === 0 ? undefined : "not installed: buildah");
const skipped = lacking === undefined ? "" : ` (skipped: ${lacking})`;

it.skipIf(skipped !== "")(
  `an image is built, looked into and pushed on a host over SSH${skipped}`,
  async () => {
    const home = temporaryFolder();
    const registry = await startRegistryServer();
    const settings = join(home.path, "storage.conf");
    const store = `graphroot = "${home.path}/store"\nrunroot = "${home.path}/run"\n`;
    writeFileSync(settings, `[storage]\ndriver = "vfs"\n${store}`);
    await using server = await startSshServer({
      environment: { CONTAINERS_STORAGE_CONF: settings, BUILDAH_ISOLATION: "chroot" },
    });
    const host = sshTransport(server);
    try {
      const folder = join(home.path, "recipe");
      buildFolder(
        folder,
        120,
        "static volatile char ballast[8 << 20] = {1};\nint main(void) { return ballast[1]; }",
      );
      const build = ownBuild(folder, {
        builder: "buildah",
        host: server.destination,
        tag: `${registry.host}/omni/engine:elsewhere`,
        push: { registry: "local", address: registry.host, insecure: true },
      });
      const job = { input: await inputWith(folder, [build]), build };
      const context = memoryContext({ hosts: { [server.destination]: host } });
      await makeImage(job, context);
      expect(context.notes.join("\n")).toMatch(/looked through 8\.\d* MiB .*libggml-cuda\.so carries sm_120/);
      expect(await observeImage(job, context)).toMatchObject({ done: true });
    } finally {
      await host.close();
      await registry.close();
      home.remove();
    }
  },
  180_000,
);
