import type { ContainerLaunch } from "../../engines/engine.ts";

/** How a container is given its cards. */
export interface GpuRequest {
  readonly deviceRequests: readonly {
    readonly Driver: string;
    readonly DeviceIDs: string[];
    readonly Capabilities?: string[][];
  }[];
  readonly runtime?: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The cards by UUID and no other. A container without cards is told so: images of CUDA carry NVIDIA_VISIBLE_DEVICES=all,
 * which opens every card where nvidia is the default runtime.
 */
export function gpuRequest({ cards, gpuAccess }: Pick<ContainerLaunch, "cards" | "gpuAccess">): GpuRequest {
  if (cards.length === 0) return { deviceRequests: [], environment: { NVIDIA_VISIBLE_DEVICES: "void" } };
  switch (gpuAccess) {
    case "device-requests":
      return {
        deviceRequests: [{ Driver: "nvidia", DeviceIDs: [...cards], Capabilities: [["gpu"]] }],
        environment: {},
      };
    case "cdi":
      return {
        deviceRequests: [{ Driver: "cdi", DeviceIDs: cards.map((card) => `nvidia.com/gpu=${card}`) }],
        environment: {},
      };
    case "environment":
      return {
        deviceRequests: [],
        runtime: "nvidia",
        environment: {
          NVIDIA_VISIBLE_DEVICES: cards.join(","),
          NVIDIA_DRIVER_CAPABILITIES: "compute,utility",
        },
      };
  }
}
