import type { Check, Finding } from "../check.ts";
import { saidText } from "../said.ts";

const ID = "disks.inodes";
const FULL = 90;

/** File systems that have space, but no room for another file. */
export const diskInodes: Check = {
  id: ID,
  title: "Room for files",
  look: async ({ view }) => {
    const text = await saidText(view, ["df", "--local", "--inodes", "--portability"]);
    return (text ?? "").split("\n").flatMap((line): readonly Finding[] => {
      const match = /^\/dev\/\S+\s+(\d+)\s+(\d+)\s+\d+\s+(\d+)%\s+(\/.*)$/.exec(line);
      const [, total = "0", used = "0", share = "0", path = ""] = match ?? [];
      if (match === null || Number(total) === 0 || Number(share) < FULL) return [];
      return [
        {
          check: ID,
          subject: path,
          state: Number(share) >= 99 ? "error" : "warning",
          seen: `${share} % of the inodes are taken (${used} of ${total})`,
          wanted: `below ${FULL} %`,
          why: "Without inodes no file can be made, however many bytes are free; image layers take many.",
          remedy: `docker system prune   # or find where the files are: du --inodes -xd1 ${path} | sort -n`,
        },
      ];
    });
  },
};
