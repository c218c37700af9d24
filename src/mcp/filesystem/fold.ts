const ASCII = /^[\u0020-\u007e]*$/;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * A text as the most forgiving file system would compare it: compatibility forms composed (NFKC), case folded as far as
 * `ß` = `SS`, and invisible characters left out, as ext4 with casefold and HFS+ do. Two texts that any disk takes for the same
 * have one folded form; some that no disk does, have too.
 */
export function foldText(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const visible = text.normalize("NFKC").replaceAll(IGNORABLE, "");
  return visible.toLowerCase().toUpperCase().toLowerCase().normalize("NFKC");
}

/** The same of one name of a path, without trailing dots and spaces, which FAT and Windows drop. */
export const foldName = (name: string): string => foldText(name).replace(/[. ]+$/, "");
