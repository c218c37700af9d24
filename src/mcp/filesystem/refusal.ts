/** What a client reads instead of an answer: what, where, why and what to do. Never holds a path of the host. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** `absent` also stands for everything that is closed to clients: the two read the same. */
  readonly kind: "absent" | "refused";

  constructor(message: string, kind: "absent" | "refused" = "refused") {
    super(message);
    this.kind = kind;
  }
}

const LONGEST_SHOWN = 200;

/** A client's text as a message may repeat it: quoted, without control characters, at most 200 characters. */
export const shown = (text: string): string =>
  JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);

export const absent = (path: string): Refusal =>
  new Refusal(`There is no ${shown(path)}. list_directory shows what is there.`, "absent");

/** Words for the errors of the system; Node's own messages hold paths of the host and are never passed on. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the node's user has no permission",
  EPERM: "the system does not permit it",
  EROFS: "the disk is mounted read-only",
  ENOSPC: "the disk is full; nothing was changed",
  EDQUOT: "the disk quota is used up; nothing was changed",
  EFBIG: "the file would be larger than the system lets the node write; nothing was changed",
  EIO: "the disk reports an error (EIO)",
  EXDEV: "the two places are on different disks; read it and write it instead",
  EEXIST: "something of that name is there already",
  ENOTEMPTY: "the folder there is not empty",
  ENAMETOOLONG: "the name is too long for this disk",
  EINVAL: "this disk does not take the name or the operation",
  EILSEQ: "this disk does not take the characters of the name",
  EBUSY: "it is in use",
  ETXTBSY: "it is a program that runs now",
  EMFILE: "the node has too many files open; try again",
  ENFILE: "the machine has too many files open; try again",
  ESTALE: "the network disk has lost it; try again",
};

/** The system's code of an error, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** What a client reads of an error while something was done with `path`; errors that are no system's are thrown on. */
export function refusalOf(error: unknown, path: string): Refusal {
  if (error instanceof Refusal) return error;
  const code = codeOf(error);
  if (code === undefined) throw error;
  if (code === "ENOENT") return absent(path);
  if (code === "ENOTDIR" || code === "ELOOP")
    return new Refusal(
      `${shown(path)} leads through something that is no folder. Links are not followed, wherever they lead.`,
    );
  return new Refusal(`${shown(path)} cannot be used: ${REASONS[code] ?? `the system says ${code}`}.`);
}
