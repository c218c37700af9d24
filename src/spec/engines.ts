import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { atMostOne } from "./scalars/choice.ts";
import { cudaArchitecture, image, labelName, path, text, url, version } from "./scalars/identities.ts";
import { duration } from "./scalars/quantities.ts";
import { environment, secret } from "./scalars/secret.ts";

const build = z
  .strictObject({
    base: image().optional().describe("Base image."),
    dockerfile: path("docker/Dockerfile.leviathan")
      .optional()
      .describe("Dockerfile of your own instead of the rendered one."),
    context: path("/root/docker").optional().describe("Build context folder."),
    repository: url(["https", "git", "ssh"], "https://github.com/ggml-org/llama.cpp")
      .optional()
      .describe("Source repository."),
    commit: text("a commit or tag", "b7710").optional().describe("Commit or tag of the source."),
    cudaArchitectures: z
      .array(cudaArchitecture())
      .min(1)
      .optional()
      .describe("CUDA architectures to compile for."),
    flags: z
      .record(text("a build flag", "GGML_CUDA"), z.union([z.string(), z.int(), z.boolean()]))
      .optional()
      .describe("Flags of the build system (CMake -D and the like)."),
    environment: environment().optional().describe("Environment of the build."),
    packages: z
      .array(text("a package", "libcurl4-openssl-dev"))
      .optional()
      .describe("Extra packages to install."),
    network: z
      .enum(["default", "host", "none"])
      .optional()
      .describe("Network of the build.")
      .meta({ default: "default" }),
    tag: image().optional().describe("Name of the built image."),
    push: z
      .union([labelName(), z.literal(false)])
      .optional()
      .describe("Registry of the guest that the image is pushed to; false keeps it local."),
    builder: z
      .enum(["docker", "buildah"])
      .optional()
      .describe("Tool that builds.")
      .meta({ default: "docker" }),
    host: text("user@host[:port]", "root@192.168.3.10")
      .optional()
      .describe("Machine that builds; this one when absent."),
    timeout: duration().optional().describe("Longest build.").meta({ default: "2h" }),
  })
  .check(atMostOne(["dockerfile", "repository"]));

const engineObject = z.strictObject({
  kind: text("an engine kind", "llama.cpp").describe("Kind of engine."),
  version: version().optional().describe("Version of the engine."),
  image: image().optional().describe("Container image; pin it by tag and digest."),
  binary: path("/usr/local/bin/llama-server")
    .optional()
    .describe("Program to run on the process runtime; found on PATH when absent."),
  build: build.optional().describe("How Omni builds the image."),
  architectures: z
    .array(cudaArchitecture())
    .min(1)
    .optional()
    .describe("CUDA architectures compiled into it, when known."),
  url: url(["https", "http"], "https://api.moonshot.ai/v1")
    .optional()
    .describe("Base URL of a remote engine."),
  apiKey: secret().optional().describe("API key of a remote engine."),
  arguments: z
    .array(z.union([z.string(), z.int()]))
    .optional()
    .describe("Extra arguments for every service of this engine."),
  environment: environment().optional().describe("Environment for every service of this engine."),
  entrypoint: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Entry point instead of the engine's own."),
  kvCacheOffload: z
    .enum(["native", "lmcache"])
    .optional()
    .describe("How the engine offloads its KV cache to memory."),
});

/** Engines by name: a text is the kind alone. */
export const engineSchema = shorthand(text("an engine kind", "llama.cpp"), engineObject, (kind) => ({
  kind,
}));
