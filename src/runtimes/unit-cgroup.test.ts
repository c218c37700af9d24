import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  existsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { eventually, isAlive } from "../../test/fakes/alive.ts";
import { boundedCommand, cgroupParent, findProgram } from "./bounded-command.ts";
import { createProcessRuntime } from "./process.ts";
import {
  cgroupProcesses,
  cgroupRoot,
  killCgroup,
  makeUnitCgroup,
  removeCgroup,
  writableCgroup,
} from "./unit-cgroup.ts";

let folder = "";
const notes: string[] = [];
const note = (text: string): void => void notes.push(text);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-cgroup-"));
  notes.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const launch = (limits: { memory?: number; cpus?: string; numaNode?: number }) => ({
  service: "oracle",
  command: ["sleep", "1000"] as const,
  environment: {},
  address: { kind: "tcp", host: "127.0.0.1", port: 1 } as const,
  loadTimeout: 1000,
  digest: "d",
  limits,
});

describe("on a tree of files that stands for cgroups", () => {
  test("where Omni may make a cgroup is read from mounts and its own place", () => {
    const mounts = "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
    expect(cgroupRoot(mounts)).toBe("/sys/fs/cgroup");
    expect(cgroupRoot("cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n")).toBeUndefined();
    mkdirSync(join(folder, "omni.service"));
    writeFileSync(join(folder, "omni.service/cgroup.procs"), "");
    expect(writableCgroup(folder, "4:memory:/x\n0::/omni.service\n")).toBe(join(folder, "omni.service"));
    expect(writableCgroup(folder, "0::/omni.service/omni\n")).toBe(join(folder, "omni.service"));
    expect(writableCgroup(folder, "0::/other\n")).toBeUndefined();
    expect(writableCgroup(folder, "4:memory:/x\n")).toBeUndefined();
  });

  test("controllers that are there and not handed on are, and limits that no controller takes are told", () => {
    writeFileSync(join(folder, "cgroup.controllers"), "cpu memory\n");
    writeFileSync(join(folder, "cgroup.subtree_control"), "cpu\n");
    const made = makeUnitCgroup(folder, "u1", { memory: 2 ** 30, cpus: "0-3", numaNode: 1 }, note);
    expect(readFileSync(join(folder, "cgroup.subtree_control"), "utf8")).toBe("+memory");
    expect(made).toEqual({ path: join(folder, "omni-u1"), bindsCpus: false, bindsNode: false });
    expect(notes).toHaveLength(3);
    expect(notes.map((text) => text.split(" ", 1)[0])).toEqual(["memory", "cpuset", "cpuset"]);
  });

  test("a place where no cgroup can be made is told, and the engine runs without", () => {
    expect(makeUnitCgroup(join(folder, "missing"), "u1", { memory: 1 }, note)).toBeUndefined();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("missing");
  });
});

