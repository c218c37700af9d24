import { badParameter } from "./api-error.ts";
import { isObject, show } from "./fields.ts";
import type { GrammarRules } from "./grammar-rules.ts";
import {
  JSON_ARRAY,
  JSON_CHAR,
  JSON_INTEGER,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  JSON_VALUE,
  literal,
  SPACE,
} from "./grammar-rules.ts";
import { integerRange } from "./integer-range.ts";
import type { Schema } from "./schema-keywords.ts";
import {
  asArray,
  asObject,
  bound,
  ENFORCED,
  FORMATS,
  impliedType,
  SILENT,
  without,
} from "./schema-keywords.ts";

/** llama.cpp unrolls repetitions and refuses grammars that become too large. */
const MOST_REPETITIONS = 1000;
const DEEPEST = 64;

export interface SchemaOptions {
  /** Name of the request's parameter that holds the schema, for messages. */
  readonly param: string;
  /** Refuse keywords that the grammar cannot enforce, instead of leaving them to the model. */
  readonly strict: boolean;
}

/**
 * Translates a JSON Schema into GBNF rules. Properties come in the schema's order, and only the declared ones
 * unless `additionalProperties` allows more. Throws `ApiError` 400 for schemas that no text fulfils, for broken
 * references, and in strict mode for what a grammar cannot say.
 */
export class SchemaGrammar {
  readonly #rules: GrammarRules;
  readonly #root: unknown;
  readonly #options: SchemaOptions;
  readonly #references = new Map<string, string>();
  #depth = 0;

  constructor(rules: GrammarRules, root: unknown, options: SchemaOptions) {
    this.#rules = rules;
    this.#root = root;
    this.#options = options;
  }

  /** The rule name of the whole schema. */
  rule(name: string): string {
    return this.#rules.add(name, this.#visit(this.#root, name));
  }

