import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { OmniError } from "../../core/index.ts";
import type { BuilderPlace } from "./image-builder.ts";

/** A piece is asked for only when the last one was read, so that nothing piles up between a fast disk and a slow reader. */
const PIECE_MIB = 6;
/** Pieces that may be under way. */
const AHEAD = 2;
/** Images of engines have some 25 GB, which a slow disk reads in half an hour; milliseconds. */
const PATIENCE = 3_600_000;

/**
 * All files of an image as one archive, piece by piece in base64, because what a host says is text. One line a piece; each
 * line read from standard input lets one more go. Nothing of the image is run, and what was made for it is removed. 6 MiB
 * is a multiple of three bytes: pieces join without padding between.
 */
const EXPORT = `set -u
exec 3<&0
pieces() { while read -r _ <&3; do dd bs=1048576 count=${PIECE_MIB} iflag=fullblock 2>/dev/null | base64 -w 0; echo; done; }
`;
const DOCKER = `${EXPORT}docker rm --force "$1" >/dev/null 2>&1
docker create --name "$1" --network none "$2" none >/dev/null || exit 1
trap 'docker rm --force "$1" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM
docker export "$1" </dev/null | pieces
`;
const BUILDAH = `${EXPORT}buildah rm "$1" >/dev/null 2>&1
buildah from --pull-never --name "$1" "$2" >/dev/null || exit 1
trap 'buildah umount "$1" >/dev/null 2>&1; buildah rm "$1" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM
folder=$(buildah mount "$1") || exit 1
tar -C "$folder" -cf - . </dev/null | pieces
`;
/** Without root the store's mounts are to be seen in a namespace of its own only. */
const ENTER = 'if [ "$(id -u)" = 0 ]; then exec "$@"; else exec buildah unshare "$@"; fi';

/**
 * The files of an image in the builder as a tar archive, layers laid over each other as a container sees them. Memory on
 * both sides stays at a few pieces. Throws `OmniError` `image.no-builder` where the builder cannot show it.
 */
export async function* exportedFiles(place: BuilderPlace, image: string): AsyncGenerator<Uint8Array> {
  const name = `omni-look-${createHash("sha256").update(image).digest("hex").slice(0, 12)}`;
  const { argv } = commandOf(place, name, image);
  const credit = new Readable({ read: () => {} });
  const arrived = arrivals();
  for (let ahead = 0; ahead < AHEAD; ahead++) credit.push("\n");
  const result = place.context
    .look(place.host, {
      argv,
      input: credit,
      timeout: PATIENCE,
      mostBytes: 16_384,
      onOutput: (stream, text) => {
        if (stream === "stdout") arrived.take(text);
      },
    })
    .finally(() => arrived.end());
  try {
    for await (const piece of arrived.pieces()) {
      yield piece;
      if (piece.byteLength < PIECE_MIB * 2 ** 20) break;
      credit.push("\n");
    }
  } finally {
    credit.push(null);
    await result;
  }
  const ended = await result;
  if (!ended.ended || ended.code !== 0)
    throw new OmniError(
      "image.no-builder",
      `${place.program} on ${place.host.name} cannot show the files of ${image}: ${ended.ended ? ended.stderr.trim() : ended.message}`,
    );
}

const commandOf = (
  { program }: BuilderPlace,
  name: string,
  image: string,
): { readonly argv: readonly [string, ...string[]] } =>
  program === "docker"
    ? { argv: ["sh", "-c", DOCKER, "sh", name, image] }
    : { argv: ["sh", "-c", ENTER, "sh", "sh", "-c", BUILDAH, "sh", name, image] };

interface Arrivals {
  take(text: string): void;
  end(): void;
  pieces(): AsyncGenerator<Uint8Array>;
}

/** Lines of base64 as they come, each a piece; the last ends with the program. */
function arrivals(): Arrivals {
  const parts: string[] = [];
  const whole: Uint8Array[] = [];
  let hasEnded = false;
  let wake: (() => void) | undefined;
  const line = (): void => {
    whole.push(Buffer.from(parts.join(""), "base64"));
    parts.length = 0;
  };
  return {
    take: (text) => {
      const [first = "", ...rest] = text.split("\n");
      parts.push(first);
      for (const next of rest) {
        line();
        parts.push(next);
      }
      wake?.();
    },
    end: () => {
      hasEnded = true;
      wake?.();
    },
    async *pieces() {
      for (;;) {
        const piece = whole.shift();
        if (piece !== undefined) yield piece;
        else if (hasEnded) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
