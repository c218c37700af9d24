import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { localTransport } from "../../host/transport/index.ts";
import type { OfferedFix } from "../../host/doctor/index.ts";
import { openStore, readEvents } from "../../store/index.ts";
import type { Terminal } from "../terminal.ts";
import { confirmFixes, makeFixes, shownFixes } from "./doctor-fixes.ts";

let folder = "";
const said: string[] = [];
const plain = (_style: unknown, text: string): string => text;
const terminal: Terminal = {
  out: (text) => void said.push(text),
  err: (text) => void said.push(text),
  interactive: false,
  columns: 80,
  style: plain,
  styleErr: plain,
};

beforeEach(() => {
  said.length = 0;
  folder = mkdtempSync(join(tmpdir(), "omni-doctor-"));
  vi.stubEnv("OMNI_STATE", join(folder, "state"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const offered = (path: string): readonly OfferedFix[] => [
  {
    finding: { check: "driver.nouveau", state: "error", seen: "bound to nouveau" },
    fix: {
      title: "Keep nouveau out.",
      needsReboot: true,
      changes: [
        { kind: "write", path, content: "blacklist nouveau\noptions nouveau modeset=0\n", mode: 0o644 },
        { kind: "run", argv: ["echo", "a b"], timeout: 5000 },
      ],
    },
  },
];

it("what would be changed is shown to the letter, and showing changes nothing", async () => {
  const path = join(folder, "nouveau.conf");
  writeFileSync(path, "blacklist nouveau\n");
  expect(await shownFixes(localTransport(), offered(path))).toEqual([
    "this machine: Keep nouveau out. It counts after the next boot.",
    "  for driver.nouveau: bound to nouveau",
    `  write  ${path} (644)`,
    `    --- ${path}`,
    `    +++ ${path}`,
    "    @@ -1,1 +1,2 @@",
    "     blacklist nouveau",
    "    +options nouveau modeset=0",
    "  run    echo 'a b'",
  ]);
  expect(readFileSync(path, "utf8")).toBe("blacklist nouveau\n");
});

it("where nobody sits at a terminal, only --yes agrees", async () => {
  await expect(confirmFixes(2, false, terminal)).rejects.toMatchObject({
    code: "doctor.unconfirmed",
    exitCode: 3,
  });
  await expect(confirmFixes(2, true, terminal)).resolves.toBeUndefined();
});

it("what was done is told and kept among the events, with every change", async () => {
  const path = join(folder, "nouveau.conf");
  await makeFixes(localTransport(), offered(path), terminal);
  expect(said).toEqual([
    "done    Keep nouveau out.",
    `        ${path}: written`,
    "        echo 'a b': done",
    "        It counts after the next boot.",
  ]);
  const events = readEvents(join(folder, "state"), { latest: 10 }) ?? [];
  expect(events.filter(({ kind }) => kind.startsWith("doctor."))).toMatchObject([
    {
      kind: "doctor.fixed",
      severity: "info",
      message: "this machine: Keep nouveau out.",
      data: {
        check: "driver.nouveau",
        changes: [
          { path, done: true },
          { argv: ["echo", "a b"], message: "done" },
        ],
      },
    },
  ]);
});

it("a state folder that a running node owns keeps no change from being made", async () => {
  const store = openStore(join(folder, "state"));
  await makeFixes(localTransport(), offered(join(folder, "nouveau.conf")), terminal);
  store.close();
  expect(said.at(-1)).toMatch(/^Not recorded among the events: /);
  expect(readFileSync(join(folder, "nouveau.conf"), "utf8")).toContain("modeset=0");
});
