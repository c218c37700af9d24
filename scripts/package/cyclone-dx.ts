import type { ShippedPackage } from "./shipped-packages.ts";

interface Product {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

const identity = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

/** Package URL (github.com/package-url/purl-spec): the scope's `@` is escaped. */
const purl = (one: { readonly name: string; readonly version: string }): string =>
  `pkg:npm/${identity({ ...one, name: one.name.replace("@", "%40") })}`;

/** One identifier, or an expression of several. */
const licences = (licence: string | undefined): readonly object[] =>
  licence === undefined
    ? []
    : [/[\s()]/.test(licence) ? { expression: licence } : { license: { id: licence } }];

const hashes = (integrity: string | undefined): readonly object[] =>
  integrity?.startsWith("sha512-") === true
    ? [{ alg: "SHA-512", content: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") }]
    : [];

/**
 * A software bill of materials in CycloneDX 1.6 (ECMA-424). It carries no time and no random number, so that the same lock
 * gives the same bytes.
 */
export function cycloneDx(product: Product, packages: readonly ShippedPackage[]): object {
  const distinct = [...new Map(packages.map((one) => [identity(one), one])).values()];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": identity(product),
        name: product.name,
        version: product.version,
        description: product.description,
        licenses: licences(product.license),
        purl: purl(product),
      },
    },
    components: distinct.map(componentOf),
    dependencies: [
      {
        ref: identity(product),
        dependsOn: packages.filter(({ direct }) => direct).map(identity),
      },
      ...distinct.map((one) => ({ ref: identity(one), dependsOn: [...new Set(one.needs)].toSorted() })),
    ],
  };
}

const componentOf = (one: ShippedPackage): object => ({
  type: "library",
  "bom-ref": identity(one),
  name: one.name,
  version: one.version,
  scope: one.optional ? "optional" : "required",
  hashes: hashes(one.integrity),
  licenses: licences(one.licence),
  purl: purl(one),
  properties: [{ name: "omni:within", value: one.within }],
});
