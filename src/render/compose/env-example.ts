import type { Artifact } from "../artifact.ts";
import { hashComment } from "../escape/shell.ts";
import type { ComposeDraft } from "./compose-draft.ts";
import type { ComposePlace } from "./place.ts";

/** Names of the variables that the owner sets, never a value; absent where the file asks for none. */
export const envExample = ({ folder }: ComposePlace, { variables }: ComposeDraft): readonly Artifact[] =>
  variables.length === 0
    ? []
    : [
        {
          path: `${folder}/.env.example`,
          content: [
            hashComment(
              "Variables that compose.yaml asks for, by name; Omni rendered this from omni.yaml and knows no value.\nUse: cp .env.example .env && chmod 600 .env, then fill it in. Compose reads .env by itself; keep it out of git.",
            ),
            ...variables.map(({ name, uses }) => `\n${hashComment(`For ${uses.join(", ")}.`)}\n${name}=`),
            "",
          ].join("\n"),
          mode: 0o644,
          reason: `asked for by ${variables.map(({ name }) => name).join(", ")} in compose.yaml`,
        },
      ];
