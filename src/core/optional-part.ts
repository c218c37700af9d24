import { OmniError } from "./error.ts";

/** Packages that Omni runs without, pinned as in package.json, and what each is for. All are loaded at their first use. */
export const OPTIONAL_PARTS = {
  "@kubernetes/client-node": { version: "2.0.1", serves: "clusters" },
  dockerode: { version: "5.0.1", serves: "containers of Docker" },
  koffi: { version: "3.3.4", serves: "NVIDIA's own library (NVML)" },
  "node-llama-cpp": { version: "3.22.1", serves: "the embedded engine and the demo" },
  ssh2: { version: "1.17.0", serves: "other hosts over SSH" },
} as const;

/**
 * What `load` imports of an optional package. Throws `OmniError` `install.missing-part` where that package is not
 * installed, and whatever it throws itself where it is.
 */
export async function optionalPart<T>(part: keyof typeof OPTIONAL_PARTS, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, part)) throw error;
    const { version, serves } = OPTIONAL_PARTS[part];
    throw new OmniError("install.missing-part", `${part} is not installed. It is needed for ${serves}.`, {
      hint: `npm install ${part}@${version} beside Omni, or install Omni without --omit=optional.`,
      cause: error,
    });
  }
}

/** Node names the package that it did not find; one that the part itself lacks is another matter. */
const isMissing = (error: unknown, part: string): boolean =>
  error instanceof Error &&
  "code" in error &&
  error.code === "ERR_MODULE_NOT_FOUND" &&
  error.message.includes(`'${part}'`);
