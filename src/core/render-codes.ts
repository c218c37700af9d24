/** Codes of deployment and renderers; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const RENDER_CODES = {
  "render.unrepresentable": entry(
    2,
    "A value cannot be written in the target's language at all.",
    "Change the value; the message names the character.",
  ),
  "render.drift": entry(
    1,
    "The folder differs from what the spec renders to.",
    "Run ./omni render without --check, and look at --diff first.",
  ),
  "render.foreign-file": entry(
    3,
    "A file that Omni did not write stands where one would be rendered.",
    "Move it away, or render into another folder.",
  ),
  "render.edited-file": entry(
    3,
    "A rendered file was edited by hand since.",
    "Carry the change into the spec, or pass --force to write over it.",
  ),
  "render.unsafe-path": entry(
    3,
    "A path leads out of the output folder, or through a link.",
    "Render into a plain folder of its own.",
  ),
  "render.cannot-write": entry(
    1,
    "The output folder cannot be read or written.",
    "Check its permissions and the free space; every file in it is whole.",
  ),
  "render.busy": entry(
    1,
    "Another ./omni render is writing to the output folder.",
    "Run it again when the other one has ended.",
  ),
  "render.manifest-invalid": entry(
    2,
    "The manifest of the output folder cannot be read, so nobody knows which files are Omni's.",
    "Restore omni-manifest.json, or render into an empty folder.",
  ),
  "render.nothing": entry(
    2,
    "The target has nothing to render for this spec.",
    "Leave --target away to render all that applies.",
  ),
  "render.refused-service": entry(
    2,
    "The plan refused a service; its files are rendered as written and never start by themselves.",
    "Correct what the plan refuses: ./omni plan says why.",
  ),
  "render.no-image": entry(
    2,
    "No image is known for an engine that runs in a container.",
    "Name one: engines.NAME.image, or how it is built: engines.NAME.build.",
  ),
  "render.needs-value": entry(
    2,
    "A value that only the owner knows is missing from the spec.",
    "Add it to the spec; the message says where it is read.",
  ),
  "render.not-applicable": entry(
    2,
    "Something of the spec has no effect, or no form, on this target.",
    "See the message for what does it there.",
  ),
  "render.unpinned": entry(
    2,
    "Something that is built is not pinned, so the same spec can give another image tomorrow.",
    "Name a commit of 40 hexadecimal digits, or an image with its digest.",
  ),
  "binary.lacks-architecture": entry(
    1,
    "A binary does not carry the code that was required.",
    "Build it again with that architecture in its list; the message names what it carries.",
  ),
  "render.ask-factory": entry(
    2,
    "The id of a Talos schematic cannot be computed without the image factory.",
    "Run the rendered schematic-id.sh; it posts the schematic and prints the id.",
  ),
  "render.version-mismatch": entry(
    2,
    "Two versions of the spec do not go together.",
    "Choose versions that do; the message says which.",
  ),
  "render.vm-will-not-start": entry(
    2,
    "Proxmox or QEMU will refuse to start a VM as the spec writes it; it is rendered as written.",
    "Correct what the message names under guest.vm.",
  ),
  "render.step-refused": entry(
    2,
    "A rendered script refuses a step, because what the spec asks for cannot hold.",
    "Correct the spec; the message says what contradicts itself.",
  ),
} as const satisfies Record<string, Entry>;