test("without limits the command is as it was, and so is one whose program is not there", () => {
  expect(boundedCommand(launch({}), "u1", folder, note)).toEqual({ command: ["sleep", "1000"] });
  const missing = { ...launch({ memory: 1 }), command: ["/no/such/engine"] as const };
  expect(boundedCommand(missing, "u1", folder, note)).toEqual({ command: ["/no/such/engine"] });
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(findProgram("taskset", process.env["PATH"] ?? "") === undefined)(
  "processors are bound through taskset where no cgroup does it (needs taskset)",
  async () => {
    const runtime = createProcessRuntime({ stateFolder: folder, onNote: note, cgroupParent: "/nowhere" });
    const unit = await runtime.start(launch({ cpus: "0" }));
    const allowed = (): string | undefined =>
      /^Cpus_allowed_list:\t(.*)$/m.exec(readFileSync(`/proc/${unit.pid ?? 0}/status`, "utf8"))?.[1];
    const name = (): string => readFileSync(`/proc/${unit.pid ?? 0}/comm`, "utf8").trim();
    // taskset binds itself first and then becomes the engine.
    await eventually("the engine runs", () => name() === "sleep");
    expect(allowed()).toBe("0");
    await unit.stop(0);
    await runtime.close();
  },
);

const parent = cgroupParent();
const why = parent === undefined ? " (skipped: this user may make no cgroup v2 here)" : "";
describe.skipIf(parent === undefined)(`in a real cgroup${why}`, () => {
  /** Leaves the mark and the group: only the cgroup still knows it. */
  const RUNAWAY = "env -u OMNI_UNIT setsid sleep 1001 & echo runaway $!; exec sleep 1002";

  test("the engine and all that it starts are in it from the first, and go with it", async () => {
    const runtime = createProcessRuntime({ stateFolder: folder, onNote: note });
    const unit = await runtime.start({ ...launch({ memory: 2 ** 30 }), command: ["/bin/sh", "-c", RUNAWAY] });
    const cgroup = join(parent ?? "", `omni-${unit.id}`);
    await eventually("both run", () => cgroupProcesses(cgroup).length === 2);
    const found = await unit.processes();
    expect(found).toContain(unit.pid);
    expect(found).toHaveLength(2);
    const bound = existsSync(join(cgroup, "memory.max"))
      ? readFileSync(join(cgroup, "memory.max"), "utf8").trim()
      : notes[0];
    expect(bound).toMatch(/^1073741824$|memory.max cannot be set/);
    await unit.stop(1000);
    expect(found.some(isAlive)).toBe(false);
    expect(existsSync(cgroup)).toBe(false);
    await runtime.close();
  });

  test("a later Omni finds it there, and a guard ends it there", async () => {
    const make = (adoptionGrace: number) =>
      createProcessRuntime({ stateFolder: folder, onNote: note, adoptionGrace });
    const first = make(60_000);
    const unit = await first.start({ ...launch({ memory: 2 ** 30 }), command: ["/bin/sh", "-c", RUNAWAY] });
    const cgroup = join(parent ?? "", `omni-${unit.id}`);
    await eventually("both run", () => cgroupProcesses(cgroup).length === 2);
    const found = await unit.processes();
    await first.close({ keep: true });
    const second = make(500);
    const [survivor] = await second.survivors();
    const adopted = await survivor?.adopt();
    expect(await adopted?.processes()).toEqual(found);
    await second.close({ keep: true });
    await eventually("nobody adopts, and all of it is gone", () => !found.some(isAlive));
    await eventually("the cgroup is gone too", () => !existsSync(cgroup));
  });

  test("a cgroup that only Omni is in is emptied, so that its controllers reach the engines", async () => {
    const given = makeUnitCgroup(parent ?? "", `given-${process.pid}`, {}, note)?.path ?? "";
    // A program of its own stands for Omni; the first controller that this kernel has stands for memory.
    const url = new URL("unit-cgroup.ts", import.meta.url).href;
    const program = `import { writeFileSync, readFileSync } from "node:fs";
      writeFileSync(process.argv[1] + "/cgroup.procs", "0");
      const { makeUnitCgroup } = await import(${JSON.stringify(url)});
      const notes = [];
      const made = makeUnitCgroup(process.argv[1], "u", { memory: 2 ** 30 }, (note) => notes.push(note));
      const own = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))[1];
      console.log(JSON.stringify({ path: made.path, own, notes }));`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program, given], {
      encoding: "utf8",
    });
    const {
      path,
      own,
      notes: told,
    } = z.object({ path: z.string(), own: z.string(), notes: z.array(z.string()) }).parse(JSON.parse(said));
    expect(path).toBe(join(given, "omni-u"));
    const hasMemory = readFileSync(join(given, "cgroup.controllers"), "utf8").includes("memory");
    expect(own.endsWith(hasMemory ? "/omni" : basename(given))).toBe(true);
    expect(told).toHaveLength(hasMemory ? 0 : 1);
    await removeCgroup(given);
  });

  test("killing a cgroup kills what is in it", async () => {
    const made = makeUnitCgroup(parent ?? "", `test-${process.pid}`, {}, note);
    const path = made?.path ?? "";
    const child = spawn("/bin/sh", ["-c", 'echo 0 >"$0/cgroup.procs"; exec sleep 1003', path]);
    const ended = once(child, "exit");
    await eventually("it is in", () => cgroupProcesses(path).includes(child.pid ?? 0));
    killCgroup(path);
    expect(await ended).toEqual([null, "SIGKILL"]);
    await removeCgroup(path);
    expect(existsSync(path)).toBe(false);
  });
});
