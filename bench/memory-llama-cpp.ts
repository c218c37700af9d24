/** llama.cpp's own programs, found or built from the source that node-llama-cpp carries. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildLlamaCpp, cacheFolder, llamaCppRelease } from "../scripts/llama-cpp-build.ts";

const PROGRAMS = ["llama-fit-params", "llama-server", "ggml-rpc-server"];

/**
 * The folder with the programs: OMNI_LLAMA_CPP, else a build in Omni's cache, made on first use (about ten minutes on two
 * cores; needs git, cmake and a C++ compiler). Throws when neither is possible.
 */
export function llamaCppPrograms(): string {
  const given = process.env["OMNI_LLAMA_CPP"];
  const home = join(cacheFolder(), `llama.cpp-${llamaCppRelease()}`);
  const folder = given ?? join(home, "build/bin");
  if (given === undefined && !hasPrograms(folder)) {
    console.log(`building llama.cpp in ${home} …`);
    buildLlamaCpp({ folder: home, programs: PROGRAMS, options: ["GGML_RPC=ON"] });
  }
  if (!hasPrograms(folder)) throw new Error(`${folder} does not hold ${PROGRAMS.join(", ")}`);
  return folder;
}

const hasPrograms = (folder: string): boolean =>
  PROGRAMS.every((program) => existsSync(join(folder, program)));
