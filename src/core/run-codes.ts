/** Codes of running a node: engines, runtimes, watch, ladder, swap, chaos; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const RUN_CODES = {
  "engine.no-image": entry(
    2,
    "The image of an engine is not there and cannot be pulled.",
    "Check the reference and the registry's access; omni render --target images shows how Omni would build it.",
  ),
  "engine.no-space": entry(
    1,
    "There is not enough free disk for what a start needs.",
    "Free the space that the message names, or move the data folder to another disk.",
  ),
  "engine.unknown-flag": entry(
    2,
    "The installed version of an engine does not know a flag that this start needs.",
    "Install the version that the message names, or take the setting out of the spec.",
  ),
  "engine.model-not-found": entry(
    2,
    "The engine did not find its model.",
    "Check the path in the spec as the engine sees it, and that the download is complete.",
  ),
  "engine.core-dead": entry(
    1,
    "The engine's HTTP server answers, but what computes behind it has died.",
    "Omni restarts it; look at the log for the first failure.",
  ),
  "engine.stalled": entry(
    1,
    "The engine has work waiting and makes no progress, or does not answer a request for one token.",
    "Omni restarts it; a stall that comes back points to the card, the driver or the model.",
  ),
  "engine.wrong-answer": entry(
    1,
    "The engine answers with something that is no answer.",
    "Omni restarts it; if it comes back, check the model files and the chat template.",
  ),
  "engine.on-processor": entry(
    1,
    "The engine was given cards and computes on the processor.",
    "Check that the build has CUDA for this card and that the driver is loaded.",
  ),
  "gpu.lost": entry(
    1,
    "A card is gone: the driver does not reach it any more.",
    "Follow the recovery action in the message; its services run elsewhere until it is back.",
  ),
} as const;
