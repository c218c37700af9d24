import { Button } from "../../../parts/button.tsx";
import { CommandLine } from "../../../parts/command-line.tsx";
import { CopyButton } from "../../../parts/copy-button.tsx";
import { download } from "../../../parts/download.ts";
import { Panel } from "../../../parts/panel.tsx";

interface ExportSpecProps {
  readonly text: string;
  /** Where the running spec came from: a file, or `the demo`. */
  readonly origin: string;
  /** A node would refuse it as it is. */
  readonly wrong: boolean;
}

/** Gives the changed spec away, and says what makes the node run it. */
export function ExportSpec({ text, origin, wrong }: ExportSpecProps) {
  const file = /\.ya?ml$/.test(origin) ? origin : undefined;
  const name = file?.split("/").at(-1) ?? "omni.yaml";
  return (
    <Panel
      title="Take it over"
      actions={
        <>
          <CopyButton text={text} label="Copy the spec" />
          <Button tone="primary" onPress={() => download(name, text, "application/yaml")}>
            Download {name}
          </Button>
        </>
      }
    >
      {wrong ? (
        <p>It is wrong as it is: a node would refuse it. The findings say what to mend first.</p>
      ) : (
        <Steps file={file} name={name} origin={origin} />
      )}
    </Panel>
  );
}

interface StepsProps {
  /** The file that the node runs, where it runs one. */
  readonly file: string | undefined;
  readonly name: string;
  readonly origin: string;
}

/** What makes the node run the saved spec. */
function Steps({ file, name, origin }: StepsProps) {
  // What is no plain word would have to be quoted for a shell; its name is left to whoever types it.
  const place = file === undefined || /^[\w./@:+-]+$/.test(file) ? (file ?? name) : "SPEC";
  return (
    <>
      {file === undefined ? (
        <p>
          This node runs {origin}, which is no file. Save the spec as <code>{name}</code> in the folder that
          you start Omni from; then the running node is taken over by
        </p>
      ) : (
        <p>
          Save it over <code>{file}</code> on the machine of the node. Then one of these takes it over; only
          services that changed are restarted, after their requests have ended.
        </p>
      )}
      {file !== undefined && <CommandLine command="./omni reload" />}
      <CommandLine command={`./omni up ${place} --replace`} />
      {file === undefined && (
        <p className="quiet">
          From then on <code>./omni reload</code> reads it anew after each change.
        </p>
      )}
    </>
  );
}
