import { formatBytes, GIB } from "../../../core/index.ts";
import { usesDocker } from "../scope.ts";
import type { Check, Finding } from "../check.ts";
import { dockerInfo } from "./docker-info.ts";

const ID = "containers.data-root";
const FEW = 25 * GIB;

/** Docker keeps its images where the spec says, and there is room for one more. */
export const dataRoot: Check = {
  id: ID,
  title: "Docker's data folder",
  look: async (subject) => {
    if (!usesDocker(subject)) return [];
    const info = await dockerInfo(subject.view);
    const folder = info.answered ? info.DockerRootDir : undefined;
    if (folder === undefined) return [];
    const wanted = subject.spec?.runtime.docker.dataRoot;
    const findings: Finding[] = [];
    if (wanted !== undefined && wanted !== folder)
      findings.push({
        check: ID,
        subject: "place",
        state: "warning",
        seen: folder,
        wanted,
        why: "Omni counts the room for images where the spec says that they are.",
        remedy: `runtime.docker.dataRoot: ${folder}   # or "data-root": ${JSON.stringify(wanted)} in /etc/docker/daemon.json`,
        path: "runtime.docker.dataRoot",
      });
    const space = await subject.view.space(folder);
    if (space === undefined)
      return [
        ...findings,
        { check: ID, subject: folder, state: "unknown", seen: "its space cannot be read" },
      ];
    const seen = `${formatBytes(space.free)} of ${formatBytes(space.size)} free`;
    if (space.free >= FEW) return [...findings, { check: ID, subject: folder, state: "ok", seen }];
    return [
      ...findings,
      {
        check: ID,
        subject: folder,
        state: space.free < FEW / 5 ? "error" : "warning",
        seen,
        wanted: `${formatBytes(FEW)} for an image with CUDA and its unpacking`,
        why: "A pull ends in the middle, and the engines that run may stop when the file system is full.",
        remedy: "docker image prune; docker builder prune; or move it to a larger disk",
      },
    ];
  },
};
