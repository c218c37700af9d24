import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Deployment } from "../../../src/deployment/index.ts";
import { ROOT, temporaryFolder } from "../../e2e/run-node.ts";
import { referenceDeployment } from "../deployments.ts";
import { renderedImages, withImages } from "./rendered-images.ts";

const home = temporaryFolder();
afterAll(() => home.remove());

/**
 * A Docker that remembers: every call goes to a log, labels of what it built are kept by tag, and it fails where the
 * file `fail` names a word of the call.
 */
const FAKE_DOCKER = String.raw`#!/bin/sh
state=$(dirname -- "$0")/../state
printf '%s ' "$(basename -- "$0")" "$@" >>"$state/log"
printf '\n' >>"$state/log"
case "$1 $4" in "image {{ .Id }}") [ -n "$REMOTE" ] || echo id-of-here; exit 0 ;; esac
case "$1 $2" in
"buildx version") [ ! -f "$state/no-buildx" ] || exit 1 ;;
"image inspect") cat "$state/label-$(printf %s "$5" | tr '/:' '__')" 2>/dev/null || exit 1 ;;
esac
if [ -f "$state/fail" ] && printf '%s ' "$@" | grep -q -F -- "$(cat "$state/fail")"; then exit 1; fi
case "$1" in
build)
  while [ $# -gt 0 ]; do
    case $1 in --label) label=${"${2#io.omni.recipe=}"} ;; -t) tag=$2 ;; esac
    shift
  done
  [ -z "$label" ] || printf '%s\n' "$label" >"$state/label-$(printf %s "$tag" | tr '/:' '__')"
  ;;
tag) cp "$state/label-$(printf %s "$2" | tr '/:' '__')" "$state/label-$(printf %s "$3" | tr '/:' '__')" ;;
esac
`;

/** ssh that runs the command in a folder of its own, as a host would in the user's home. */
const FAKE_SSH = String.raw`#!/bin/sh
state=$(dirname -- "$0")/../state
printf 'ssh ' >>"$state/log"
while [ "$1" != -- ]; do printf '%s ' "$1" >>"$state/log"; shift; done
printf '%s\n' "$2" >>"$state/log"
mkdir -p "$state/remote"
export REMOTE=yes
cd "$state/remote" && exec sh -c "$3"
`;

let bunker: Deployment;
let leviathan: Deployment;
let round = 0;
let place = "";
beforeAll(async () => {
  bunker = await referenceDeployment("concrete-bunker");
  leviathan = await referenceDeployment("leviathan");
});
beforeEach(() => {
  place = join(home.path, `round-${++round}`);
  for (const folder of ["bin", "state"]) mkdirSync(join(place, folder), { recursive: true });
  for (const [name, text] of [
    ["docker", FAKE_DOCKER],
    ["buildah", FAKE_DOCKER],
    ["ssh", FAKE_SSH],
  ] as const) {
    writeFileSync(join(place, "bin", name), text);
    chmodSync(join(place, "bin", name), 0o755);
  }
});

function writeOut(deployment: Deployment): void {
  for (const [path, content] of renderedImages(deployment).files) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), content);
    if (path.endsWith(".sh")) chmodSync(join(place, path), 0o755);
  }
}

/** Runs the rendered script as its owner would, with Omni's own repository as source. */
function build(...args: string[]): {
  readonly code: number | null;
  readonly said: string;
  readonly calls: readonly string[];
} {
  const log = join(place, "state", "log");
  writeFileSync(log, "");
  const done = spawnSync(join(place, "images", "build.sh"), args, {
    cwd: place,
    encoding: "utf8",
    env: { PATH: `${join(place, "bin")}:/usr/bin:/bin`, OMNI_SOURCE: ROOT },
  });
  const calls = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !/image inspect|buildx version/.test(line));
  return { code: done.status, said: done.stderr, calls };
}

const verbs = (calls: readonly string[]): readonly string[] =>
  calls.map((call) => (call.includes("verify.Dockerfile") ? "verify" : (call.split(" ")[1] ?? "")));

