import { formatBytes, GIB } from "../../../core/index.ts";
import { mountOf } from "../../../inventory/index.ts";
import { dockerInfo } from "../containers/docker-info.ts";
import type { Check } from "../check.ts";

const ID = "disks.root";
const FEW = 5 * GIB;

/** The system's own partition has room: logs, packages, and often Docker's images. */
export const diskRoot: Check = {
  id: ID,
  title: "Room on the system's partition",
  look: async ({ view }) => {
    const { root } = view.machine;
    if (root === undefined || root.size === 0)
      return [{ check: ID, subject: "/", state: "unknown", seen: "the space of / cannot be read" }];
    const used = Math.round(100 * (1 - root.free / root.size));
    const seen = `${used} % of ${formatBytes(root.size)} taken, ${formatBytes(root.free)} free`;
    if (used < 85 && root.free > FEW) return [{ check: ID, subject: "/", state: "ok", seen }];
    const info = await dockerInfo(view);
    const folder = info.answered ? info.DockerRootDir : undefined;
    const shared = folder !== undefined && mountOf(view.machine, folder)?.path === "/";
    return [
      {
        check: ID,
        subject: "/",
        state: used >= 95 || root.free < FEW / 5 ? "error" : "warning",
        seen: shared ? `${seen}; Docker keeps its images there (${folder})` : seen,
        wanted: `more than ${formatBytes(FEW)} and 15 % free`,
        why: "A full system partition stops logs, updates and every container; one image with CUDA takes up to 21 GB.",
        remedy: shared
          ? 'docker system df; docker image prune; or move it: "data-root" in /etc/docker/daemon.json'
          : "journalctl --vacuum-size=500M; apt clean; du -xh --max-depth=2 / | sort -h | tail",
      },
    ];
  },
};
