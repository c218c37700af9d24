import { OmniError } from "../../core/index.ts";

const refuse = (place: string, what: string): never => {
  throw new OmniError("render.unrepresentable", `${place}: ${what}`, {
    hint: "Change the value in the spec; Proxmox's configuration has no way to write it.",
  });
};

/** A whole value of a VM's configuration: one line, no spaces at its ends. Throws `OmniError` `render.unrepresentable`. */
export function pveValue(text: string, place: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (/[\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(text))
    return refuse(place, `${JSON.stringify(text)} holds a line break or another control character.`);
  if (text === "" || text.trim() !== text)
    return refuse(place, `${JSON.stringify(text)} is empty or has spaces at its ends.`);
  return text;
}

/** A part of a property string. A comma ends it, and a semicolon separates items of a list. Throws as `pveValue` does. */
export function pvePart(text: string, place: string): string {
  const found = /[,;]/.exec(pveValue(text, place))?.[0];
  if (found !== undefined)
    return refuse(place, `${JSON.stringify(text)} holds ${JSON.stringify(found)}, which ends the value.`);
  return text;
}

/** Name of a storage or a bridge, which is a word. Throws as `pveValue` does. */
export const pveName = (text: string, place: string): string =>
  /^[A-Za-z][\w.-]*$/.test(text)
    ? text
    : refuse(place, `${JSON.stringify(text)} is no name that Proxmox takes (letters, digits, . _ -).`);

/** `a=1,b=2` of the parts that are there; a part without a key comes as it is. Values have been through `pvePart`. */
export const propertyString = (
  parts: readonly (readonly [key: string, value: string | number | undefined])[],
): string =>
  parts
    .flatMap(([key, value]) => (value === undefined ? [] : [key === "" ? String(value) : `${key}=${value}`]))
    .join(",");

/**
 * The notes of a VM as the head of its configuration file: one `#` a line, every byte but printable ASCII in percent
 * form. Source: PVE::Tools encode_text, read back by PVE::QemuServer parse_vm_config.
 */
export const pveNotes = (text: string): string =>
  text
    .split("\n")
    .map((line) => `#${encodeNotes(line)}`)
    .join("\n");

const encodeNotes = (line: string): string =>
  Array.from(new TextEncoder().encode(line), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