const pushed = (deployment: Deployment): Deployment => ({
  ...deployment,
  images: deployment.images.map((image) => ({
    ...image,
    push: { registry: "local", address: "registry:5000", insecure: true },
  })),
});

describe("build.sh", () => {
  it("builds, verifies, tags and pushes, in this order, Omni's own image first", () => {
    writeOut(pushed(bunker));
    const { code, calls } = build();
    expect(code).toBe(0);
    expect(verbs(calls)).toEqual(["build", "verify", "tag", "push", "build", "verify", "tag", "push"]);
    expect(calls[0]).toContain(`images/omni/Dockerfile -t ${bunker.gateway.image}-unverified ${ROOT}`);
    expect(calls[4]).toContain("images/blackwell/Dockerfile.blackwell -t omni/llama-cpp:sm120-unverified");
    expect(calls[4]).toContain(`--build-arg OMNI_IMAGE=${bunker.gateway.image}`);
    expect(calls[5]).toContain("--build-arg IMAGE=omni/llama-cpp:sm120-unverified");
    expect(calls[6]).toBe("docker tag omni/llama-cpp:sm120-unverified omni/llama-cpp:sm120 ");
    expect(calls[7]).toBe("docker push omni/llama-cpp:sm120 ");
  });

  it("neither tags nor pushes what fails the check", () => {
    writeOut(pushed(bunker));
    writeFileSync(join(place, "state", "fail"), "blackwell/verify.Dockerfile");
    const { code, calls, said } = build("blackwell");
    expect([code, verbs(calls)]).toEqual([1, ["build", "verify"]]);
    expect(said).toContain("omni/llama-cpp:sm120 is left as it was");
  });

  it("goes on where it stopped: what is verified is not built again, only pushed", () => {
    writeOut(pushed(bunker));
    writeFileSync(join(place, "state", "fail"), "push");
    const failed = build("blackwell");
    expect([failed.code, verbs(failed.calls)]).toEqual([1, ["build", "verify", "tag", "push"]]);
    expect(failed.said).toContain('"insecure-registries": ["registry:5000"]');
    writeFileSync(join(place, "state", "fail"), "nothing");
    expect(verbs(build("blackwell").calls)).toEqual(["push"]);
    expect(verbs(build("blackwell", "--no-push").calls)).toEqual([]);
    expect(verbs(build("--force", "blackwell").calls)).toEqual(["build", "verify", "tag", "push"]);
    writeOut(
      pushed(
        withImages(bunker, [
          { ...bunker.images.find(({ name }) => name === "blackwell"), packages: ["ccache"] },
        ]),
      ),
    );
    expect(verbs(build("blackwell").calls)).toEqual(["build", "verify", "tag", "push"]);
  });

  it("shows every command and does nothing with --dry-run", () => {
    writeOut(pushed(bunker));
    const { code, calls, said } = build("--dry-run");
    expect([code, calls]).toEqual([0, []]);
    expect(said.match(/^\+ docker (?:build|tag|push)/gm)).toHaveLength(8);
  });

  it("takes the owner's Dockerfile where it exists, Omni's by name, and says so", () => {
    writeOut(bunker);
    expect(build("blackwell").said).toContain(
      "docker/Dockerfile.blackwell is not here; building Omni's recipe",
    );
    expect(build("--recipe", "owner", "blackwell").code).toBe(1);
    mkdirSync(join(place, "docker"));
    writeFileSync(join(place, "docker", "Dockerfile.blackwell"), "FROM scratch\n");
    const owned = build("blackwell");
    expect(owned.calls[0]).toMatch(
      /--build-arg CMAKE_CUDA_ARCHITECTURES=120 .*-f docker\/Dockerfile.blackwell -t \S+ docker $/,
    );
    expect(verbs(owned.calls)).toEqual(["build", "verify", "tag"]);
    expect(build("--recipe", "omni", "blackwell").calls[0]).toContain(
      "images/blackwell/Dockerfile.blackwell",
    );
  });

  it("sends itself to the host that builds, and goes on there", () => {
    writeOut(leviathan);
    const { code, calls } = build("leviathan");
    expect(code).toBe(0);
    expect(calls[0]).toBe("ssh root@192.168.3.10");
    const there = calls.filter((call) => call.startsWith("docker"));
    expect(verbs(there)).toEqual(["build", "verify", "tag", "push"]);
    expect(there[0]).toMatch(
      /^docker build --network host .*remote\/\.omni-images\/leviathan\/images\/leviathan\/Dockerfile.leviathan/,
    );
    expect(there[3]).toBe("docker push 192.168.3.10:5000/omni/engine:leviathan-blackwell ");
  });

  it("gives the host Omni's image, which the check there needs, where no registry has it", () => {
    writeOut(leviathan);
    const handed = (...args: string[]): readonly string[] =>
      build(...args).calls.filter((call) => /^docker (?:save|load)/.test(call));
    expect(handed("leviathan")).toEqual([]);
    const moved = handed("--no-push", "leviathan");
    expect(moved.toSorted()).toEqual(["docker load ", "docker save 192.168.3.10:5000/omni/node:1.2.3 "]);
    expect(build("--dry-run", "--no-push", "leviathan").said).toContain("omni/node:1.2.3 goes there");
  });

  it("speaks to buildah in its own words", () => {
    const push = { registry: "local", address: "r:5000", insecure: true };
    writeOut(withImages(bunker, [{ builder: "buildah", tag: "r:5000/x:1", push }]));
    const { code, calls } = build("engine");
    expect(code).toBe(0);
    expect(calls.at(-1)).toBe("buildah push --tls-verify=false r:5000/x:1 ");
    expect(calls.some((call) => call.startsWith("docker"))).toBe(false);
  });

  it("refuses what it does not know, and a Docker without BuildKit", () => {
    writeOut(bunker);
    writeFileSync(join(place, "state", "no-buildx"), "");
    expect(build("blackwell")).toMatchObject({
      code: 1,
      calls: [],
      said: expect.stringContaining("buildx is missing"),
    });
    expect(build("nothing")).toMatchObject({
      code: 1,
      said: expect.stringContaining("no image named nothing"),
    });
    expect(build("--fast").code).toBe(1);
    expect(build("--recipe").code).toBe(1);
    const help = spawnSync(join(place, "images", "build.sh"), ["--help"], { encoding: "utf8" });
    expect(help.stdout).toContain("--recipe omni takes Omni's recipe");
  });

  it("keeps hostile names and paths as words", () => {
    const part = fc.constantFrom(
      "'",
      '"',
      "$(id)",
      "`id`",
      "a b",
      "\\",
      "*",
      "-x",
      "\n",
      "ü",
      ";exit 7",
      "#",
    );
    const texts = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `x${parts.join("")}`);
    fc.assert(
      // A name goes into a label, which cannot hold a line break; a path of the script can.
      fc.property(
        texts.filter((text) => !text.includes("\n")),
        texts,
        (name, path) => {
          writeOut({
            ...withImages(bunker, [
              {
                name,
                dockerfile: `/none/${path}`,
                context: path,
                host: `root@${path.replaceAll("\n", "")}`,
                path,
              },
            ]),
            name,
          });
          const script = readFileSync(join(place, "images", "build.sh"), "utf8");
          const shown = script.replace(
            /^ {2}build_image$/gm,
            String.raw`  printf '%s\0' "$name" "$owner_file" "$owner_context" "${"${ssh_target[@]}"}"`,
          );
          writeFileSync(join(place, "shown.sh"), shown);
          const told = execFileSync("bash", [join(place, "shown.sh"), name], {
            encoding: "utf8",
            env: { PATH: "/usr/bin:/bin" },
          });
          expect(told.split("\0").slice(0, -1)).toEqual([
            name,
            `/none/${path}`,
            path,
            "--",
            `root@${path.replaceAll("\n", "")}`,
          ]);
        },
      ),
      { numRuns: 15 },
    );
  });
});
