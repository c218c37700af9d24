import { describe, expect, it } from "vitest";
import type { StepProgress } from "../step.ts";
import { watchBuild } from "./build-progress.ts";
import type { BuildFailure } from "./build-progress.ts";

const BUILDKIT = `#0 building with "default" instance using docker driver
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 2.11kB done
#1 DONE 0.0s
#5 [build 1/3] FROM docker.io/nvidia/cuda:12.8.1-devel-ubuntu24.04@sha256:4b9e
#5 CACHED
#6 [build 2/3] RUN git clone --depth 1 https://github.com/ggml-org/llama.cpp /src
#6 0.412 Cloning into '/src'...
#6 DONE 4.1s
#7 [stage-2 1/2] FROM docker.io/library/ubuntu:24.04
#7 DONE 1.0s
#8 [build 3/3] RUN cmake -B build -DGGML_CUDA=ON && cmake --build build
#8 1.201 -- The CUDA compiler identification is NVIDIA 12.8.93
#8 9.800 nvcc fatal   : Unsupported gpu architecture 'compute_120'
#8 ERROR: process "/bin/sh -c cmake -B build" did not complete successfully: exit code: 1
------
 > [build 3/3] RUN cmake -B build:
1.201 -- The CUDA compiler identification is NVIDIA 12.8.93
------
ERROR: failed to solve: process "/bin/sh -c cmake -B build" did not complete successfully: exit code: 1`;

const CLASSIC = `Sending build context to Docker daemon  4.096kB
Step 1/3 : FROM scratch
 --->
Step 2/3 : COPY program /program
 ---> 0f5c1f3a8e21
Step 3/3 : RUN ["/program"]
 ---> Running in 6a1b2c3d4e5f
no kernel image is available
The command '/program' returned a non-zero code: 7`;

const BUILDAH = `[1/2] STEP 1/2: FROM scratch AS build
[1/2] STEP 2/2: COPY program /program
--> 5e2f1a0b9c8d
[2/2] STEP 1/3: FROM scratch
[2/2] STEP 2/3: COPY --from=build /program /program
[2/2] STEP 3/3: RUN ["/program"]
Error: building at STEP "RUN /program": while running runtime: exit status 9`;

function watched(text: string): { readonly told: readonly StepProgress[]; readonly failure: BuildFailure } {
  const watch = watchBuild();
  const told = text.split("\n").flatMap((line) => watch.see(line) ?? []);
  return { told, failure: watch.failure() };
}

describe("watchBuild", () => {
  it("counts BuildKit's instructions over all stages and names the one that failed", () => {
    const { told, failure } = watched(BUILDKIT);
    expect(told.at(-1)).toMatchObject({ done: 3, total: 5, unit: "steps" });
    expect(failure.instruction).toBe("RUN cmake -B build -DGGML_CUDA=ON && cmake --build build");
    expect(failure.words).toContain("nvcc fatal   : Unsupported gpu architecture 'compute_120'");
    expect(failure.words.join("\n")).not.toContain("Cloning");
  });

  it("counts the classic builder's", () => {
    const { told, failure } = watched(CLASSIC);
    expect(told.map(({ done, total, text }) => [done, total, text])).toEqual([
      [0, 3, "FROM scratch"],
      [1, 3, "COPY program /program"],
      [2, 3, 'RUN ["/program"]'],
    ]);
    expect(failure).toMatchObject({
      instruction: 'RUN ["/program"]',
      words: [
        " ---> Running in 6a1b2c3d4e5f",
        "no kernel image is available",
        "The command '/program' returned a non-zero code: 7",
      ],
    });
  });

  it("counts buildah's, whose stages each begin at one", () => {
    const { told, failure } = watched(BUILDAH);
    expect(told.map(({ done, total }) => [done, total])).toEqual([
      [0, 2],
      [1, 2],
      [2, 5],
      [3, 5],
      [4, 5],
    ]);
    expect(failure.words).toEqual([
      'Error: building at STEP "RUN /program": while running runtime: exit status 9',
    ]);
  });

  it("keeps the last words alone, and all there are before the first instruction", () => {
    expect(watched(Array.from({ length: 100 }, (_, n) => `line ${n}`).join("\n")).failure).toEqual({
      words: Array.from({ length: 20 }, (_, n) => `line ${n + 80}`),
    });
  });
});
