import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeMachine } from "../../test/fakes/fake-machine.ts";
import type { FakeMachine } from "../../test/fakes/fake-machine.ts";
import { HostReader } from "./host-reading.ts";

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
});
afterEach(() => machine.remove());

const MEMINFO = "MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 500 kB\nSwapFree: 200 kB\n";

test("memory, swap and pressure are the kernel's, pressure as a share", () => {
  machine.files({
    "proc/meminfo": MEMINFO,
    "proc/pressure/cpu": "some avg10=12.50 avg60=1.00 avg300=0.00 total=1\n",
    "proc/pressure/memory":
      "some avg10=3.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=1.50 avg60=0.00 avg300=0.00 total=1\n",
  });
  expect(new HostReader(machine.root, []).read()).toEqual({
    memoryTotal: 1000 * 1024,
    memoryAvailable: 400 * 1024,
    swapUsed: 300 * 1024,
    pressure: { cpu: { some: 0.125, full: 0 }, memory: { some: 0.03, full: 0.015 } },
    disks: [],
  });
});

test("memory is what the cgroup leaves; without pressure in the kernel there is none", () => {
  machine.files({
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/omni\n",
    "sys/fs/cgroup/omni/memory.max": `${300 * 1024}\n`,
    "sys/fs/cgroup/omni/memory.current": `${100 * 1024}\n`,
    "sys/fs/cgroup/omni/memory.stat": "inactive_file 1024\n",
  });
  const reading = new HostReader(machine.root, []).read();
  expect(reading).toMatchObject({ memoryTotal: 300 * 1024, memoryAvailable: 201 * 1024 });
  expect(reading).not.toHaveProperty("pressure");
});

test("disks are those that are named, or all that are local; one that is missing is left out", async () => {
  machine.files({
    "models/a": "",
    "proc/self/mountinfo":
      "1 0 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n2 1 259:2 / /models rw - xfs /dev/nvme1n1 rw\n3 1 0:50 / /net rw - nfs4 server:/x rw\n",
  });
  const named = new HostReader(machine.root, ["/models", "/missing"]);
  await named.lookAtDisks();
  const { disks } = named.read();
  expect(disks.map(({ mount }) => mount)).toEqual(["/models"]);
  expect(disks[0]?.size).toBeGreaterThan(disks[0]?.free ?? Infinity);
  const all = new HostReader(machine.root, undefined);
  await all.lookAtDisks();
  expect(all.read().disks.map(({ mount }) => mount)).toEqual(["/", "/models"]);
});
