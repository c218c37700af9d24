import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { GIB, MIB } from "../core/index.ts";
import { readMemory } from "./memory.ts";

const MEMINFO = `MemTotal:       ${16 * MIB} kB\nMemFree:        ${2 * MIB} kB\nMemAvailable:   ${12 * MIB} kB\n`;

let root = "";
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A machine as these files describe it. */
function machine(files: Readonly<Record<string, string>>): ReturnType<typeof readMemory> {
  root = `${mkdtempSync(join(tmpdir(), "omni-memory-"))}/`;
  for (const [path, text] of Object.entries({ "proc/meminfo": MEMINFO, ...files })) {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, text);
  }
  return readMemory(root);
}

it("takes what the kernel calls available", () => {
  expect(machine({})).toEqual({ total: 16 * GIB, available: 12 * GIB, limitedBy: "machine" });
});

it("takes the tightest limit of the cgroup and its ancestors, caches counted as free", () => {
  const memory = machine({
    "proc/self/cgroup": "0::/a/b\n",
    "sys/fs/cgroup/a/b/memory.max": "max\n",
    "sys/fs/cgroup/a/memory.max": `${4 * GIB}\n`,
    "sys/fs/cgroup/a/memory.current": `${3 * GIB}\n`,
    "sys/fs/cgroup/a/memory.stat": `anon 5\ninactive_file ${GIB}\n`,
  });
  expect(memory).toEqual({ total: 4 * GIB, available: 2 * GIB, limitedBy: "cgroup" });
});

it("reads cgroup v1, and takes its huge number for no limit", () => {
  const cgroup = "5:memory:/box\n";
  const limit = "sys/fs/cgroup/memory/box/memory.limit_in_bytes";
  const usage = { "sys/fs/cgroup/memory/box/memory.usage_in_bytes": `${MIB}\n` };
  expect(machine({ "proc/self/cgroup": cgroup, [limit]: `${GIB}\n`, ...usage })).toMatchObject({
    available: GIB - MIB,
    limitedBy: "cgroup",
  });
  rmSync(root, { recursive: true });
  expect(machine({ "proc/self/cgroup": cgroup, [limit]: "9223372036854771712\n", ...usage })).toMatchObject({
    limitedBy: "machine",
  });
});

it("a cgroup with more room than the machine does not lift what is available", () => {
  const memory = machine({
    "proc/self/cgroup": "0::/a\n",
    "sys/fs/cgroup/a/memory.max": `${15 * GIB}\n`,
    "sys/fs/cgroup/a/memory.current": "0\n",
  });
  expect(memory).toEqual({ total: 16 * GIB, available: 12 * GIB, limitedBy: "machine" });
});
