import { LLAMA_CPP_ARCHITECTURES } from "../../catalog/llama-cpp-architectures.ts";
import { nearest, OmniError } from "../../core/index.ts";
import type { GgufHeader } from "../gguf-header.ts";
import { shown } from "../shown.ts";

/** Names are ASCII and short; keys are made of them. */
const NAME = /^[\w.-]{1,64}$/;

/** `general.architecture` of a file. Throws `OmniError` `model.malformed` when it names none, or what is no name. */
export function architectureOf({ metadata, path }: GgufHeader): string {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string")
    throw new OmniError("model.malformed", `${path} names no general.architecture.`);
  if (NAME.test(architecture)) return architecture;
  throw new OmniError(
    "model.malformed",
    `${path} has the general.architecture ${shown(architecture)}, which is no name.`,
  );
}

/** Whether this release of llama.cpp loads the architecture. */
export const isKnownArchitecture = (architecture: string): boolean =>
  LLAMA_CPP_ARCHITECTURES.has(architecture);

/** The refusal of an architecture that llama.cpp does not know; `also` ends its sentence. */
export function unknownArchitecture(architecture: string, path: string, also = ""): OmniError {
  const near = nearest(architecture, LLAMA_CPP_ARCHITECTURES);
  const hint = near === undefined ? "" : ` (the nearest it knows is ${near})`;
  return new OmniError(
    "model.unknown-architecture",
    `${path} is of the architecture ${shown(architecture)}, which this llama.cpp does not know${hint}${also}.`,
  );
}
