import { OmniError } from "../../core/index.ts";
import type { LaunchFile } from "../../engines/engine.ts";

const BLOCK = 512;

/**
 * Files as a tar archive (POSIX ustar) rooted at `/`, owned by root. Throws OmniError `engine.not-started` for a path that
 * its header does not hold (255 bytes).
 */
export function tarArchive(files: readonly LaunchFile[]): Buffer {
  const parts = files.flatMap((file) => {
    const content = Buffer.from(file.content);
    const rest = (BLOCK - (content.length % BLOCK)) % BLOCK;
    return [header(file, content.length), content, Buffer.alloc(rest)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header({ path, mode }: LaunchFile, size: number): Buffer {
  const { prefix, name } = splitPath(path);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(mode % 0o10000, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  // The checksum counts its own field as spaces.
  block.write("        0", 148);
  block.write("ustar\u{0}00", 257, "latin1");
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

/** 100 bytes of name after at most 155 bytes of prefix, cut at a slash. */
function splitPath(path: string): { readonly prefix: string; readonly name: string } {
  const relative = path.replace(/^\/+/, "");
  if (Buffer.byteLength(relative) <= 100) return { prefix: "", name: relative };
  for (let cut = relative.indexOf("/"); cut > 0; cut = relative.indexOf("/", cut + 1)) {
    const [prefix, name] = [relative.slice(0, cut), relative.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  throw new OmniError("engine.not-started", `The path ${path} is too long to be put into a container.`, {
    hint: "Use a shorter one: 255 bytes at most, 100 after the last slash.",
  });
}
