import { NODE_BASE } from "../../catalog/index.ts";
import type { Deployment, ImageBuild } from "../../deployment/index.ts";
import { healthScript } from "../documents/health-script.ts";
import { dockerfileValue, execForm } from "../escape/dockerfile.ts";
import { dockerfile, envLines, installPackages, run, section } from "./instructions.ts";
import { buildVariables } from "./instructions.ts";
import { fromImage } from "./recipe.ts";

/** What of Omni's repository is in its image, folder by folder. */
const CONTENTS = ["package.json", "package-lock.json", "omni", "src", "demo"];

/** Omni itself: gateway, tools and the reader of binaries. The context is Omni's own repository. */
export function omniRecipe(deployment: Deployment, build: ImageBuild): string {
  const { port } = deployment.gateway;
  const base = build.base ?? NODE_BASE.image;
  const place = build.base === undefined ? "catalog" : `${build.path}.base`;
  const health = healthScript(port);
  return dockerfile([
    section(
      "Image of Omni itself: the gateway, the tool gateway, and the reader that checks the engines' images. Rendered by Omni from omni.yaml; built by ../build.sh with Omni's repository as context.",
    ),
    section(
      "Exactly the dependencies of package-lock.json, without those of development.",
      fromImage(base, place, "dependencies"),
      "WORKDIR /opt/omni",
      'COPY ["package.json", "package-lock.json", "./"]',
      run(["npm ci --omit=dev --no-audit --no-fund"]),
    ),
    section(
      "What runs. The user node of the base (1000) owns the state folder and nothing else.",
      fromImage(base, place),
      ...(build.packages.length === 0 ? [] : [installPackages([], build)]),
      "WORKDIR /opt/omni",
      'COPY --from=dependencies ["/opt/omni/node_modules/", "node_modules/"]',
      'COPY ["package.json", "omni", "./"]',
      'COPY ["src/", "src/"]',
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
    ...CONTENTS.map((name) => `!${name}`),
    "demo/*",
    "!demo/omni-demo.gguf",
    "**/*.test.ts",
    "",
  ].join("\n");
