/** Builds programs of llama.cpp from the source that npm's node-llama-cpp carries: no network is needed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const SOURCE = join(import.meta.dirname, "../node_modules/node-llama-cpp/llama");
const TOOLS = ["git", "cmake", "c++"] as const;

/** Release of llama.cpp that node-llama-cpp carries. Throws when that is not installed. */
export function llamaCppRelease(): string {
  const read: unknown = JSON.parse(readFileSync(join(SOURCE, "binariesGithubRelease.json"), "utf8"));
  return z.object({ release: z.string() }).parse(read).release;
}

/** Where builds are kept: OMNI_CACHE, else `omni` in the user's folder for caches. */
export const cacheFolder = (): string =>
  process.env["OMNI_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "omni");

export interface LlamaCppBuild {
  /** The source goes to `src`, the programs to `build/bin` in it. */
  readonly folder: string;
  readonly programs: readonly string[];
  /** Options of CMake beside those that every build has: `GGML_RPC=ON`. */
  readonly options: readonly string[];
}

/** Builds the programs; what is there already is not built again. Throws when a tool is missing or the build fails. */
export function buildLlamaCpp({ folder, programs, options }: LlamaCppBuild): void {
  const missing = TOOLS.filter((tool) => !isInstalled(tool));
  if (missing.length > 0)
    throw new Error(`llama.cpp cannot be built: ${missing.join(", ")} is not installed`);
  mkdirSync(folder, { recursive: true });
  const run = (command: string, words: readonly string[]): void => {
    execFileSync(command, [...words], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  };
  if (!existsSync(join(folder, "src/CMakeLists.txt"))) {
    // Half of a copy that was interrupted.
    rmSync(join(folder, "src"), { recursive: true, force: true });
    run("git", ["-c", "advice.detachedHead=false", "clone", "-q", join(SOURCE, "gitRelease.bundle"), "src"]);
  }
  const all = [
    "CMAKE_BUILD_TYPE=Release",
    "LLAMA_BUILD_TESTS=OFF",
    "LLAMA_BUILD_EXAMPLES=OFF",
    // The console is of no use here, and a prebuilt one would be downloaded.
    "LLAMA_BUILD_UI=OFF",
    "LLAMA_USE_PREBUILT_UI=OFF",
    ...options,
  ];
  const generator = isInstalled("ninja") ? ["-G", "Ninja"] : [];
  run("cmake", ["-S", "src", "-B", "build", ...generator, ...all.map((option) => `-D${option}`)]);
  run("cmake", ["--build", "build", "-j", String(availableParallelism()), "--target", ...programs]);
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
