import { join } from "node:path";
import { openReal, pinIfThere } from "../../src/mcp/filesystem/beneath.ts";
import { refusalOf } from "../../src/mcp/filesystem/refusal.ts";
import { replaceFile } from "../../src/mcp/filesystem/replace-file.ts";
import { createVersions } from "../../src/mcp/filesystem/versions.ts";

/**
 * Replaces a file again and again by 256 KiB of one letter, the version before kept, as the file server does it; or once, with
 * `once`, and tells what came of it. Arguments: base folder, `loop` or `once`. Tells its parent when the first is written.
 */
const [base = "", mode = "loop"] = process.argv.slice(2);
const SIZE = 256 << 10;
const { signal } = new AbortController();
const versions = createVersions({ folder: join(base, "state/versions"), versions: 3, largest: SIZE });
const place = { root: "docs", names: ["file.txt"], text: "docs/file.txt" };

async function replace(letter: string): Promise<void> {
  await using folder = await openReal(join(base, "docs"));
  await using old = await pinIfThere(folder, "file.txt");
  if (old !== undefined) await versions.keep(place, old, signal);
  await replaceFile(folder, "file.txt", Buffer.alloc(SIZE, letter), old, signal);
}

process.on("disconnect", () => process.exit(0));
if (mode === "once") {
  const outcome = await replace("b").then(
    () => "written",
    (error: unknown) => refusalOf(error, place.text).message,
  );
  process.stdout.write(outcome);
} else {
  for (let n = 0; ; n++) {
    await replace(n % 2 === 0 ? "a" : "b");
    if (n === 0) process.send?.("ready");
  }
}
