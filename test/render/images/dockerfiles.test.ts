import { DockerfileParser } from "dockerfile-ast";
import { beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../../../src/deployment/index.ts";
import { referenceDeployment, REFERENCE_SYSTEMS } from "../deployments.ts";
import { execWords, parsedDockerfile, renderedImages, withImages } from "./rendered-images.ts";

let bunker: Deployment;
let leviathan: Deployment;
beforeAll(async () => {
  bunker = await referenceDeployment("concrete-bunker");
  leviathan = await referenceDeployment("leviathan");
});

const textOf = (deployment: Deployment, path: string): string =>
  renderedImages(deployment).files.get(path) ?? "";

describe("images of the reference systems", () => {
  it.each(REFERENCE_SYSTEMS)(
    "%s: bases are pinned by digest, or the owner's; the same bytes twice",
    async (name) => {
      const deployment = await referenceDeployment(name);
      const { files } = renderedImages(deployment);
      expect([...renderedImages(deployment).files]).toEqual([...files]);
      expect(files.size).toBeGreaterThan(3);
      const owned = new Set(deployment.images.flatMap(({ base }) => base ?? []));
      for (const [path, text] of files) {
        expect([path, text.endsWith("\n") && !text.endsWith("\n\n")]).toEqual([path, true]);
        if (!/Dockerfile(?:\.\w+)?$/.test(path) || path.endsWith(".dockerignore")) continue;
        const dockerfile = DockerfileParser.parse(text);
        const stages = new Set(dockerfile.getFROMs().map((from) => from.getBuildStage()));
        for (const image of dockerfile.getFROMs().map((from) => from.getImage() ?? "")) {
          const pinned = /@sha256:[0-9a-f]{64}$/.test(image);
          expect([
            path,
            image,
            pinned || image.startsWith("${") || stages.has(image) || owned.has(image),
          ]).toEqual([path, image, true]);
        }
      }
    },
  );

  it("concrete-bunker: compiles llama.cpp for 12.0 with the owner's flags last and in order", () => {
    const text = textOf(bunker, "images/blackwell/Dockerfile.blackwell");
    const flags = [...text.matchAll(/^ +(-D\S+)/gm)].map(([, flag]) => flag);
    expect(flags.slice(-4)).toEqual([
      "-DGGML_CUDA=ON",
      "-DCMAKE_CUDA_ARCHITECTURES=120",
      "-DGGML_CUDA_FORCE_DMMV=ON",
      "-DCMAKE_BUILD_TYPE=Release",
    ]);
    expect(flags.filter((flag) => flag?.startsWith("-DGGML_CUDA="))).toHaveLength(1);
    expect(text).toContain("7fe450e19305b828c199d602c23a8337aaa1f03b");
    expect(text).toMatch(
      /^FROM docker.io\/nvidia\/cuda:12\.8\.1-devel-ubuntu24\.04@sha256:\w{64} AS build$/m,
    );
    expect(renderedImages(bunker).messages).toContainEqual(
      expect.stringMatching(/^warning render.not-applicable .*GGML_CUDA_FORCE_DMMV.*no effect/),
    );
  });

  it("puts the driver's libraries first, runs without root, and ends in a stage that depends on the check", () => {
    const dockerfile = parsedDockerfile(bunker, "images/blackwell/Dockerfile.blackwell");
    const last = dockerfile
      .getInstructions()
      .slice(dockerfile.getInstructions().findLastIndex((one) => one.getKeyword() === "FROM"));
    const environment = dockerfile.getENVs().flatMap((env) => env.getProperties());
    expect(environment.find((one) => one.getName() === "LD_LIBRARY_PATH")?.getValue()).toMatch(
      /^\/usr\/lib\/x86_64-linux-gnu:\/usr\/local\/nvidia\/lib64:.*\/usr\/local\/cuda\/lib64$/,
    );
    expect(last.find((one) => one.getKeyword() === "USER")?.getArgumentsContent()).toBe("10001");
    expect(last.some((one) => one.getKeyword() === "COPY" && one.toString().includes("--from=verify"))).toBe(
      true,
    );
    expect(last.find((one) => one.getKeyword() === "EXPOSE")?.getArgumentsContent()).toBe("9931");
  });

  it("leviathan: builds KTransformers 0.7.0 into the owner's base, under the owner's file name, and looks into PyTorch", () => {
    const path = "images/leviathan/Dockerfile.leviathan";
    const text = textOf(leviathan, path);
    expect(text).toContain("FROM 192.168.3.10:5000/omni/engine:bleeding-edge-v2 AS build");
    expect(text).toContain("e80614fc2d2c3990bd1abe895d5014fc14733fde");
    expect(text).toContain('ENV TORCH_CUDA_ARCH_LIST="9.0a 10.0"');
    expect(text).toContain('ENV CPUINFER_CUDA_ARCHS="90a-real;100-real"');
    expect(text).toContain('ENV ENABLE_DEEPGEMM="1"');
    const checks = execWords(parsedDockerfile(leviathan, path)).filter(([program]) => program === "./omni");
    expect(checks.map((words) => words.slice(4).join(" "))).toEqual([
      "--only **/libtorch_cuda.so --require 9.0 --require 10.0",
      "--only **/sgl_kernel/sm90/*.so --require 9.0",
      "--only **/sgl_kernel/sm100/*.so --require 10.0",
    ]);
    const { messages } = renderedImages(leviathan);
    expect(messages).toContainEqual(expect.stringContaining("bleeding-edge-v2"));
    expect(messages).toContainEqual(expect.stringMatching(/ktransformers\.server\.main.*no longer installs/));
  });

  it("Omni's own image installs what is locked, runs as node and answers for its health", () => {
    const text = textOf(bunker, "images/omni/Dockerfile");
    expect(text).toContain("npm ci --omit=dev --ignore-scripts");
    expect(text).toMatch(/^USER node$/m);
    expect(text).toMatch(/^ENTRYPOINT \["\.\/omni"\]$/m);
    expect(text).toMatch(new RegExp(`^EXPOSE ${bunker.gateway.port}$`, "m"));
    expect(text).toContain('VOLUME ["/var/lib/omni"]');
  });
});

describe("pins and architectures", () => {
  const messages = (build: Parameters<typeof withImages>[1][number]): string =>
    renderedImages(withImages(bunker, [build])).messages.join("\n");

  it("says when the owner's commit, version or repository can move", () => {
    expect(messages({})).toBe("");
    expect(messages({ version: "b11146" })).toBe("");
    expect(messages({ commit: "7fe450e19305b828c199d602c23a8337aaa1f03b" })).toBe("");
    expect(messages({ commit: "master" })).toMatch(
      /^warning render.unpinned engines.engine.build.commit .*"master"/,
    );
    expect(messages({ version: "b9000" })).toContain('"b9000"');
    expect(messages({ repository: "https://git.example/fork.git" })).toContain("default branch");
  });

  it("asks for a base where no pinned toolkit serves the cards", () => {
    expect(messages({ cudaArchitectures: ["10.7"] })).toMatch(
      /^error render.needs-value engines.engine.build.base/,
    );
    expect(messages({ cudaArchitectures: ["native"] })).toContain('"native" is no architecture');
  });

  it("warns when a flag compiles for other cards than are checked for", () => {
    const build = { cudaArchitectures: ["12.0"], flags: { CMAKE_CUDA_ARCHITECTURES: "90" } };
    expect(messages(build)).toContain("the check at the end of the build will fail");
  });

  it("builds for processors alone without CUDA and without the reader", () => {
    const deployment = withImages(bunker, [{ cudaArchitectures: [] }]);
    const text = textOf(deployment, "images/engine/Dockerfile");
    expect(text).toContain("-DGGML_CUDA=OFF");
    expect(text).not.toMatch(/nvidia|verify/);
    expect(textOf(deployment, "images/engine/verify.Dockerfile")).toContain(
      'RUN ["llama-server", "--version"]',
    );
  });

  it("says that it has no recipe, and takes the owner's Dockerfile where one is named", () => {
    expect(messages({ kind: "tensorrt-llm" })).toMatch(/^error render.not-applicable .*no recipe/);
    const owned = { kind: "tensorrt-llm", dockerfile: "/srv/trt/Dockerfile" };
    expect(messages(owned)).toBe("");
    expect(textOf(withImages(bunker, [owned]), "images/build.sh")).toContain(
      "owner_file=/srv/trt/Dockerfile",
    );
  });

  it.each(["vllm", "sglang", "comfyui", "ktransformers"])(
    "%s from source: pinned, checked, in a virtual environment",
    (kind) => {
      const text = textOf(withImages(bunker, [{ kind }]), "images/engine/Dockerfile");
      expect(text).toMatch(/git fetch -q --depth 1 -- https:\/\/github.com\/\S+ [0-9a-f]{40} /);
      expect(text).toContain('COPY --from=verify ["/verified", "/etc/omni-verified"]');
      expect(text).toContain("USER 10001");
      expect(text).toContain('"--require", "12.0"');
    },
  );
});
