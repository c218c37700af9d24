import { watch, type FSWatcher } from "node:fs";
import { itself } from "./beneath.ts";
import { pathOfUri } from "./file-uri.ts";
import { openParent, pinFile, placeOf, type Ground } from "./ground.ts";
import { Refusal } from "./refusal.ts";

export interface FileWatches {
  /** Throws `Refusal` when it is no file that clients may read, or too much is watched already. */
  watch(uri: string): Promise<void>;
  unwatch(uri: string): void;
  readonly count: number;
  close(): void;
}

const MOST_WATCHED = 256;
/** Milliseconds for which changes are told as one; a file is often written in several steps. */
const SETTLE = 100;

/**
 * Tells when a file is another one, by the kernel's notice of what happens in its folder, so that a file which is replaced is seen too.
 * The folder is watched through its handle: a link in its place later changes nothing. Idle, a watch costs nothing but the notice.
 */
export function createFileWatches(ground: Ground, changed: (uri: string) => void): FileWatches {
  const watchers = new Map<string, FSWatcher>();
  const timers = new Map<string, NodeJS.Timeout>();
  const end = (uri: string): void => {
    clearTimeout(timers.get(uri));
    timers.delete(uri);
    watchers.get(uri)?.close();
    watchers.delete(uri);
  };
  const notice = (uri: string): void => {
    if (timers.has(uri) || !watchers.has(uri)) return;
    const told = (): void => {
      timers.delete(uri);
      changed(uri);
    };
    timers.set(uri, setTimeout(told, SETTLE));
  };
  return {
    watch: async (uri) => {
      if (watchers.has(uri)) return;
      if (watchers.size >= MOST_WATCHED)
        throw new Refusal(
          `${MOST_WATCHED} files are watched already, which is the most. End another watch first.`,
        );
      const place = placeOf(ground, pathOfUri(uri), "file");
      const { folder, name } = await openParent(ground, place);
      await using parent = folder;
      await (await pinFile(parent, name, place.text)).handle.close();
      if (watchers.has(uri)) return;
      const watcher = watch(itself(parent), { persistent: false }, (_event, file) => {
        if (file === name || file === null) notice(uri);
      });
      watcher.on("error", () => end(uri));
      watchers.set(uri, watcher);
    },
    unwatch: end,
    get count() {
      return watchers.size;
    },
    close: () => {
      for (const uri of watchers.keys()) end(uri);
    },
  };
}
