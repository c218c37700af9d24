import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elfFile, fatbinContainer } from "../../fakes/fatbin-elf.ts";
import { ROOT, temporaryFolder } from "../../e2e/run-node.ts";
import { referenceDeployment } from "../deployments.ts";
import { renderedImages } from "./rendered-images.ts";

/** Building without a daemon takes root, for the mounts alone. */
const buildah = process.getuid?.() === 0 && spawnSync("buildah", ["--version"]).status === 0;
const skipped = buildah ? "" : " (skipped: needs root and buildah)";

const home = temporaryFolder();
const STORE = [
  "--root",
  join(home.path, "store"),
  "--runroot",
  join(home.path, "run"),
  "--storage-driver",
  "vfs",
];
const READER = "localhost/omni/node:1.2.3";

function run(...args: string[]): { readonly code: number | null; readonly said: string } {
  const done = spawnSync("buildah", [...STORE, ...args], {
    encoding: "utf8",
    env: { ...process.env, BUILDAH_ISOLATION: "chroot" },
  });
  return { code: done.status, said: `${done.stdout}${done.stderr}` };
}

/** Omni as its image holds it, from scratch: its source, the Node that runs this test, and what that Node loads. */
function writeReader(folder: string): void {
  const omni = join(folder, "opt/omni");
  const put = (from: string, to: string): void => {
    mkdirSync(dirname(to), { recursive: true });
    cpSync(realpathSync(from), to, { recursive: true });
  };
  for (const name of [
    "src",
    "omni",
    "package.json",
    "node_modules/yaml",
    "node_modules/zod",
    "node_modules/undici",
  ])
    put(join(ROOT, name), join(omni, name));
  const programs = [
    [process.execPath, join(omni, "node_modules/.bin/node")],
    ...["sh", "dirname", "readlink", "touch"].map((name) => [`/bin/${name}`, join(folder, "bin", name)]),
  ] as const;
  for (const [from = "", to = ""] of programs) {
    put(from, to);
    const loaded = spawnSync("ldd", [realpathSync(from)], { encoding: "utf8" }).stdout.matchAll(/\s(\/\S+)/g);
    for (const [, library = ""] of loaded) put(library, join(folder, library));
  }
  mkdirSync(join(folder, "tmp"));
  writeFileSync(
    join(folder, "Dockerfile"),
    "FROM scratch\nCOPY . /\nWORKDIR /opt/omni\nENV PATH=/bin OMNI_STATE=/tmp/omni\n",
  );
}

let recipe = "";
let verification = "";
beforeAll(async () => {
  if (!buildah) return;
  const { files } = renderedImages(await referenceDeployment("concrete-bunker"));
  verification = files.get("images/blackwell/verify.Dockerfile") ?? "";
  // The recipe as rendered, but what compiles for an hour is a library that is there, and bases are empty.
  const text = files.get("images/blackwell/Dockerfile.blackwell") ?? "";
  const [, check = ""] = /^(FROM \$\{OMNI_IMAGE\} AS verify\n(?:.+\n)+)/m.exec(text) ?? [];
  recipe = [
    `ARG OMNI_IMAGE=${READER}`,
    "FROM scratch AS build",
    "COPY libggml-cuda.so /app/",
    check,
    "FROM scratch",
    ...text.split("\n").filter((line) => line.startsWith("COPY --from")),
    "",
  ].join("\n");
  const reader = join(home.path, "reader");
  mkdirSync(reader);
  writeReader(reader);
  const built = run("build", "-t", READER, reader);
  if (built.code !== 0) throw new Error(built.said);
});
afterAll(() => {
  home.remove();
});

/** A context with a library for one architecture. */
function context(version: number): string {
  const folder = join(home.path, `sm${version}`);
  mkdirSync(folder, { recursive: true });
  const library = elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version }]) });
  writeFileSync(join(folder, "libggml-cuda.so"), library);
  writeFileSync(join(folder, "Dockerfile"), recipe);
  writeFileSync(join(folder, "plain.Dockerfile"), "FROM scratch\nCOPY libggml-cuda.so /app/\n");
  writeFileSync(join(folder, "verify.Dockerfile"), verification);
  return folder;
}

describe("a real builder", () => {
  it.skipIf(!buildah)(`fails on a library for 9.0 and builds the one for 12.0${skipped}`, () => {
    const refused = run("build", "-t", "localhost/t:90", context(90));
    expect(refused.code).not.toBe(0);
    expect(refused.said).toContain("/built/app/libggml-cuda.so lacks sm_120; it carries sm_90");
    const built = run("build", "-t", "localhost/t:120", context(120));
    expect([built.code, built.said]).toEqual([
      0,
      expect.stringContaining("Successfully tagged localhost/t:120"),
    ]);
  });

  it.skipIf(!buildah)(`tells a finished image without the architecture from one with it${skipped}`, () => {
    const check = (version: number): ReturnType<typeof run> => {
      const folder = context(version);
      const image = `localhost/finished:${version}`;
      expect(run("build", "-t", image, "-f", join(folder, "plain.Dockerfile"), folder).code).toBe(0);
      return run(
        "build",
        "--build-arg",
        `IMAGE=${image}`,
        "--build-arg",
        `OMNI_IMAGE=${READER}`,
        "-f",
        join(folder, "verify.Dockerfile"),
        folder,
      );
    };
    const refused = check(90);
    expect([refused.code === 0, refused.said]).toEqual([false, expect.stringContaining("lacks sm_120")]);
    expect(check(120)).toMatchObject({ code: 0 });
  });
});
