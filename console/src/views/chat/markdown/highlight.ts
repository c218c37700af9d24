import { common, createLowlight } from "lowlight";

/** A stretch of code, with the classes of what it is. */
export interface Stretch {
  readonly text: string;
  readonly classes: string;
}

type Tree = ReturnType<typeof lowlight.highlight>["children"][number];

const lowlight = createLowlight(common);

/** The code in stretches, or `undefined` for a language that is not known. */
export function highlight(code: string, language: string): readonly Stretch[] | undefined {
  if (!lowlight.registered(language)) return undefined;
  return lowlight.highlight(language, code).children.flatMap((node) => stretchesOf(node, ""));
}

function stretchesOf(node: Tree, classes: string): readonly Stretch[] {
  if (node.type === "text") return [{ text: node.value, classes }];
  if (node.type !== "element") return [];
  const own = node.properties["className"];
  const names = Array.isArray(own) ? own.join(" ") : "";
  const all = [classes, names].filter((one) => one !== "").join(" ");
  return node.children.flatMap((child) => stretchesOf(child, all));
}
