import { existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sshTransport } from "../../../src/host/transport/index.ts";
import type { HostTransport } from "../../../src/host/transport/index.ts";
import { layDownCopy } from "../../../src/host/view/lay-down-copy.ts";
import { localView, sshView } from "../../../src/host/view/index.ts";
import type { OpenHostView } from "../../../src/host/view/index.ts";
import { noSshServer, startSshServer } from "../../fakes/ssh-server.ts";
import type { SshServer } from "../../fakes/ssh-server.ts";

const missing = noSshServer();

describe.skipIf(missing !== undefined)(
  `a host seen over SSH${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let server: SshServer;
    let transport: HostTransport;
    let view: OpenHostView;
    let local: OpenHostView;
    beforeAll(async () => {
      server = await startSshServer();
      transport = sshTransport(server);
      [view, local] = await Promise.all([sshView(transport), localView()]);
    });
    afterAll(async () => {
      view.dispose();
      await transport.close();
      await server[Symbol.asyncDispose]();
    });

    it("is the machine that is seen from within", () => {
      const shape = ({ machine }: OpenHostView): object => ({
        hostname: machine.hostname,
        model: machine.cpu.model,
        threads: machine.cpu.features.length,
        numa: machine.numa.map(({ id, cpus }) => [id, cpus]),
        disks: machine.disks.map(({ name, size, serial, byId }) => [name, size, serial, byId]),
        gpus: machine.gpus.map(({ pci, pciId, kernelDriver }) => [pci, pciId, kernelDriver]),
        root: machine.root?.filesystem,
        docker: machine.docker,
      });
      expect(shape(view)).toEqual(shape(local));
      expect(view.machine.notes.filter(({ probe }) => probe === "copy")).toEqual([]);
    });

    it("has the files of the kernel, byte by byte, and links as links", () => {
      for (const path of [
        "proc/cmdline",
        "proc/version",
        "proc/sys/kernel/random/boot_id",
        "sys/devices/system/cpu/online",
      ])
        expect(readFileSync(join(view.root, path)), path).toEqual(readFileSync(`/${path}`));
      const devices = existsSync("/sys/bus/pci/devices") ? readdirSync("/sys/bus/pci/devices") : [];
      expect(readdirSync(join(view.root, "sys/bus/pci/devices"))).toEqual(devices);
      for (const name of devices) {
        expect(readlinkSync(join(view.root, "sys/bus/pci/devices", name))).toBe(
          readlinkSync(`/sys/bus/pci/devices/${name}`),
        );
        expect(readFileSync(join(view.root, "sys/bus/pci/devices", name, "vendor"))).toEqual(
          readFileSync(`/sys/bus/pci/devices/${name}/vendor`),
        );
      }
    });

    it("answers for its programs and its space", async () => {
      expect(await view.said(["uname", "-s"])).toMatchObject({ ended: true, code: 0, stdout: "Linux\n" });
      expect(await view.said(["no-such-program"])).toMatchObject({ ended: false, why: "absent" });
      expect(await view.said(["sleep", "60"], 200)).toMatchObject({ ended: false, why: "timeout" });
      expect((await view.space("/"))?.size).toBe((await local.space("/"))?.size);
      expect(await view.space("/nowhere/at/all")).toBeUndefined();
    });

    it("leaves nothing behind", async () => {
      const another = await sshView(transport);
      expect(lstatSync(another.root).mode & 0o77, "private").toBe(0);
      another.dispose();
      expect(existsSync(another.root)).toBe(false);
    });
  },
);

it("a copy of a hostile host stays in its folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "omni-copy-"));
  try {
    const root = `${folder}/a/b/`;
    const text = [
      "M folders",
      "/../../outside",
      "M names",
      "/../named",
      "M links",
      "lrwxrwxrwx 1 root root 0 Jan 1 00:00 /deep/link -> /",
      "lrwxrwxrwx 1 root root 0 Jan 1 00:00 /deep/link/inner -> ../../../../../etc/passwd",
      "lrwxrwxrwx 1 root root 0 Jan 1 00:00 /out -> deep/link/../../../../etc",
      "lrwxrwxrwx 1 root root 0 Jan 1 00:00 /absolute -> /etc/hostname",
      "M files",
      "==> /../../written <==\nx\n",
      "==> /etc/hostname <==\nbunker\n",
      "M end",
      "",
    ].join("\n");
    expect(layDownCopy(Buffer.from(text), "M", root)).toEqual({ sockets: [], whole: true });
    expect(readdirSync(folder)).toEqual(["a"]);
    expect(readdirSync(`${folder}/a`)).toEqual(["b"]);
    expect(readdirSync(root).toSorted()).toEqual([
      "absolute",
      "deep",
      "etc",
      "named",
      "out",
      "outside",
      "written",
    ]);
    expect(readFileSync(`${root}absolute`, "utf8")).toBe("bunker\n");
    expect(readlinkSync(`${root}out`)).toBe("etc");
    expect(existsSync(`${root}deep/link/inner`)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
