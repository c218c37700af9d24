import type { Check } from "../check.ts";
import { dockerInfo } from "./docker-info.ts";
import { gpuContainers, toolkitVersion } from "./gpu-containers.ts";

const ID = "containers.toolkit";

/** NVIDIA's container toolkit is there, and Docker knows of it. */
export const containerToolkit: Check = {
  id: ID,
  title: "NVIDIA container toolkit",
  look: async (subject) => {
    if (!(await gpuContainers(subject))) return [];
    const version = await toolkitVersion(subject);
    if (version === undefined)
      return [
        {
          check: ID,
          state: "error",
          seen: "nvidia-ctk is not installed",
          wanted: "NVIDIA's container toolkit",
          why: 'Docker says: could not select device driver "" with capabilities: [[gpu]].',
          remedy:
            "apt install nvidia-container-toolkit; nvidia-ctk runtime configure --runtime=docker; systemctl restart docker",
        },
      ];
    const info = await dockerInfo(subject.view);
    const named = info.answered && Object.hasOwn(info.Runtimes ?? {}, "nvidia");
    const mode = subject.deployment?.docker.gpus;
    if (named) return [{ check: ID, state: "ok", seen: `toolkit ${version}, runtime nvidia in Docker` }];
    return [
      {
        check: ID,
        state: mode === "environment" ? "error" : "note",
        seen: `toolkit ${version}, but Docker has no runtime nvidia`,
        ...(mode === "environment" ? { wanted: "the runtime nvidia", path: "runtime.docker.gpus" } : {}),
        why: "Containers that are given cards by their environment need it; device requests and CDI do not.",
        remedy:
          "nvidia-ctk runtime configure --runtime=docker   # then systemctl restart docker, which stops containers without live-restore",
      },
    ];
  },
};
