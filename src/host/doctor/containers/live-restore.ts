import { usesDocker } from "../scope.ts";
import type { Check } from "../check.ts";
import { dockerInfo } from "./docker-info.ts";

const ID = "containers.live-restore";

/** Engines outlive an update of Docker. */
export const liveRestore: Check = {
  id: ID,
  title: "Containers outlive Docker",
  look: async (subject) => {
    if (!usesDocker(subject)) return [];
    const info = await dockerInfo(subject.view);
    if (!info.answered) return [];
    if (info.LiveRestoreEnabled === true) return [{ check: ID, state: "ok", seen: "live-restore is on" }];
    return [
      {
        check: ID,
        state: "note",
        seen: "live-restore is off: engines stop whenever Docker is restarted or updated, and load again for minutes",
        remedy: '"live-restore": true in /etc/docker/daemon.json, then systemctl reload docker',
      },
    ];
  },
};
