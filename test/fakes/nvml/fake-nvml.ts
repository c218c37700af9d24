import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dirname, "fake-nvml.c");

/** A card as the fake library tells it; bytes, percent, degrees, milliwatts. `-1` is not supported. */
export interface FakeCard {
  readonly uuid: string;
  readonly name?: string;
  readonly pci: string;
  readonly status?: number;
  readonly total?: number;
  readonly used?: number;
  readonly reserved?: number;
  readonly util?: number;
  readonly temp?: number;
  readonly memtemp?: number;
  readonly power?: number;
  readonly limit?: number;
  readonly reasons?: number;
  readonly ecc?: number;
  readonly gen?: number;
  readonly width?: number;
  readonly recovery?: number;
  readonly procs?: string;
}

export interface FakeState {
  readonly init?: number;
  readonly hang?: number;
  readonly crash?: number;
  readonly cards: readonly FakeCard[];
  readonly events?: readonly { readonly seq: number; readonly card: number; readonly data: number }[];
}

/** Whether there is a compiler to make the library with. */
export const hasCompiler = ((): boolean => {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return process.platform === "linux";
  } catch {
    return false;
  }
})();

/** Compiles the fake library, the current one and the one of an old driver. */
export function buildFakeNvml(folder = mkdtempSync(join(tmpdir(), "omni-nvml-"))): {
  readonly folder: string;
  readonly library: string;
  readonly old: string;
  remove(): void;
} {
  const library = join(folder, "libnvidia-ml.so.1");
  const old = join(folder, "libnvidia-ml-old.so.1");
  execFileSync("cc", ["-O2", "-shared", "-fPIC", "-o", library, SOURCE]);
  execFileSync("cc", ["-O2", "-shared", "-fPIC", "-DOLD", "-o", old, SOURCE]);
  return { folder, library, old, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What the fake library tells from now on; readers see the old state or the new one. */
export function writeFakeState(path: string, state: FakeState): void {
  const lines = [`init ${state.init ?? 0}`, `hang ${state.hang ?? 0}`, `crash ${state.crash ?? 0}`];
  for (const card of state.cards)
    lines.push(
      `card ${Object.entries(card)
        .map(([key, value]) => `${key}=${String(value).replaceAll(" ", "_")}`)
        .join(" ")}`,
    );
  for (const { seq, card, data } of state.events ?? [])
    lines.push(`event seq=${seq} card=${card} type=8 data=${data}`);
  writeFileSync(`${path}.new`, `${lines.join("\n")}\n`);
  renameSync(`${path}.new`, path);
}

/** A card with everything told: 24 GiB, a quarter of it in use. */
export const fakeCard = (n: number, changes: Partial<FakeCard> = {}): FakeCard => ({
  uuid: `GPU-0000000${n}-1111-2222-3333-444444444444`,
  name: "NVIDIA GeForce RTX 3090",
  pci: `00000000:0${n}:00.0`,
  total: 24 * 2 ** 30,
  used: 6 * 2 ** 30,
  reserved: 2 ** 28,
  util: 37,
  temp: 61,
  memtemp: 82,
  power: 215_500,
  limit: 350_000,
  reasons: 0,
  ecc: 0,
  gen: 4,
  width: 16,
  recovery: 0,
  procs: "4711:6000000000",
  ...changes,
});
