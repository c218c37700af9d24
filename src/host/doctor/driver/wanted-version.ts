import { driverCards } from "../scope.ts";
import type { Check, Finding } from "../check.ts";
import { loadedDriver } from "./loaded-driver.ts";

const ID = "driver.version";

/** The driver is the one that the spec names: version, flavour, CUDA. */
export const driverVersion: Check = {
  id: ID,
  title: "NVIDIA driver of the spec",
  look: (subject) => {
    const wanted = subject.host?.driver;
    const loaded = loadedDriver(subject.view);
    if (wanted === undefined || loaded === undefined || driverCards(subject).length === 0) return [];
    const path = `machines.${subject.host?.name ?? ""}.driver`;
    const cuda = subject.view.machine.driver?.cuda;
    const compared = [
      ["version", wanted.version, loaded.version],
      ["flavour", wanted.flavour, loaded.flavour],
      ["cuda", wanted.cuda, cuda],
    ] as const;
    return compared.flatMap(([what, asked, seen]): readonly Finding[] => {
      if (asked === undefined) return [];
      const base = { check: ID, subject: what, path: `${path}.${what}` } as const;
      if (seen === undefined)
        return [{ ...base, state: "unknown", seen: "nvidia-smi does not tell", wanted: asked }];
      // `580` asks for the branch, `580.95.05` for the release.
      if (seen === asked || seen.startsWith(`${asked}.`)) return [{ ...base, state: "ok", seen }];
      return [
        {
          ...base,
          state: what === "flavour" ? "error" : "warning",
          seen,
          wanted: asked,
          why: "What was measured and decided for the spec's driver need not hold with another.",
          remedy: `Install driver ${asked}, or write what runs: ${what}: ${JSON.stringify(seen)}`,
        },
      ];
    });
  },
};
