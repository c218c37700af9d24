/**
 * Prints the path of a llama-server (processor only, no libraries of its own, no network) of the release that node-llama-cpp
 * carries, for tests; builds it first when it is not there, which takes minutes. Ends with 1 and the reason when it cannot.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildLlamaCpp, cacheFolder, llamaCppRelease } from "./llama-cpp-build.ts";

const OPTIONS = [
  "BUILD_SHARED_LIBS=OFF",
  // The build may be kept for another machine.
  "GGML_NATIVE=OFF",
  "GGML_OPENMP=OFF",
  "GGML_LLAMAFILE=OFF",
  "GGML_CPU_REPACK=OFF",
  "LLAMA_OPENSSL=OFF",
  "LLAMA_BUILD_APP=OFF",
  "LLAMA_ALL_WARNINGS=OFF",
];

const home = join(cacheFolder(), "llama-server", llamaCppRelease());
const program = join(home, "llama-server");
try {
  if (!existsSync(program)) build();
  process.stdout.write(`${program}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function build(): void {
  const folder = join(home, "work");
  process.stderr.write(`building llama-server in ${folder} …\n`);
  mkdirSync(folder, { recursive: true });
  buildLlamaCpp({ folder, programs: ["llama-server"], options: OPTIONS });
  copyFileSync(join(folder, "build/bin/llama-server"), `${program}.new`);
  renameSync(`${program}.new`, program);
  rmSync(folder, { recursive: true });
}
