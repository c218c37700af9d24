import { expect, test } from "vitest";
import { fakeMachine } from "../../../../test/fakes/fake-machine.ts";
import { readModprobeFiles } from "./modprobe-files.ts";

test("options, blacklist and soft dependencies of all folders; the first file of a name wins", () => {
  const machine = fakeMachine();
  machine.files({
    "etc/modprobe.d/vfio.conf":
      "# ids\noptions vfio-pci ids=10de:2b85 \\\n disable_idle_d3=1\nsoftdep nvidia pre: vfio-pci vfio post: x\nblacklist nouveau\n",
    "etc/modprobe.d/notes.txt": "blacklist ext4\n",
    "usr/lib/modprobe.d/vfio.conf": "blacklist vfio-pci\n",
    "usr/lib/modprobe.d/a.conf": "softdep snd_hda_intel post: y\ninstall z /bin/true\n",
  });
  expect(readModprobeFiles(machine.root)).toEqual({
    options: [
      {
        module: "vfio_pci",
        options: ["ids=10de:2b85", "disable_idle_d3=1"],
        file: "/etc/modprobe.d/vfio.conf",
      },
    ],
    blacklist: [{ module: "nouveau", file: "/etc/modprobe.d/vfio.conf" }],
    softdeps: [
      { module: "snd_hda_intel", pre: [] },
      { module: "nvidia", pre: ["vfio_pci", "vfio"] },
    ],
    files: ["/usr/lib/modprobe.d/a.conf", "/etc/modprobe.d/vfio.conf"],
  });
  machine.remove();
});
