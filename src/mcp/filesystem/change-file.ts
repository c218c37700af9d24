import { pinIfThere } from "./beneath.ts";
import { notAFile, openParent, type Ground, type Place } from "./ground.ts";
import { readBytes } from "./read-bytes.ts";
import { Refusal, refusalOf, shown } from "./refusal.ts";
import { replaceFile } from "./replace-file.ts";

/** What a file held, or `undefined` where there was none. */
export interface Before {
  readonly bytes: Buffer | undefined;
}

/** What a file shall hold; `undefined` leaves it as it is. */
type Change = (before: Before) => Uint8Array | undefined;

/**
 * Reads a file, asks `change` what it shall hold and replaces it, the previous version kept; one change after the other. Throws
 * `Refusal` for anything but a plain file or a free name in a folder that is there, and for more than `maxWrite` bytes before or
 * after; then nothing is changed.
 */
export const changeFile = (
  ground: Ground,
  place: Place,
  change: Change,
  signal: AbortSignal,
): Promise<void> =>
  ground.serial(async () => {
    signal.throwIfAborted();
    const { folder, name } = await openParent(ground, place);
    await using parent = folder;
    try {
      await using old = await pinIfThere(parent, name);
      if (old !== undefined && !old.stats.isFile()) throw notAFile(old, place.text);
      if (old !== undefined && old.stats.size > BigInt(ground.maxWrite))
        throw new Refusal(
          `${shown(place.text)} has ${old.stats.size} bytes; files of more than ${ground.maxWrite} are not changed here.`,
        );
      const before = old === undefined ? undefined : await readBytes(old, 0, ground.maxWrite, signal);
      const after = change({ bytes: before });
      if (after === undefined) return;
      if (after.length > ground.maxWrite)
        throw new Refusal(
          `${shown(place.text)} would have ${after.length} bytes; at most ${ground.maxWrite} are written. Nothing was changed.`,
        );
      if (old !== undefined) await ground.versions.keep(place, old, signal);
      await replaceFile(parent, name, after, old, signal);
    } catch (error) {
      throw refusalOf(error, place.text);
    }
  });
