/** A value of an attribute, as OTLP's JSON writes it: 64-bit integers are texts. */
export type AttributeValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean };

export interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** SpanKind of OTLP. */
export const SPAN_KIND = { server: 2, client: 3 } as const;
/** StatusCode of OTLP. */
export const STATUS_ERROR = 2;

/** A span as OTLP's JSON form has it (opentelemetry-proto, trace.proto; ids are hexadecimal there, not base64). */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

/** Longest text of an attribute; what is longer is cut. */
const LONGEST = 1000;

/** Attributes of what is known; `undefined` is left out. Whole numbers become integers. */
export function attributes(of: Readonly<Record<string, string | number | boolean | undefined>>): Attribute[] {
  const list: Attribute[] = [];
  for (const [key, value] of Object.entries(of)) {
    if (value !== undefined) list.push({ key, value: attributeValue(value) });
  }
  return list;
}

function attributeValue(value: string | number | boolean): AttributeValue {
  if (typeof value === "string") return { stringValue: value.slice(0, LONGEST) };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Nanoseconds since the epoch as text, of milliseconds: they are more than a number of JavaScript can hold. */
export function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const part = Math.round((milliseconds - whole) * 1e6);
  return part >= 1_000_000 ? `${whole + 1}000000` : `${whole}${String(part).padStart(6, "0")}`;
}
