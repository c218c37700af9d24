import { foldName, foldText } from "./fold.ts";
import { charactersOf, compileGlob, type Characters, type PlainGlob } from "./glob.ts";
import { SECRET_NAMES } from "./secret-names.ts";

/** Tells what no client may see or touch. */
export interface Deny {
  /**
   * Whether something on the way to these names is closed, or what they name. The first `known` names have been asked for
   * before.
   */
  denies(root: string, names: readonly string[], known?: number): boolean;
}

/** A glob over whole paths, or over a name at any depth. */
interface Rule {
  readonly path: boolean;
  readonly glob: PlainGlob;
}

/**
 * The owner's globs and those of `SECRET_NAMES`. A glob without a slash means a name at any depth; one with a slash a path
 * beneath a root, with or without the root's name before it. What is beneath something denied is denied; `folder/**` is the
 * folder too. Names are compared folded (`foldName`), also as they are without what follows a colon, which NTFS takes for a
 * stream of the same file.
 */
export function createDeny(globs: readonly string[]): Deny {
  const byLast = new Map<string, Rule[]>();
  const others: Rule[] = [];
  for (const text of [...SECRET_NAMES.flatMap((group) => group.globs), ...globs]) {
    const { path, alternatives } = compileGlob(foldText(text));
    for (const glob of alternatives) {
      const rule = { path, glob };
      if (glob.last === undefined) others.push(rule);
      else byLast.set(glob.last, [...(byLast.get(glob.last) ?? []), rule]);
    }
  }
  const applies = ({ path: wide, glob }: Rule, root: Characters, path: readonly Characters[]): boolean =>
    wide ? glob.matches(path) || glob.matches([root, ...path]) : glob.matches(path.slice(-1));
  const last = (root: Characters, path: readonly Characters[]): boolean => {
    const name = path.at(-1) ?? [];
    const plain = byLast.get(name.join(""));
    return (
      (plain !== undefined && plain.some((rule) => applies(rule, root, path))) ||
      others.some((rule) => rule.glob.mayEnd(name) && applies(rule, root, path))
    );
  };
  const any = (root: string, folded: readonly string[], known: number): boolean => {
    const first = charactersOf(root);
    const path = folded.map(charactersOf);
    for (let length = known + 1; length <= path.length; length++)
      if (last(first, path.slice(0, length))) return true;
    return false;
  };
  return {
    denies: (root, given, known = 0) =>
      any(root, given.map(foldName), known) ||
      (given.some((name) => name.includes(":")) &&
        any(
          root,
          given.map((name) => foldName(name.split(":")[0] ?? "")),
          known,
        )),
  };
}
