import type { Diagnostic } from "../../core/index.ts";
import type { SecretReference } from "../../deployment/index.ts";
import type { YamlNote } from "../documents/yaml.ts";
import { composeText, composeVariable } from "../escape/compose.ts";

/** A secret that lies in a file of the node, as the file's own `secrets` section names it. */
export interface SecretFile {
  readonly name: string;
  readonly path: string;
}

/**
 * What the parts of one compose file leave behind beside their values: comments, findings, and the variables, secret
 * files and volumes that the file as a whole has to declare. One draft a file; parts only add.
 */
export class ComposeDraft {
  readonly notes: YamlNote[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly volumes = new Set<string>();
  readonly #variables = new Map<string, string[]>();
  readonly #secrets = new Map<string, SecretFile>();

  note(path: YamlNote["path"], comment: string): void {
    this.notes.push({ path, comment });
  }

  find(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
  }

  /**
   * A reference to a variable that the owner sets in `.env`. Compose reads the whole file whatever is started, so a
   * variable of a service that never starts by itself (`optional`) must not hold up the others.
   */
  variable(
    name: string,
    use: { readonly at: string; readonly why: string; readonly optional: boolean },
  ): string {
    const reference = composeVariable(name, use.at, use.optional ? undefined : `set ${name} in .env`);
    const uses = this.#variables.get(name) ?? [];
    if (!uses.includes(use.why)) uses.push(use.why);
    this.#variables.set(name, uses);
    return reference;
  }

  /** Name under which a file's secret is declared; the same file has one name. */
  secretFile(path: string, at: string): string {
    const known = this.#secrets.get(path);
    if (known !== undefined) return known.name;
    const stem =
      path
        .replace(/^.*\//, "")
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "-")
        .replaceAll(/^-+|-+$/g, "") || "secret";
    const taken = new Set([...this.#secrets.values()].map(({ name }) => name));
    let name = stem;
    for (let turn = 2; taken.has(name); turn += 1) name = `${stem}-${turn}`;
    this.#secrets.set(path, { name, path: composeText(path, at) });
    return name;
  }

  /** Variables of `.env` with what each is for, in the order in which the file refers to them. */
  get variables(): readonly { readonly name: string; readonly uses: readonly string[] }[] {
    return [...this.#variables].map(([name, uses]) => ({ name, uses }));
  }

  get secrets(): readonly SecretFile[] {
    return [...this.#secrets.values()];
  }
}

/** The one thing that a reference names. */
export const isFileSecret = (reference: SecretReference): reference is { readonly file: string } =>
  reference.env === undefined && reference.file !== undefined;
