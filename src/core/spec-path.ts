/** Where something stands in the spec: map keys and list positions from the root. */
export type SpecPath = readonly (string | number)[];

/** `services.oracle.devices[1]`; a key that would be misread is written `models["qwen2.5"]`. */
export function formatPath(path: SpecPath): string {
  let text = "";
  for (const segment of path) {
    if (typeof segment === "number") text += `[${segment}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(segment)) text += text === "" ? segment : `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}

/** The inverse of `formatPath`; a key with dots that was not put in brackets falls into its parts. */
export const parsePath = (text: string): SpecPath =>
  [...text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(([, index, quoted, plain = ""]) =>
    index === undefined ? (quoted === undefined ? plain : String(JSON.parse(quoted))) : Number(index),
  );

/** A key for maps: two paths are the same place exactly when their keys are equal. */
export const pathKey = (path: SpecPath): string => JSON.stringify(path);

/** True when `path` is `ancestor` or lies below it. */
export const isWithin = (path: SpecPath, ancestor: SpecPath): boolean =>
  ancestor.length <= path.length && ancestor.every((segment, index) => segment === path[index]);
