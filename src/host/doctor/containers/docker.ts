import { usesDocker } from "../scope.ts";
import type { Check } from "../check.ts";
import { dockerInfo } from "./docker-info.ts";

const ID = "containers.docker";

/** Docker answers to whoever runs Omni. */
export const dockerAnswers: Check = {
  id: ID,
  title: "Docker answers",
  look: async (subject) => {
    if (!usesDocker(subject)) return [];
    const info = await dockerInfo(subject.view);
    const needed = subject.spec !== undefined;
    if (!info.answered && info.absent)
      return [
        {
          check: ID,
          state: needed ? "error" : "note",
          seen: "Docker is not installed",
          ...(needed ? { wanted: "Docker, in which services of the spec run", path: "runtime.kind" } : {}),
          remedy: "apt install docker.io   # not needed for runtime: process",
        },
      ];
    if (!info.answered) {
      const denied = /permission denied/i.test(info.message);
      return [
        {
          check: ID,
          state: needed ? "error" : "warning",
          seen: `Docker is installed and does not answer: ${info.message}`,
          wanted: "an answer of its engine",
          why: "No container can be started.",
          remedy: denied
            ? `usermod -aG docker USER, then log in again`
            : "systemctl start docker; journalctl -u docker -n 50",
        },
      ];
    }
    const { ServerVersion: version = "", Driver: driver = "unknown" } = info;
    if (driver === "vfs" || driver === "devicemapper")
      return [
        {
          check: ID,
          state: "warning",
          seen: `Docker ${version} with the storage driver ${driver}`,
          wanted: "overlay2",
          why: `${driver} copies whole layers: an image of 20 GB takes several times its size, and minutes to start.`,
          remedy: '"storage-driver": "overlay2" in /etc/docker/daemon.json; images have to be pulled again',
        },
      ];
    return [{ check: ID, state: "ok", seen: `Docker ${version}, ${driver}` }];
  },
};
