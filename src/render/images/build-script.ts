import type { Deployment } from "../../deployment/index.ts";
import { hashComment, shellCommand, shellWord } from "../escape/shell.ts";
import { architectureLists } from "./architecture-lists.ts";
import { BUILD_FUNCTIONS } from "./build-functions.ts";
import type { ImageFiles } from "./image-files.ts";
import { buildVariables } from "./instructions.ts";
import { readerImage } from "./verification.ts";

/** `images/build.sh`: builds, verifies, tags and pushes every image, here or on the host that the spec names. */
export function buildScript(deployment: Deployment, images: readonly ImageFiles[]): string {
  const names = images.map(({ build }) => shellWord(build.name));
  return [
    "#!/usr/bin/env bash",
    hashComment(
      [
        `Images of ${deployment.name}: builds each, looks into the result with Omni's own reader, and only then tags and pushes it. Rendered by Omni from omni.yaml.`,
        "Run it as often as needed: an image whose recipe has not changed since it was verified is not built again.",
        "  ./build.sh [--dry-run] [--force] [--no-push] [--recipe omni|owner] [--omni-source DIR] [NAME...]",
        "--recipe omni takes Omni's recipe where the spec names the owner's Dockerfile, owner insists on the owner's; without it the owner's is taken where it exists.",
        "--omni-source names the folder of Omni's repository, for Omni's own image; OMNI_SOURCE does too.",
      ].join("\n"),
    ),
    "set -euo pipefail",
    "",
    'here=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)',
    `remote_folder=${shellWord(`.omni-images/${deployment.name.replaceAll(/[^\w.-]+/g, "-")}`)}`,
    `omni_image=${shellWord(readerImage(deployment))}`,
    "",
    BUILD_FUNCTIONS,
    "",
    ...images.flatMap((files, index) => [imageFunction(files, index), ""]),
    "build_named() {",
    "  case $1 in",
    ...images.map(({ build }, index) => `  ${shellWord(build.name)}) image_${index + 1} ;;`),
    '  *) fail "There is no image named $1." ;;',
    "  esac",
    "}",
    "",
    `[ \${#selected[@]} -gt 0 ] || selected=(${names.join(" ")})`,
    'for one in "${selected[@]}"; do build_named "$one"; done',
    "",
  ].join("\n");
}

const assignment = (name: string, value: string): string => `  ${name}=${shellWord(value)}`;

const list = (name: string, words: readonly string[]): string =>
  `  ${name}=(${words.length === 0 ? "" : shellCommand(words)})`;

/** Sets the variables that `build_image` reads, and calls it. */
function imageFunction({ build, folder, recipe, verification }: ImageFiles, index: number): string {
  const { plain, secrets } = buildVariables(build);
  const lists = architectureLists(build.cudaArchitectures);
  const ownerArguments = {
    ...plain,
    ...(lists.cmake === "" ? {} : { CMAKE_CUDA_ARCHITECTURES: lists.cmake }),
    ...(lists.torch === "" ? {} : { TORCH_CUDA_ARCH_LIST: lists.torch }),
  };
  return [
    hashComment(`${build.name}: asked for by ${build.path}.`),
    `image_${index + 1}() {`,
    assignment("name", build.name),
    assignment("kind", build.kind),
    assignment("tag", build.tag),
    assignment("builder", build.builder),
    assignment("folder", folder),
    assignment("recipe", recipe ?? ""),
    assignment("verification", verification ?? ""),
    assignment("owner_file", build.dockerfile ?? ""),
    assignment("owner_context", build.context ?? ""),
    assignment("push_to", build.push?.address ?? ""),
    assignment("insecure", build.push?.insecure === true ? "yes" : "no"),
    list("ssh_target", build.host === undefined ? [] : sshTarget(build.host)),
    list("network", build.network === "default" ? [] : ["--network", build.network]),
    list(
      "owner_arguments",
      Object.entries(ownerArguments).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ),
    list(
      "secrets",
      secrets.flatMap(({ name, from }) => [
        "--secret",
        from.env === undefined ? `id=${name},src=${from.file ?? ""}` : `id=${name},env=${from.env}`,
      ]),
    ),
    "  build_image",
    "}",
  ].join("\n");
}

/** `user@host:port` as arguments of ssh. */
function sshTarget(host: string): readonly string[] {
  const match = /^(.*):(\d{1,5})$/.exec(host);
  return match === null ? ["--", host] : ["-p", match[2] ?? "22", "--", match[1] ?? host];
}
