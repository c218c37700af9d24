import { expect, it } from "vitest";
import { recordedView } from "../../fakes/recorded-host.ts";

it("a recording is seen as a machine: files, links, programs and space", async () => {
  using view = await recordedView({
    files: {
      "/proc/meminfo": "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\n",
      "proc/self/mountinfo": "30 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n",
      "sys/devices/pci0000:00/0000:f1:00.0/vendor": "0x10de\n",
      "sys/devices/pci0000:00/0000:f1:00.0/device": "0x2b85\n",
      "sys/devices/pci0000:00/0000:f1:00.0/class": "0x030000\n",
      "sys/devices/pci0000:00/0000:f1:00.0/driver": { link: "sys/bus/pci/drivers/vfio-pci" },
      "sys/bus/pci/devices/0000:f1:00.0": { link: "../../../devices/pci0000:00/0000:f1:00.0" },
    },
    commands: { "uname -r": "6.8.12-13-pve\n", qm: ([verb]) => (verb === "list" ? { code: 2 } : undefined) },
    space: { "/": { size: 1000, free: 400 } },
  });
  expect(view.machine.memory.total).toBe(2 ** 30);
  expect(view.machine.gpus).toMatchObject([
    { pci: "0000:f1:00.0", pciId: "10de:2b85", kernelDriver: "vfio-pci" },
  ]);
  expect(view.machine.root).toEqual({ path: "/", filesystem: "ext4", size: 1000, free: 400 });
  expect(await view.said(["uname", "-r"])).toEqual({
    ended: true,
    code: 0,
    stdout: "6.8.12-13-pve\n",
    stderr: "",
  });
  expect(await view.said(["qm", "list"])).toMatchObject({ ended: true, code: 2 });
  expect(await view.said(["qm", "start"])).toMatchObject({ ended: false, why: "absent" });
  expect(await view.space("/var/lib")).toEqual({ size: 1000, free: 400 });
});
