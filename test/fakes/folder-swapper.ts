import { renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * An attacker with an account on the machine: puts links in the place of a folder and of a file of `docs`, and these back,
 * as fast as it can, until its parent is gone. Tells how many times with every message.
 */
const docs = process.argv[2] ?? "";
const at = (name: string): string => join(docs, name);

let made = 0;

/** Does what may fail because somebody made a folder of that name in between. */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function swap(): void {
  renameSync(at("swap"), at("swap-kept"));
  attempt(() => symlinkSync("../outside", at("swap")));
  attempt(() => unlinkSync(at("swap")));
  while (!attempt(() => renameSync(at("swap-kept"), at("swap"))))
    attempt(() => renameSync(at("swap"), at(`made-${made++}`)));
  symlinkSync("../outside/secret.txt", at("flip-next"));
  renameSync(at("flip-next"), at("flip.txt"));
  writeFileSync(at("flip-next"), "INSIDE\n");
  renameSync(at("flip-next"), at("flip.txt"));
}

let swaps = 0;
function go(): void {
  for (let n = 0; n < 20; n++) swap();
  swaps += 20;
  if (!process.connected) process.exit(0);
  process.send?.(swaps, () => undefined);
  setImmediate(go);
}

process.on("disconnect", () => process.exit(0));
go();
