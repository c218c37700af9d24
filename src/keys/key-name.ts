import { OmniError } from "../core/index.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/;
/** The caller of a node without keys is called so. */
const RESERVED = "local";

/** Whether a text can stand for a route, service or model in what a key may use. */
export const isTargetName = (text: string): boolean => NAME.test(text);

/** The name of a key, checked. Throws `OmniError` `key.name`. */
export function checkedKeyName(name: string): string {
  if (NAME.test(name) && name !== RESERVED) return name;
  throw new OmniError("key.name", `${JSON.stringify(name.slice(0, 200))} cannot be the name of a key.`, {
    hint: `Use letters, digits and . _ : / -, at most 128; ${RESERVED} stands for a node without keys.`,
  });
}
