/**
 * The spec: the language of `omni.yaml`. Text goes in, a frozen `Spec` or diagnostics with line and column come out; one file
 * for each section of the language, one for each cross-check. Nothing here opens a file, asks the machine, or decides
 * what runs where: that is the plan's.
 */
export { editSpec } from "./edit-spec.ts";
export { jsonSchema } from "./json-schema.ts";
export { loadSpec } from "./load-spec.ts";
export type { LoadedSpec, SpecPlace } from "./load-spec.ts";
export { parsePath } from "../core/spec-path.ts";
export type { SpecPath } from "../core/spec-path.ts";
export { withoutSecrets } from "./secret-forms.ts";
export { serviceName } from "./service-name.ts";
export { specReference } from "./spec-reference.ts";
export type { Service, Spec } from "./spec.ts";
