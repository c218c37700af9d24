import { parseComputeCapability } from "../../core/index.ts";
import type { ComputeCapability } from "../../core/index.ts";
import { engineRelease } from "./compiled-architectures.ts";
import type { GateInput, GateRefusal } from "./gate.ts";

const SOURCE = "https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html";

/** Oldest driver branch of each CUDA major version, under minor-version compatibility. */
const OLDEST_DRIVER: ReadonlyMap<number, number> = new Map([
  [11, 450],
  [12, 525],
  [13, 580],
]);

/** Oldest CUDA that knows a card: what a driver must speak at least. Source: nvcc's release notes. */
const OLDEST_CUDA: readonly (readonly [since: number, cuda: string])[] = [
  [121, "12.9"],
  [100, "12.8"],
  [89, "11.8"],
  [86, "11.1"],
];

/**
 * A part of gate 1: the driver is new enough for the CUDA that the engine was built with. Cards of data centres are
 * passed over, because CUDA's compatibility package lets them run a newer toolkit on an older driver.
 */
export function refuseByDriver(input: GateInput): readonly GateRefusal[] {
  const branch = Number(/^(\d{3,4})\./.exec(input.driver ?? "")?.[1]);
  const device = parseComputeCapability(input.card.computeCapability);
  if (!Number.isInteger(branch) || device === undefined || isDataCentre(input.card.model)) return [];
  const built = engineRelease(input.engine)?.cuda;
  const cuda = built ?? oldestCuda(device);
  const needed = cuda === undefined ? undefined : OLDEST_DRIVER.get(Number(cuda.split(".")[0]));
  if (cuda === undefined || needed === undefined || branch >= needed) return [];
  const why =
    built === undefined
      ? `code for it comes from CUDA ${cuda} or later`
      : `${input.engine.image ?? input.engine.kind} is built with CUDA ${cuda}`;
  return [
    {
      code: "arch-not-compiled",
      reason:
        `${input.card.name} (${input.card.model}) has driver ${input.driver}; ${why}, ` +
        `which needs driver ${needed} or later.`,
      hint: `Install driver ${needed} or later.`,
      source: SOURCE,
    },
  ];
}

const oldestCuda = ({ major, minor }: ComputeCapability): string | undefined =>
  OLDEST_CUDA.find(([since]) => major * 10 + minor >= since)?.[1];

const isDataCentre = (model: string): boolean =>
  /\b(?:A100|A10G?|A16|A30|A40|H100|H200|GH200|B200|B300|GB200|GB300|L4|L20|L40S?|T4|V100|P100)\b/i.test(
    model,
  );
