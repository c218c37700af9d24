import type { V1SecurityContext } from "@kubernetes/client-node";
import type { DeployedService } from "../../deployment/index.ts";
import type { Data } from "./object.ts";

/** User and group of containers that need no rights: the number that distroless images call nonroot. */
export const NOBODY = 65_532;

/** What every container of Omni has, whoever it runs as; PodSecurity `baseline` and the rest of `restricted` ask for it. */
const LEAST = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
} satisfies V1SecurityContext;

/** A container without any right, as a user without a name. */
export const RESTRICTED: Data<V1SecurityContext> = {
  runAsNonRoot: true,
  runAsUser: NOBODY,
  runAsGroup: NOBODY,
  ...LEAST,
};

/** The same as root, with these capabilities added. */
export const asRoot = (capabilities: readonly string[] = []): V1SecurityContext => ({
  ...LEAST,
  ...(capabilities.length === 0 ? {} : { capabilities: { drop: ["ALL"], add: [...capabilities] } }),
});

export const PRIVILEGED: V1SecurityContext = { privileged: true };

/**
 * Engines that run as a user without a name. Of the others the images assume root: PyTorch looks its user up in
 * /etc/passwd, and vLLM, SGLang, Triton, KTransformers and ComfyUI write caches into root's home.
 */
const NAMELESS = new Set(["llama.cpp"]);

/** The rights of an engine, and the reason where it keeps root. */
export function engineSecurity(service: DeployedService): {
  readonly context: V1SecurityContext;
  readonly reason: string;
} {
  const { kind, options, mounts, privileged } = service;
  if (privileged) return { context: PRIVILEGED, reason: "It is privileged, because the spec asks for it." };
  if (options.weights === "lock")
    return {
      context: asRoot(["IPC_LOCK"]),
      reason:
        "It runs as root with IPC_LOCK alone, because locked weights (weights: lock) go beyond the limit of others.",
    };
  if (!NAMELESS.has(kind))
    return {
      context: asRoot(),
      reason: `It runs as root without capabilities: images of ${kind} look their user up by name and write caches into root's home.`,
    };
  if (mounts.some((mount) => !mount.readOnly))
    return {
      context: asRoot(),
      reason:
        "It runs as root without capabilities, because it writes into a folder of the node that belongs to root.",
    };
  return { context: RESTRICTED, reason: "It runs as a user without a name and without any capability." };
}
