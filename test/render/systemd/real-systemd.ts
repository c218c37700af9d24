import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SYSTEMD = ["/lib/systemd/systemd", "/usr/lib/systemd/systemd"].find((path) => existsSync(path));

/** systemd's own checker, where it is installed. */
export const hasSystemd = spawnSync("systemd-analyze", ["--version"]).error === undefined;

/** What a unit starts and is not on this machine; that it could be started is install.sh's question. */
const ELSEWHERE =
  /\/usr\/(?:local\/lib\/omni\/wait-ready|local\/bin\/omni|bin\/docker)|(?<=ExecStart=)llama-server/g;

/** What systemd's checker says against units, by their file names; lines that older versions do not know are nothing. */
export function unitComplaints(units: Readonly<Record<string, string>>): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "omni-units-"));
  try {
    const files = Object.entries(units).map(([name, content]) => {
      writeFileSync(join(folder, name), content.replaceAll(ELSEWHERE, "/bin/sh"));
      return join(folder, name);
    });
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], {
      encoding: "utf8",
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
    });
    const complaints = stderr
      .split("\n")
      .filter((line) => line.includes(folder) || line.startsWith("omni"))
      .filter((line) => !/Restart(?:Steps|MaxDelaySec)/.test(line));
    return status === 0 ? complaints : [...complaints, `systemd-analyze ended with ${status ?? "a signal"}`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What systemd itself makes of a unit: its test mode loads it and prints every value, and starts nothing. Values of one
 * name in order; undefined where systemd is not installed or cannot run so (it wants not to be root, nor in some boxes).
 */
export function dumpOf(
  unit: string,
  name = "omni-dumped.service",
): ReadonlyMap<string, readonly string[]> | undefined {
  if (SYSTEMD === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "omni-dump-"));
  try {
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, name), unit, { mode: 0o644 });
    const test = [SYSTEMD, "--test", "--system", `--unit=${name}`, "--log-target=console"];
    const command = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups", ...test] : test;
    const { stdout, stderr } = spawnSync(command[0] ?? "", command.slice(1), {
      encoding: "utf8",
      maxBuffer: 2 ** 26,
      timeout: 30_000,
      env: { PATH: process.env["PATH"] ?? "", SYSTEMD_UNIT_PATH: `${folder}:`, XDG_RUNTIME_DIR: folder },
    });
    return valuesIn(`${stdout}\n${stderr}`, name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function valuesIn(dump: string, name: string): ReadonlyMap<string, readonly string[]> | undefined {
  const part = dump.split(/^\t-> Unit /m).find((text) => text.startsWith(`${name}:`));
  if (part === undefined) return undefined;
  const values = new Map<string, string[]>();
  for (const line of part.split("\n")) {
    const entry = /^\t+([A-Z][A-Za-z ]*): (.*)$/s.exec(line);
    if (entry !== null) values.set(entry[1] ?? "", [...(values.get(entry[1] ?? "") ?? []), entry[2] ?? ""]);
  }
  return values;
}

/** Words of a command as systemd prints them: quoted where needed, with escapes of C and octal numbers. */
export function printedWords(line: string): string[] {
  const escapes: Readonly<Record<string, string>> = {
    a: "\u0007",
    b: "\b",
    f: "\f",
    n: "\n",
    r: "\r",
    t: "\t",
    v: "\v",
  };
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^ ]+)/gs)].map(([, quoted, plain]) =>
    (quoted ?? plain ?? "").replaceAll(/\\([0-7]{3}|.)/gs, (_all, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
    ),
  );
}
