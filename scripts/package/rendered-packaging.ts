import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makePlan } from "../../src/cli/make-plan.ts";
import { deploymentOf } from "../../src/cli/make-deployment.ts";
import { readLocated } from "../../src/cli/node-spec.ts";
import { renderNode } from "../../src/render/index.ts";
import type { RenderedFile, TargetName } from "../../src/render/index.ts";

/** A spec below `packaging/`, and where what it renders to lies there, by the beginning of the rendered path. */
interface PackagingSpec {
  readonly spec: string;
  readonly targets: readonly TargetName[];
  readonly folders: Readonly<Record<string, string>>;
}

const SPECS: readonly PackagingSpec[] = [
  {
    spec: "packaging/kubernetes/omni.yaml",
    targets: ["kubernetes", "images"],
    folders: {
      "kubernetes/omni/": "packaging/kubernetes/base/",
      "images/omni/Dockerfile": "packaging/docker/Dockerfile",
    },
  },
  {
    spec: "packaging/systemd/omni.yaml",
    targets: ["systemd"],
    folders: { "systemd/": "packaging/systemd/" },
  },
];

export interface PackagingFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly content: string;
  readonly mode: RenderedFile["mode"];
}

/** Dockerfile, kustomize base and units as the renderers of `omni render` make them. Throws where a spec is refused. */
export async function renderedPackaging(root: string): Promise<readonly PackagingFile[]> {
  const files = await Promise.all(SPECS.map((spec) => rendered(root, spec)));
  return files.flat();
}

async function rendered(
  root: string,
  { spec, targets, folders }: PackagingSpec,
): Promise<readonly PackagingFile[]> {
  const file = join(root, spec);
  const { located, diagnostics } = readLocated(readFileSync(file), "omni.yaml", dirname(file));
  if (located === undefined)
    throw new Error(`${spec}: ${diagnostics.map(({ message }) => message).join(" ")}`);
  const plan = await makePlan(located, { online: false });
  const node = renderNode(deploymentOf(located, plan, new Map()), targets);
  return node.files.flatMap(({ path, content, mode }) => {
    const found = Object.entries(folders).find(([from]) => path.startsWith(from));
    return found === undefined ? [] : [{ path: path.replace(found[0], found[1]), content, mode }];
  });
}
