/** llama.cpp's own programs, found or built from the source that node-llama-cpp carries. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dirname, "../node_modules/node-llama-cpp/llama");
const PROGRAMS = ["llama-fit-params", "llama-server", "ggml-rpc-server"];

/**
 * The folder with the programs: OMNI_LLAMA_CPP, else a build in ~/.cache/omni, made on first use (about ten minutes on two
 * cores; needs git, cmake and a C++ compiler). Throws when neither is possible.
 */
export function llamaCppPrograms(): string {
  const given = process.env["OMNI_LLAMA_CPP"];
  const folder = given ?? join(buildFolder(), "build/bin");
  if (given === undefined && !hasPrograms(folder)) build(buildFolder());
  if (!hasPrograms(folder)) throw new Error(`${folder} does not hold ${PROGRAMS.join(", ")}`);
  return folder;
}

const hasPrograms = (folder: string): boolean =>
  PROGRAMS.every((program) => existsSync(join(folder, program)));

function buildFolder(): string {
  const release: unknown = JSON.parse(readFileSync(join(SOURCE, "binariesGithubRelease.json"), "utf8"));
  const tag =
    typeof release === "object" && release !== null && "release" in release
      ? String(release.release)
      : "unknown";
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "omni", `llama.cpp-${tag}`);
}

function build(folder: string): void {
  console.log(`building llama.cpp in ${folder} …`);
  mkdirSync(folder, { recursive: true });
  const run = (command: string, args: readonly string[]): void => {
    execFileSync(command, [...args], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  };
  if (!existsSync(join(folder, "src")))
    run("git", ["-c", "advice.detachedHead=false", "clone", "-q", join(SOURCE, "gitRelease.bundle"), "src"]);
  const options = [
    "GGML_RPC=ON",
    "LLAMA_BUILD_TESTS=OFF",
    "LLAMA_BUILD_EXAMPLES=OFF",
    "LLAMA_CURL=OFF",
    "LLAMA_BUILD_UI=OFF",
  ];
  run("cmake", [
    "-S",
    "src",
    "-B",
    "build",
    "-DCMAKE_BUILD_TYPE=Release",
    ...options.map((option) => `-D${option}`),
  ]);
  run("cmake", ["--build", "build", "-j", String(availableParallelism()), "--target", ...PROGRAMS]);
}
