/**
 * A node that records samples of eight cards as fast as it can, ten seconds apart on its own clock, and tells each
 * reading it has taken in. Run by tests, and killed by them.
 */
import { openStore } from "../../src/store/index.ts";

const [folder = ""] = process.argv.slice(2);
const { samples } = openStore(folder);
const host = { memoryAvailable: 1e9, disks: [{ free: 1e9 }] };
const begin = Date.now() - 3_600_000;
for (let n = 0; ; n++) {
  const cards = Array.from({ length: 8 }, (_, card) => ({
    uuid: `GPU-${card}`,
    memoryUsed: n,
    temperature: 50,
  }));
  samples.record({ time: begin + n * 10_000, cards, host });
  if (n % 20 === 0) process.stdout.write(`${n}\n`);
}
