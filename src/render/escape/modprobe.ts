import { OmniError } from "../../core/index.ts";

const refuse = (place: string, what: string): never => {
  throw new OmniError("render.unrepresentable", `${place}: ${what}`, {
    hint: "Change the value in the spec; modprobe.d holds one line a setting, without escapes.",
  });
};

/** Name of a kernel module, checked. Throws `OmniError` `render.unrepresentable` that names `place`. */
export const moduleName = (text: string, place: string): string =>
  /^\w[\w-]*$/.test(text)
    ? text
    : refuse(place, `${JSON.stringify(text)} is no name of a kernel module (letters, digits, _ and -).`);

/**
 * One option of a module, checked: modprobe.d has no escapes, a line ends at the newline and goes on after a backslash
 * at its end. Throws `OmniError` `render.unrepresentable` that names `place`. Source: modprobe.d(5).
 */
export function moduleOption(text: string, place: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(text))
    return refuse(place, `the option ${JSON.stringify(text)} holds a control character.`);
  if (text.endsWith("\\"))
    return refuse(place, `the option ${JSON.stringify(text)} ends with a backslash, which joins two lines.`);
  if (text.split('"').length % 2 === 0)
    return refuse(place, `the option ${JSON.stringify(text)} opens a quote and does not close it.`);
  if (/^\s|\s$|^$/.test(text) || /\s/.test(text.replaceAll(/"[^"]*"/g, "")))
    return refuse(place, `the option ${JSON.stringify(text)} holds a space outside of double quotes.`);
  return text;
}
