/**
 * Loaded before a node of chaos' own: the clock on the wall is off by as many milliseconds as the file of
 * `OMNI_CHAOS_CLOCK` says, from the moment on at which it says so. Time that only grows is left alone, as the kernel does.
 */
import { readFileSync, watchFile } from "node:fs";

const file = process.env["OMNI_CHAOS_CLOCK"];
let skew = 0;

if (file !== undefined) {
  const real = Date.now.bind(Date);
  Date.now = () => real() + skew;
  watchFile(file, { interval: 200, persistent: false }, () => {
    skew = Number(readFileSync(file, "utf8")) || 0;
  });
}