  #refuse(path: string, why: string): Error {
    return badParameter(
      this.#options.param,
      `The JSON schema at ${path} cannot be used: ${why}.`,
      "invalid_json_schema",
    );
  }

  #visit(schema: unknown, path: string): string {
    if (schema === true) return JSON_VALUE;
    if (schema === false) throw this.#refuse(path, "no value fulfils false");
    if (!isObject(schema)) throw this.#refuse(path, `${show(schema)} is no schema`);
    this.#checkKeywords(schema, path);
    if (++this.#depth > DEEPEST) throw this.#refuse(path, `it is nested deeper than ${DEEPEST} levels`);
    const nullable = schema["nullable"] === true ? ` | "null"` : "";
    const body = `${this.#body(schema, path)}${nullable}`;
    this.#depth--;
    return body;
  }

  #body(schema: Schema, path: string): string {
    if (typeof schema["$ref"] === "string") return this.#reference(schema["$ref"], path);
    if ("const" in schema) return literal(JSON.stringify(schema["const"]));
    if (Array.isArray(schema["enum"])) return this.#enumeration(schema["enum"], path);
    const options = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(options)) {
      const base = without(schema, ["anyOf", "oneOf", "$defs", "definitions"]);
      return this.#alternatives(
        options.map((option: unknown) => this.#merge(base, option, path)),
        path,
      );
    }
    if (Array.isArray(schema["allOf"])) return this.#allOf(schema, schema["allOf"], path);
    const type = schema["type"];
    if (Array.isArray(type))
      return this.#alternatives(
        type.map((one: unknown) => ({ ...schema, type: one })),
        path,
      );
    return this.#typed(schema, type ?? impliedType(schema), path);
  }

  #typed(schema: Schema, type: unknown, path: string): string {
    switch (type) {
      case "object":
        return this.#object(schema, path);
      case "array":
        return this.#array(schema, path);
      case "string":
        return this.#string(schema, path);
      case "integer":
        return `(${this.#integer(schema, path)})`;
      case "number":
        return this.#number(schema, path);
      case "boolean":
        return `("true" | "false")`;
      case "null":
        return `"null"`;
      case undefined:
        return JSON_VALUE;
      default:
        throw this.#refuse(path, `the type ${show(type)} does not exist`);
    }
  }

  #checkKeywords(schema: Schema, path: string): void {
    if (!this.#options.strict) return;
    for (const keyword of Object.keys(schema)) {
      if (SILENT.has(keyword) || ENFORCED.has(keyword)) continue;
      throw this.#refuse(path, `${keyword} cannot be enforced here; remove it or use strict: false`);
    }
  }

  #unenforced(what: string, path: string): void {
    if (this.#options.strict)
      throw this.#refuse(path, `${what} cannot be enforced here; remove it or use strict: false`);
  }

  #reference(reference: string, path: string): string {
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const name = this.#rules.reserve(`ref-${reference}`);
    this.#references.set(reference, name);
    this.#rules.define(name, this.#visit(this.#resolve(reference, path), path));
    return name;
  }

  #resolve(reference: string, path: string): unknown {
    if (!reference.startsWith("#")) throw this.#refuse(path, `${reference} is not inside the schema`);
    let target: unknown = this.#root;
    for (const part of reference
      .slice(1)
      .split("/")
      .filter((part) => part !== "")) {
      const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
      target =
        isObject(target) && Object.hasOwn(target, key)
          ? target[key]
          : Array.isArray(target)
            ? target[Number(key)]
            : undefined;
    }
    if (target === undefined) throw this.#refuse(path, `${reference} leads nowhere`);
    return target;
  }

  #enumeration(values: readonly unknown[], path: string): string {
    if (values.length === 0) throw this.#refuse(path, "an empty enum has no value");
    return `(${values.map((value) => literal(JSON.stringify(value))).join(" | ")})`;
  }

  #alternatives(options: readonly unknown[], path: string): string {
    if (options.length === 0) throw this.#refuse(path, "an empty list of alternatives has no value");
    return options
      .map((option, i) => this.#rules.add(`${path}-${i}`, this.#visit(option, `${path}-${i}`)))
      .join(" | ");
  }

  #allOf(schema: Schema, parts: readonly unknown[], path: string): string {
    let whole: Schema = without(schema, ["allOf"]);
    for (const part of parts) {
      const resolved =
        isObject(part) && typeof part["$ref"] === "string" ? this.#resolve(part["$ref"], path) : part;
      whole = this.#merge(whole, resolved, path);
    }
    return this.#visit(whole, path);
  }

  /** Two schemas that both apply: properties and required together, other keywords of the second win. */
  #merge(base: Schema, more: unknown, path: string): Schema {
    if (more === true) return base;
    if (!isObject(more))
      throw this.#refuse(path, `${show(more)} is no schema that can be joined with others`);
    const silent = Object.keys(base).every((keyword) => SILENT.has(keyword) && keyword !== "required");
    if (silent) return { ...base, ...more };
    const properties = { ...asObject(base["properties"]), ...asObject(more["properties"]) };
    const required = [...asArray(base["required"]), ...asArray(more["required"])];
    return {
      ...base,
      ...more,
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(required.length > 0 ? { required } : {}),
    };
  }

  #object(schema: Schema, path: string): string {
    const required = new Set(asArray(schema["required"]));
    const declared = asObject(schema["properties"]);
    const undeclared = [...required].filter(
      (name) => typeof name === "string" && !Object.hasOwn(declared, name),
    );
    const properties = [
      ...Object.entries(declared),
      ...undeclared.map((name) => [String(name), true] as const),
    ];
    const more = schema["additionalProperties"];
    const open = isObject(more) || more === true || (more === undefined && properties.length === 0);
    if (properties.length === 0 && !isObject(more)) return open ? JSON_OBJECT : `"{" ${SPACE} "}"`;
    const members = properties.map(([name, value]) => ({
      text: this.#rules.add(
        `${path}-${name}-member`,
        `${literal(`${JSON.stringify(name)}:`)} ${SPACE} (${this.#visit(value, `${path}-${name}`)})`,
      ),
      required: required.has(name),
    }));
    const extra = open
      ? this.#rules.add(
          `${path}-extra`,
          `${JSON_STRING} ":" ${SPACE} (${this.#visit(more ?? true, `${path}-extra`)})`,
        )
      : undefined;
    return `"{" ${SPACE} ${this.#members(members, extra, path)} ${SPACE} "}"`;
  }

  /** Members in order with their commas: optional ones carry the comma that separates them from a required one. */
  #members(
    members: readonly { text: string; required: boolean }[],
    extra: string | undefined,
    path: string,
  ): string {
    const comma = `"," ${SPACE}`;
    const rest = extra === undefined ? "" : ` (${comma} ${extra})*`;
    const pivot = members.findIndex((member) => member.required);
    if (pivot >= 0) {
      const before = members.slice(0, pivot).map(({ text }) => `(${text} ${comma})?`);
      const after = members
        .slice(pivot + 1)
        .map(({ text, required }) => (required ? `${comma} ${text}` : `(${comma} ${text})?`));
      return `${[...before, members[pivot]?.text ?? "", ...after].join(" ")}${rest}`;
    }
    // All optional: whichever comes first has no comma, all that follow have one.
    const starts = members.map(({ text }, i) => {
      const after = members.slice(i + 1).map((member) => `(${comma} ${member.text})?`);
      return this.#rules.add(`${path}-from-${i}`, `${[text, ...after].join(" ")}${rest}`);
    });
    if (extra !== undefined) starts.push(`${extra}${rest}`);
    return `(${starts.join(" | ")})?`;
  }

  #array(schema: Schema, path: string): string {
    const prefix = Array.isArray(schema["prefixItems"])
      ? schema["prefixItems"]
      : Array.isArray(schema["items"])
        ? schema["items"]
        : [];
    const items: unknown = Array.isArray(schema["items"]) ? schema["additionalItems"] : schema["items"];
    if (prefix.length > 0) {
      const row = prefix.map((item: unknown, i) => `(${this.#visit(item, `${path}-${i}`)})`);
      return `"[" ${SPACE} ${row.join(` "," ${SPACE} `)} ${SPACE} "]"`;
    }
    const least = this.#count(schema, "minItems", path) ?? 0;
    const most = this.#count(schema, "maxItems", path);
    if (items === undefined && least === 0 && most === undefined) return JSON_ARRAY;
    if (most !== undefined && most < least)
      throw this.#refuse(path, `maxItems ${most} is below minItems ${least}`);
    if (most === 0) return `"[" ${SPACE} "]"`;
    const item = this.#rules.add(`${path}-item`, this.#visit(items ?? true, `${path}-item`));
    const more = `("," ${SPACE} ${item}){${Math.max(0, least - 1)},${most === undefined ? "" : most - 1}}`;
    return `"[" ${SPACE} ${least === 0 ? `(${item} ${more})?` : `${item} ${more}`} ${SPACE} "]"`;
  }

  #string(schema: Schema, path: string): string {
    const format = schema["format"];
    if (typeof format === "string") {
      const time = FORMATS.get("time") ?? "";
      const body = format === "date-time" ? `${FORMATS.get("date")} "T" ${time}` : FORMATS.get(format);
      if (body !== undefined) return `"\\"" ${body} "\\""`;
      this.#unenforced(`the format ${format}`, path);
    }
    const least = this.#count(schema, "minLength", path) ?? 0;
    const most = this.#count(schema, "maxLength", path);
    if (least === 0 && most === undefined) return JSON_STRING;
    if (most !== undefined && most < least)
      throw this.#refuse(path, `maxLength ${most} is below minLength ${least}`);
    return `"\\"" ${JSON_CHAR}{${least},${most ?? ""}} "\\""`;
  }

  /** A bound on a length; one beyond what a grammar can hold is left to the model. */
  #count(schema: Schema, keyword: string, path: string): number | undefined {
    const value = schema[keyword];
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
      throw this.#refuse(path, `${keyword} is ${show(value)}`);
    if (value <= MOST_REPETITIONS) return value;
    this.#unenforced(`${keyword} above ${MOST_REPETITIONS}`, path);
    return undefined;
  }

  #integer(schema: Schema, path: string): string {
    const least = bound(schema, "minimum", "exclusiveMinimum", 1);
    const most = bound(schema, "maximum", "exclusiveMaximum", -1);
    if (least === undefined && most === undefined) return JSON_INTEGER;
    if (least !== undefined && most !== undefined && least > most)
      throw this.#refuse(path, `no whole number lies from ${least} to ${most}`);
    return integerRange(least, most);
  }

  #number(schema: Schema, path: string): string {
    const bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].filter(
      (key) => key in schema,
    );
    if (bounds.length === 0) return JSON_NUMBER;
    this.#unenforced(`${bounds.join(", ")} of a number that may have a fraction`, path);
    return JSON_NUMBER;
  }
}
