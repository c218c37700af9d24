import { existsSync } from "node:fs";
import type { Check, Finding } from "../check.ts";
import { canonicalModule, configuredBootLines, readModprobeFiles } from "../facts/index.ts";

const ID = "boot.blacklist";

/** Modules that the host must not load. */
export const blacklist: Check = {
  id: ID,
  title: "Blacklisted modules",
  async look({ view, host }): Promise<readonly Finding[]> {
    const wanted = [...new Set((host?.boot?.blacklist ?? []).map(canonicalModule))];
    if (host === undefined || wanted.length === 0) return [];
    if (!existsSync(`${view.root}etc/modprobe.d`))
      return [{ check: ID, state: "unknown", seen: "/etc/modprobe.d is not to be seen here" }];
    const files = readModprobeFiles(view.root);
    const words = (await configuredBootLines(view)).flatMap(({ words = [] }) => words);
    const onLine = new Set(
      words.flatMap((word) => {
        const list = /^(?:modprobe\.blacklist|module_blacklist)=(.*)$/.exec(word)?.[1] ?? "";
        return list.split(",").map(canonicalModule);
      }),
    );
    return wanted.map((module) => {
      const listed = onLine.has(module) || files.blacklist.some((entry) => entry.module === module);
      const loaded = existsSync(`${view.root}sys/module/${module}`);
      const about = { check: ID, subject: module, path: `machines.${host.name}.boot.blacklist` } as const;
      if (listed && !loaded)
        return { ...about, state: "ok", seen: `${module} is blacklisted and not loaded` };
      return {
        ...about,
        state: loaded ? "warning" : "error",
        seen: `${module} is ${listed ? "blacklisted" : "not blacklisted"} and ${loaded ? "loaded" : "not loaded"}`,
        wanted: "blacklisted and not loaded",
        why: listed
          ? "It was loaded before the list was there, from the initramfs, or by name, and may hold a card."
          : "It may take a card at the next boot before the driver that shall have it.",
        remedy: listed
          ? "update-initramfs -u -k all   # then reboot"
          : "./omni apply --to metal   # then reboot",
      };
    });
  },
};
