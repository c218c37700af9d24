import { driverCards, servicesHere } from "../scope.ts";
import type { Check, Finding } from "../check.ts";
import { branchOf, loadedDriver } from "./loaded-driver.ts";

const ID = "driver.cuda";

/** Oldest branch of the driver that runs programs of a CUDA release line. */
const DRIVERS: Readonly<Record<number, number>> = { 11: 450, 12: 525, 13: 580 };
const SOURCE =
  "NVIDIA CUDA Compatibility, minor version compatibility: CUDA 12 needs R525, CUDA 13 needs R580";

/** The CUDA release line that an image's name tells: `cuda:13.0.1-devel`, `v0.13.0-cu130`; nothing where it tells none. */
function cudaLine(image: string): number | undefined {
  const match = /cuda[:_-]?v?(\d{2})\.\d|[-_:.]cu(\d{2})\d\b/i.exec(image);
  const line = Number(match?.[1] ?? match?.[2]);
  return Number.isInteger(line) ? line : undefined;
}

/** The driver is new enough for the CUDA of the plan's images. */
export const imageCuda: Check = {
  id: ID,
  title: "Driver new enough for the images",
  look: (subject) => {
    const loaded = loadedDriver(subject.view);
    if (loaded === undefined || driverCards(subject).length === 0) return [];
    return servicesHere(subject).flatMap(({ name, image, cards }): readonly Finding[] => {
      const line = image === undefined || cards.length === 0 ? undefined : cudaLine(image);
      const least = line === undefined ? undefined : DRIVERS[line];
      if (least === undefined) return [];
      const base = { check: ID, subject: `service ${name}` } as const;
      if (branchOf(loaded.version) >= least)
        return [{ ...base, state: "ok", seen: `CUDA ${line} on driver ${loaded.version}` }];
      return [
        {
          ...base,
          state: "error",
          seen: `driver ${loaded.version}`,
          wanted: `${least} or newer for CUDA ${line} (${image ?? ""})`,
          why: "Its first CUDA call fails: CUDA driver version is insufficient for CUDA runtime version.",
          remedy: `Install a driver of branch ${least} or newer, or take an image with an older CUDA.`,
          source: SOURCE,
        },
      ];
    });
  },
};
