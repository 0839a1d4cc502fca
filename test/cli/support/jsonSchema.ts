/**
 * As much of JSON Schema draft 7 as gantry's own schemas use; a keyword that is not known here throws.
 */
type Json = unknown
type JsonObject = Readonly<Record<string, Json>>

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const object = (value: Json): JsonObject => (isObject(value) ? value : {})
const list = (value: Json): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])

const types: Readonly<Record<string, (value: Json) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null
}

const says = new Set(["$id", "$schema", "$defs", "title", "description", "examples", "default"])

type Keyword = (expected: Json, value: Json, schema: JsonObject, root: JsonObject) => boolean

const numbers =
  (holds: (value: number, bound: number) => boolean): Keyword =>
  (bound, value) =>
    typeof value !== "number" || holds(value, Number(bound))

const keywords: Readonly<Record<string, Keyword>> = {
  type: (type, value) => types[String(type)]?.(value) ?? false,
  const: (expected, value) => expected === value,
  enum: (choices, value) => list(choices).includes(value),
  anyOf: (schemas, value, _, root) => list(schemas).some((schema) => fits(schema, value, root)),
  $ref: (path, value, _, root) => fits(object(root["$defs"])[String(path).replace("#/$defs/", "")], value, root),
  required: (names, value) => list(names).every((name) => !isObject(value) || Object.hasOwn(value, String(name))),
  properties: (schemas, value, _, root) =>
    Object.entries(object(schemas)).every(([name, schema]) => {
      const found = object(value)[name]
      return found === undefined || fits(schema, found, root)
    }),
  patternProperties: (schemas, value, _, root) =>
    Object.entries(object(schemas)).every(([pattern, schema]) =>
      Object.entries(object(value)).every(
        ([name, found]) => !new RegExp(pattern).test(name) || fits(schema, found, root)
      )
    ),
  propertyNames: (schema, value, _, root) => Object.keys(object(value)).every((name) => fits(schema, name, root)),
  additionalProperties: (extra, value, { patternProperties, properties }, root) =>
    Object.entries(object(value))
      .filter(([name]) => !Object.hasOwn(object(properties), name))
      .filter(([name]) => !Object.keys(object(patternProperties)).some((pattern) => new RegExp(pattern).test(name)))
      .every(([, found]) => extra === true || (extra !== false && fits(extra, found, root))),
  items: (schema, value, _, root) => list(value).every((item) => fits(schema, item, root)),
  minItems: (least, value) => !Array.isArray(value) || value.length >= Number(least),
  minLength: (least, value) => typeof value !== "string" || value.length >= Number(least),
  pattern: (pattern, value) => typeof value !== "string" || new RegExp(String(pattern)).test(value),
  minimum: numbers((value, bound) => value >= bound),
  exclusiveMinimum: numbers((value, bound) => value > bound)
}

const fits = (schema: Json, value: Json, root: JsonObject): boolean =>
  Object.entries(object(schema)).every(([name, expected]) => {
    if (says.has(name)) return true
    const keyword = keywords[name]
    if (keyword === undefined) throw new Error(`the keyword ${name} is not known`)
    return keyword(expected, value, object(schema), root)
  })

/** Whether a document is as its schema says. */
export const conforms = (schema: object, document: Json): boolean => {
  const root = object(schema)
  if (root["$schema"] !== "http://json-schema.org/draft-07/schema#") throw new Error("it is not of draft 7")
  return fits(root, document, root)
}
