import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "../../../render/index.ts";

/** An image that was looked through for these cards: that takes minutes, and its id stands for all of its bytes. */
export interface LookedInto {
  readonly workFolder: string;
  /** Digest that the builder knows it by. */
  readonly id: string;
  readonly cards: readonly string[];
}

const fileOf = ({ workFolder, id, cards }: LookedInto): string =>
  join(workFolder, "looked-into", sha256([id, ...cards].join("\n")));

export const wasLookedInto = (look: LookedInto): boolean =>
  look.cards.length === 0 || existsSync(fileOf(look));

export async function rememberLook(look: LookedInto, evidence: readonly string[]): Promise<void> {
  await mkdir(dirname(fileOf(look)), { recursive: true, mode: 0o700 });
  await writeFile(fileOf(look), `${evidence.join("\n")}\n`);
}
