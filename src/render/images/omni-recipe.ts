import { NODE_BASE } from "../../catalog/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import { healthScript } from "../documents/health-script.ts";
import { dockerfileValue, execForm } from "../escape/dockerfile.ts";
import { dockerfile, envLines, installPackages, run, section } from "./instructions.ts";
import { buildVariables } from "./instructions.ts";
import { fromImage } from "./recipe.ts";

/** The lock of Omni's dependencies: in its repository, and in its package, which npm lets carry no other name. */
export const OMNI_LOCKS = ["package-lock.json", "npm-shrinkwrap.json"] as const;
/** What of Omni's repository, or of its package, is in its image beside the lock. */
export const OMNI_PARTS = ["package.json", "omni", "src", "dist/console", "demo/omni-demo.gguf"] as const;

/** Omni itself: gateway, tools, console and the reader of binaries. The context is Omni's own repository or package. */
export function omniRecipe(deployment: Deployment, build: ImageBuild): string {
  const { port } = deployment.gateway;
  const base = build.base ?? NODE_BASE.image;
  const place = build.base === undefined ? "catalog" : `${build.path}.base`;
  const health = healthScript(port);
  return dockerfile([
    section(
      "Image of Omni itself: the gateway, the tool gateway, the console, and the reader that checks the engines' images. Rendered by Omni; its context is Omni's repository after npm ci, or its unpacked package.",
    ),
    section(
      "Exactly the dependencies of the lock, whichever of its two names it has, without those of development and without llama.cpp for cards: engines with cards have images of their own. No script of a package runs.",
      fromImage(base, place, "dependencies"),
      "WORKDIR /opt/omni",
      'COPY ["package.json", "*-*.json", "./"]',
      run([
        // The package's lock has nothing of development, and npm ci wants all that package.json names.
        "npm pkg delete devDependencies",
        "npm ci --omit=dev --ignore-scripts --no-audit --no-fund",
        "rm -rf node_modules/@node-llama-cpp/*-cuda* node_modules/@node-llama-cpp/*-vulkan",
      ]),
    ),
    section(
      "What runs. The user node of the base (1000) owns the state folder and nothing else.",
      fromImage(base, place),
      ...(build.packages.length === 0 ? [] : [installPackages([], build)]),
      "WORKDIR /opt/omni",
      'COPY --from=dependencies ["/opt/omni/node_modules/", "node_modules/"]',
      'COPY ["package.json", "omni", "./"]',
      'COPY ["src/", "src/"]',
      'COPY ["dist/console/", "dist/console/"]',
      'COPY ["demo/omni-demo.gguf", "demo/"]',
      run(["install -d -o node -g node /var/lib/omni"]),
      "ENV NODE_ENV=production OMNI_STATE=/var/lib/omni",
      ...envLines(buildVariables(build).plain, `${build.path}.environment`),
      'VOLUME ["/var/lib/omni"]',
      "USER node",
      `EXPOSE ${port}`,
      `HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ${execForm(["node", "-e", health])}`,
      `LABEL org.opencontainers.image.title="omni" org.opencontainers.image.version=${dockerfileValue(build.version ?? "", build.path)}`,
      'ENTRYPOINT ["./omni"]',
      'CMD ["up"]',
    ),
  ]);
}

/** What the builder is sent of Omni's repository: its installed packages would be gigabytes for nothing. */
export const omniIgnoreFile = (): string =>
  [
    "# What of Omni's repository goes to the builder; read beside its Dockerfile by BuildKit, by --ignorefile in buildah.",
    "*",
    ...[...OMNI_LOCKS, ...OMNI_PARTS].flatMap(admitted),
    "**/*.test.ts",
    "",
  ].join("\n");

/** Lines that let one path through: its folders too, and what else is in these again not. */
function admitted(path: string): readonly string[] {
  const slash = path.lastIndexOf("/");
  if (slash === -1) return [`!${path}`];
  const folder = path.slice(0, slash);
  return [`!${folder}`, `${folder}/*`, `!${path}`];
}
