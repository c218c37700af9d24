import { OmniError } from "../../core/index.ts";

/**
 * A text as the kubelet hands it on unchanged in `command`, `args` and the value of a variable, where `$(NAME)` is replaced
 * and `$$` becomes `$`: each dollar that would be read so is doubled, all others stay. `at` names the place in omni.yaml.
 * Throws `OmniError` `render.unrepresentable` on NUL, which no process can be given.
 * Source: kubernetes/third_party/forked/golang/expansion.
 */
export function kubernetesText(text: string, at: string): string {
  if (text.includes("\0")) {
    throw new OmniError("render.unrepresentable", `${at}: no process can be given a NUL character.`, {
      hint: "Remove the character from the spec.",
    });
  }
  return text.replaceAll(/\$+(?=\()|\${2,}/g, (dollars) => dollars + dollars);
}
