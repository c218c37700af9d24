import { OmniError } from "../../core/index.ts";

/** Printable ASCII without the space between arguments, quotes and the backslash, which boot loaders and kernel read differently. */
const ARGUMENT = /^(?!#)[!#-&(-[\]-~]+$/;

/**
 * One argument of the kernel's command line, checked. A quoted value with spaces is refused: GRUB takes the quotes off and
 * puts others on, systemd-boot does not. Throws `OmniError` `render.unrepresentable` that names `place`.
 * Source: Linux Documentation/admin-guide/kernel-parameters.rst; GRUB grub-core/lib/cmdline.c.
 */
export function kernelArgument(text: string, place: string): string {
  if (ARGUMENT.test(text)) return text;
  const found = /[^!#-&(-[\]-~]/u.exec(text)?.[0] ?? text[0];
  throw new OmniError(
    "render.unrepresentable",
    `${place}: the kernel argument ${JSON.stringify(text)} holds ${found === undefined ? "nothing" : JSON.stringify(found)}, which a boot line cannot carry: an argument is printable ASCII without spaces, quotes, backslashes or a leading #.`,
    { hint: "Write one argument an entry, without quotes." },
  );
}
