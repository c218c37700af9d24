import { UBUNTU_BASE } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { parseCudaArchitectureList } from "../../core/index.ts";
import { runWord } from "../escape/dockerfile.ts";
import { checkoutCommands } from "./engine-source.ts";
import {
  dockerfile,
  envLines,
  folded,
  installPackages,
  run,
  runWithSecrets,
  section,
} from "./instructions.ts";
import { exposed, fromImage, libraryPath, recipeHeader, sourceLabels, USER_COMMAND } from "./recipe.ts";
import type { Recipe, RecipeInput } from "./recipe.ts";
import { copyVerified, readerArgument, verifyStage } from "./verification.ts";

/** What Omni sets; the owner's flags win. Backends as libraries: the processor's best one is chosen where it runs. */
const DEFAULTS = (cuda: boolean): readonly (readonly [string, string])[] => [
  ["CMAKE_BUILD_TYPE", "Release"],
  ["GGML_NATIVE", "OFF"],
  ["GGML_BACKEND_DL", "ON"],
  ["GGML_CPU_ALL_VARIANTS", "ON"],
  ["GGML_CUDA", cuda ? "ON" : "OFF"],
  ["LLAMA_BUILD_TESTS", "OFF"],
  ["LLAMA_BUILD_EXAMPLES", "OFF"],
  // The console is Omni's; without this the build would fetch pages from a hub.
  ["LLAMA_USE_PREBUILT_UI", "OFF"],
];

const cmakeValue = (value: string | number | boolean): string =>
  typeof value === "boolean" ? (value ? "ON" : "OFF") : String(value);

/** llama.cpp compiled for the cards of the deployment, or for processors alone. */
export function llamaCppRecipe(input: RecipeInput): Recipe {
  const { build, lists, checks, cuda, variables, reader } = input;
  const cards = lists.cmake !== "";
  const base = { devel: build.base ?? cuda.devel, runtime: build.base ?? cuda.runtime };
  const place = build.base === undefined ? "catalog" : `${build.path}.base`;
  const plain = build.base ?? UBUNTU_BASE.image;
  const text = dockerfile([
    recipeHeader(input),
    cards ? readerArgument(reader) : undefined,
    section(
      cards
        ? `Compiles for ${lists.cmake}${build.base === undefined ? ` with CUDA ${cuda.version}, the oldest that knows them: an older toolkit asks less of the driver` : ""}.`
        : "Compiles for processors alone: no service of this engine has a card.",
      fromImage(cards ? base.devel : plain, place, "build"),
      installPackages(
        ["build-essential", "ca-certificates", "cmake", "g++-14", "gcc-14", "git", "libssl-dev"],
        build,
      ),
      "ENV CC=gcc-14 CXX=g++-14 CUDAHOSTCXX=g++-14",
      ...envLines(variables.plain, `${build.path}.environment`),
      "WORKDIR /src",
      runWithSecrets(checkoutCommands(input.source, build), variables),
      runWithSecrets(compileCommands(input), variables),
      run([
        "mkdir -p /app",
        "cp build/bin/llama-server /app/",
        `find build -name '*.so*' -exec cp -P {} /app/ ';'`,
      ]),
    ),
    cards ? verifyStage("build", checks) : undefined,
    section(
      "What runs: the server and its libraries, without compiler and source.",
      fromImage(cards ? base.runtime : plain, place),
      installPackages(["ca-certificates", "libgomp1", "libssl3"], build),
      run([USER_COMMAND]),
      'COPY --from=build ["/app/", "/app/"]',
      ...(cards ? [copyVerified] : []),
    ),
    cards ? libraryPath(["/app", "/usr/local/lib"], lists) : "ENV LD_LIBRARY_PATH=/app",
    [
      "ENV PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      sourceLabels(input),
      "USER 10001",
      exposed(input.ports, 9931),
      'ENTRYPOINT ["/app/llama-server"]',
    ].join("\n"),
  ]);
  return { text, diagnostics: contradictions(input) };
}

/** CMake's configure and build; the owner's flags after Omni's, in the owner's order. */
function compileCommands({ build, lists }: RecipeInput): readonly string[] {
  const owner = Object.entries(build.flags).map(([name, value]) => [name, cmakeValue(value)] as const);
  const named = new Set(owner.map(([name]) => name));
  const own = [
    ...DEFAULTS(lists.cmake !== ""),
    ...(lists.cmake === "" ? [] : [["CMAKE_CUDA_ARCHITECTURES", lists.cmake] as const]),
    // libcuda.so is the driver's and not in the image that compiles.
    ["CMAKE_EXE_LINKER_FLAGS", "-Wl,--allow-shlib-undefined"] as const,
  ].filter(([name]) => !named.has(name));
  return [
    folded(
      "cmake -S . -B build",
      [...own, ...owner].map(([name, value]) => runWord(`-D${name}=${value}`, `${build.path}.flags.${name}`)),
    ),
    'cmake --build build --config Release --target llama-server -j "$(nproc)"',
  ];
}

/** Flags of the owner that compile for other cards than the list asks for: the check at the end goes by the list. */
function contradictions({ build, lists }: RecipeInput): readonly Diagnostic[] {
  const flag = build.flags["CMAKE_CUDA_ARCHITECTURES"];
  if (flag === undefined || lists.cmake === "") return [];
  const compiled = parseCudaArchitectureList(String(flag)) ?? [];
  const wanted = parseCudaArchitectureList(lists.cmake) ?? [];
  const lacking = wanted.filter(
    (one) => !compiled.some((entry) => entry.major === one.major && entry.minor === one.minor),
  );
  if (lacking.length === 0) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `${build.path}.flags.CMAKE_CUDA_ARCHITECTURES`,
      message: `The flag compiles ${build.tag} for ${String(flag)}, ${build.path}.cudaArchitectures wants ${build.cudaArchitectures.join(", ")}: the check at the end of the build will fail.`,
      hint: "Remove the flag; it follows from cudaArchitectures.",
    },
  ];
}
