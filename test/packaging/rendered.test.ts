import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerfileParser } from "dockerfile-ast";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { renderedPackaging } from "../../scripts/package/rendered-packaging.ts";
import { ROOT } from "../e2e/run-node.ts";
import { hasDefinitions, readObjects, StrictKubernetes } from "../render/strict-kubernetes.ts";
import { hasSystemd, unitComplaints } from "../render/systemd/real-systemd.ts";

const read = (path: string): string => readFileSync(join(ROOT, "packaging", path), "utf8");
const works = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;
const hasBuildah = process.getuid?.() === 0 && works("buildah", "--version");
const hasKubectl = works("kubectl", "version", "--client");

describe("packaging/", () => {
  it("is what the renderers make of its specs", async () => {
    for (const { path, content } of await renderedPackaging(ROOT))
      expect([path, readFileSync(join(ROOT, path), "utf8")]).toEqual([path, content]);
  });
});

describe("the Dockerfile", () => {
  const instructions = DockerfileParser.parse(read("docker/Dockerfile")).getInstructions();
  const valuesOf = (keyword: string): readonly string[] =>
    instructions
      .filter((one) => one.getKeyword() === keyword)
      .map((one) =>
        one
          .getArguments()
          .map((argument) => argument.getValue())
          .join(" "),
      );

  it("runs as a user without rights, asks for health, and pins its bases by digest", () => {
    expect(valuesOf("USER")).toEqual(["node"]);
    expect(valuesOf("HEALTHCHECK").join(" ")).toContain("/healthz");
    for (const base of valuesOf("FROM")) expect(base).toMatch(/^docker\.io\/\S+:[\w.-]+@sha256:[0-9a-f]{64}/);
  });

  it("copies what its context lets through, and all of it is there", () => {
    const ignored = read("docker/Dockerfile.dockerignore");
    for (const part of [
      "src",
      "omni",
      "package.json",
      "package-lock.json",
      "demo/omni-demo.gguf",
      "dist/console",
    ])
      expect(ignored.split("\n")).toContain(`!${part}`);
    expect(valuesOf("COPY").join("\n")).toContain("dist/console/");
  });
});

/** Paths below /opt/omni of an image that is made of the recipe's copies from its context, and of nothing else. */
function copiedFromContext(recipe: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "omni-context-"));
  try {
    const copies = recipe.split("\n").filter((line) => /^(?:WORKDIR|COPY \[)/.test(line));
    writeFileSync(join(folder, "Dockerfile"), `${["FROM scratch", ...copies].join("\n")}\n`);
    const store = ["--storage-driver=vfs", `--root=${folder}/root`, `--runroot=${folder}/run`];
    const ignore = `--ignorefile=${join(ROOT, "packaging/docker/Dockerfile.dockerignore")}`;
    const words = [
      ...store,
      "build",
      "--isolation=chroot",
      ignore,
      `--file=${folder}/Dockerfile`,
      "--tag=copied",
      ROOT,
    ];
    const { status, stderr } = spawnSync("buildah", words, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return readdirSync(join(folder, "root/vfs/dir"), { recursive: true, encoding: "utf8" }).flatMap(
      (path) => /\/opt\/omni\/(.+)$/.exec(path)?.[1] ?? [],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("the context of the image", () => {
  it.skipIf(!hasBuildah)("has what is copied, and nothing of development (needs buildah and root)", () => {
    const paths = new Set(copiedFromContext(read("docker/Dockerfile")));
    for (const path of [
      "omni",
      "package-lock.json",
      "src/cli/main.ts",
      "demo/omni-demo.gguf",
      "dist/console/index.html",
    ])
      expect([path, paths.has(path)]).toEqual([path, true]);
    expect(
      [...paths].filter((path) => /\.test\.ts$|^test|node_modules|^dist\/(?!console)/.test(path)),
    ).toEqual([]);
  });
});

describe("the kustomize base", () => {
  const objects = ["00-namespace.yaml", "gateway.yaml"].flatMap((name) =>
    readObjects(read(`kubernetes/base/${name}`)),
  );

  it("holds the gateway with its config, store, services and a namespace that is restricted", () => {
    expect(objects.map(({ kind }) => kind)).toEqual([
      "Namespace",
      "ConfigMap",
      "PersistentVolumeClaim",
      "Deployment",
      "Service",
      "Service",
    ]);
    expect(objects[0]).toMatchObject({
      metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    expect(parse(read("kubernetes/base/kustomization.yaml"))).toMatchObject({
      resources: ["00-namespace.yaml", "gateway.yaml"],
    });
  });

  it("refers to its key and holds none", () => {
    expect(read("kubernetes/base/gateway.yaml")).toContain("secretKeyRef");
    expect(read("kubernetes/base/gateway.yaml")).not.toMatch(/^kind: Secret$/m);
  });

  it.skipIf(!hasDefinitions)("is what Kubernetes takes, key for key (needs ../shared/schemas)", () => {
    const strict = new StrictKubernetes();
    expect(objects.flatMap((object) => strict.errors(object))).toEqual([]);
  });

  it.skipIf(!hasKubectl)("is built by kustomize (needs kubectl)", () => {
    const { status, stdout, stderr } = spawnSync(
      "kubectl",
      ["kustomize", join(ROOT, "packaging/kubernetes/base")],
      {
        encoding: "utf8",
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(parseAllDocuments(stdout)).toHaveLength(objects.length);
  });
});

describe("the unit", () => {
  it("is hardened and restarted, and keeps its state where systemd makes it", () => {
    const lines = read("systemd/omni.service").split("\n");
    for (const line of ["DynamicUser=yes", "ProtectSystem=strict", "Restart=always", "StateDirectory=omni"])
      expect(lines).toContain(line);
  });

  it.skipIf(!hasSystemd)("passes systemd-analyze verify (skipped where systemd is not installed)", () => {
    const names = ["omni.service", "omni.target", "omni.slice"];
    const units = Object.fromEntries(names.map((name) => [name, read(`systemd/${name}`)]));
    expect(unitComplaints(units)).toEqual([]);
  });
});
