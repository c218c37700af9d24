import { TORCH_PACKAGES } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
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

/** What differs between engines that are Python packages with compiled kernels. */
export interface PythonEngine {
  /** Packages of Ubuntu that compiling takes. */
  readonly packages: readonly string[];
  /** Variables that compiling reads, the architectures among them. */
  readonly variables: (input: RecipeInput) => Readonly<Record<string, string>>;
  /** PyTorch packages that are there before compiling; none where the engine's own requirements name them. */
  readonly torch: readonly string[];
  readonly submodules: boolean;
  /** Commands in the source's folder. */
  readonly install: readonly string[];
  /** It compiles kernels when it starts, so the compiler stays in the image. */
  readonly compilesAtStart: boolean;
  /** The source itself is what runs, not only what pip makes of it. */
  readonly keepsSource: boolean;
  readonly entrypoint: readonly string[];
  readonly port: number;
  readonly notes: (input: RecipeInput) => readonly Diagnostic[];
}

const PYTHON = ["ca-certificates", "git", "python3", "python3-dev", "python3-pip", "python3-venv"];
const COMPILERS = ["build-essential", "cmake", "ninja-build"];

/**
 * A Python engine compiled from source. On the catalog's CUDA image it goes into a virtual environment that the last stage
 * takes over; on the owner's base it goes into that image's own Python, because what the base verified is what runs.
 */
export function pythonRecipe(engine: PythonEngine, input: RecipeInput): Recipe {
  const { build, checks, reader } = input;
  const checked = checks.length > 0;
  const text = dockerfile([
    recipeHeader(input),
    checked ? readerArgument(reader) : undefined,
    buildStage(engine, input),
    checked ? verifyStage("build", checks) : undefined,
    runtimeStage(engine, input, checked),
    libraryPath(["/usr/local/lib"], input.lists),
    [
      sourceLabels(input),
      ...(build.base === undefined ? ["USER 10001"] : []),
      exposed(input.ports, engine.port),
      `ENTRYPOINT [${engine.entrypoint.map((word) => JSON.stringify(word)).join(", ")}]`,
    ].join("\n"),
  ]);
  return { text, diagnostics: engine.notes(input) };
}

function buildStage(engine: PythonEngine, input: RecipeInput): string {
  const { build, cuda, variables } = input;
  const own = engine.variables(input);
  const owned = Object.entries(own).filter(([name]) => !(name in build.environment));
  const torch =
    engine.torch.length === 0 || build.base !== undefined
      ? []
      : [
          folded("python3 -m pip install", [
            `--index-url ${TORCH_PACKAGES.index}${cuda.torchIndex}`,
            ...engine.torch.map((name) => runWord(name, "catalog")),
          ]),
        ];
  return section(
    build.base === undefined
      ? `Built with CUDA ${cuda.version}, the oldest that knows the wanted cards: an older toolkit asks less of the driver.`
      : "Built into the owner's base: its Python and its PyTorch are the ones that run.",
    fromImage(build.base ?? cuda.devel, build.base === undefined ? "catalog" : `${build.path}.base`, "build"),
    installPackages([...PYTHON, ...COMPILERS, ...engine.packages], build),
    "ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_BREAK_SYSTEM_PACKAGES=1",
    ...envLines(Object.fromEntries(owned), "catalog"),
    ...envLines(variables.plain, `${build.path}.environment`),
    ...(build.base === undefined
      ? [
          run(["python3 -m venv /opt/venv"]),
          "ENV PATH=/opt/venv/bin:/usr/local/cuda/bin:/usr/local/bin:/usr/bin:/bin",
        ]
      : []),
    "WORKDIR /opt/engine",
    runWithSecrets(checkoutCommands(input.source, build, engine.submodules), variables),
    runWithSecrets([...torch, ...flagExports(input), ...engine.install], variables),
  );
}

/** The owner's CMake flags, as builds of Python packages take them. */
function flagExports({ build }: RecipeInput): readonly string[] {
  const flags = Object.entries(build.flags).map(
    ([name, value]) => `-D${name}=${typeof value === "boolean" ? (value ? "ON" : "OFF") : String(value)}`,
  );
  if (flags.length === 0) return [];
  return [`export CMAKE_ARGS=${runWord(flags.join(" "), `${build.path}.flags`)}`];
}

function runtimeStage(engine: PythonEngine, input: RecipeInput, checked: boolean): string {
  const { build, cuda } = input;
  const verified = checked ? [copyVerified] : [];
  if (build.base !== undefined)
    return section(
      "What runs is what was built: the base has its own layout, and its own user.",
      "FROM build",
      ...verified,
    );
  return section(
    engine.compilesAtStart
      ? "What runs, with the compiler: kernels of this engine are compiled for the card when it starts."
      : "What runs: PyTorch brings the CUDA libraries, so no compiler is needed.",
    fromImage(engine.compilesAtStart ? cuda.devel : cuda.runtime, "catalog"),
    installPackages(
      [
        "ca-certificates",
        "libnuma1",
        "python3",
        ...(engine.compilesAtStart ? ["build-essential", "python3-dev"] : []),
      ],
      build,
    ),
    run([USER_COMMAND]),
    'COPY --from=build ["/opt/venv/", "/opt/venv/"]',
    ...(engine.keepsSource ? ['COPY --from=build --chown=10001 ["/opt/engine/", "/opt/engine/"]'] : []),
    ...verified,
    ...envLines(input.variables.plain, `${build.path}.environment`),
    "ENV PATH=/opt/venv/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...(engine.keepsSource ? ["WORKDIR /opt/engine"] : ["WORKDIR /home/omni"]),
  );
}
