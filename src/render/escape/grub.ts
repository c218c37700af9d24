/** What ends a word or expands in GRUB's own script language, in which the boot line is written down. */
const SPECIAL = /[$;&|<>{}]/g;

/** A kernel argument as GRUB's menu script reads it. Source: GRUB manual, "Quoting": a backslash keeps any character. */
export const grubMenuWord = (argument: string): string =>
  argument.replaceAll(SPECIAL, (character) => `\\${character}`);

/**
 * The shell line of /etc/default/grub.d that appends arguments to the boot line. Two readers: the shell that sources the
 * file, and GRUB, which reads the text that grub-mkconfig copies from the variable.
 */
export const grubAppend = (argumentsInOrder: readonly string[]): string =>
  `GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${inDoubleQuotes(argumentsInOrder.map(grubMenuWord).join(" "))}"`;

/** What stays special between double quotes of a shell. Source: POSIX XCU 2.2.3. */
const inDoubleQuotes = (text: string): string => text.replaceAll(/[\\$"`]/g, (character) => `\\${character}`);
